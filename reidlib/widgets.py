"""Interactive shells around the figures of `reidlib.plots`, for notebooks. They hold no logic of their own."""

from collections.abc import Callable
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure


class Browser(ipywidgets.VBox):
    """A slider and the picture that belongs to its position.

    draw: gives the figure of number i, 0 ≤ i < count. `figure(i)` gives the same without the widget.
    """

    def __init__(self, draw: Callable[[int], Figure], count: int, description: str):
        self._draw = draw
        self.slider = ipywidgets.IntSlider(0, 0, count - 1, description=description, continuous_update=False)
        self.picture = ipywidgets.Image(format="png")
        self.slider.observe(lambda change: self._show(change.new), names="value")
        self._show(0)
        super().__init__([self.slider, self.picture])

    def figure(self, number: int) -> Figure:
        """The figure that the widget shows at this position."""
        return self._draw(number)

    def _show(self, number: int) -> None:
        buffer = BytesIO()
        figure = self._draw(number)
        figure.savefig(buffer, format="png", dpi="figure", bbox_inches="tight")  # as it is shown outside
        plt.close(figure)
        self.picture.value = buffer.getvalue()
