"""The browser shows what its drawing function gives for the slider's position."""

import struct

import matplotlib.pyplot as plt

from reidlib.widgets import Browser


def draw(number: int):
    return plt.figure(figsize=(number + 1, 2))


def width_in_pixels(png: bytes) -> int:
    return struct.unpack(">I", png[16:20])[0]


def width_outside(inches: int) -> int:
    """Of the same figure in a notebook's output: at its own resolution, with a margin of a tenth of an inch."""
    return round(plt.rcParams["figure.dpi"] * (inches + 0.2))


def test_slider_moves_the_picture():
    browser = Browser(draw, count=4, description="width")
    assert width_in_pixels(browser.picture.value) == width_outside(1)
    browser.slider.value = 3
    assert width_in_pixels(browser.picture.value) == width_outside(4)
    assert (browser.slider.min, browser.slider.max) == (0, 3)


def test_figure_is_there_without_the_widget():
    assert Browser(draw, count=4, description="width").figure(2).get_figwidth() == 3


def test_no_figure_stays_open():
    before = len(plt.get_fignums())
    Browser(draw, count=2, description="width").slider.value = 1
    assert len(plt.get_fignums()) == before
