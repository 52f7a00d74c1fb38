"""Where warnings point."""

import warnings
from types import ModuleType

from reidlib.data import notices


def test_a_warning_points_at_the_line_outside_of_the_package():
    inside = ModuleType("reidlib.data.example")
    exec("from reidlib.data.notices import warn\ndef deep():\n    warn('so')\ndef load():\n    deep()", inside.__dict__)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inside.load()
        notices.warn("from here")
    assert [report.filename for report in caught] == [__file__] * 2
    assert [str(report.message) for report in caught] == ["so", "from here"]
