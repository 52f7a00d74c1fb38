"""Arithmetic with the same result on every processor, so that the same scene is the same bytes everywhere.

Libraries choose their sines, matrix products and sums by the instruction set that they find, and the choices differ in
the last bit; where that decides which solid is nearer, or on which side of a half a grey level lies, another pixel is
drawn. IEEE 754 fixes + − × ÷, the square root, comparisons and rounding to the last bit. So whatever is drawn is
computed of these alone, element by element: functions as polynomials, products and sums in a fixed order, or of
numbers so short that no order can make a difference. Arguments may be arrays or numbers; float32 stays float32, with
functions good to about 1e-6, and the rest is float64, good to about 1e-15.

What remains are the random numbers: numpy takes normal ones beyond 3.65 standard deviations from the machine's
logarithm, and some parameters of people and cameras are exponentials of normal numbers. `on_grid` and `settled` round
them. Where two machines differ by an ulp, they then still differ once in about 10^8 cases; a default benchmark rounds
fewer than 10^5 such numbers.
"""

from collections.abc import Sequence
from dataclasses import is_dataclass

import numpy as np

TURN = 6.283185307179586
_LN2 = 0.6931471805599453
_SINE, _EXP = [TURN], [1.0]  # Taylor coefficients: of sin(2πx) over x, x³, …, and of exp(x)
for _n in range(1, 11):
    _SINE.append(-_SINE[-1] * TURN * TURN / (2 * _n * (2 * _n + 1)))
for _n in range(1, 14):
    _EXP.append(_EXP[-1] / _n)
_ATAN = [(-1.0 if n % 2 else 1.0) / (2 * n + 1) for n in range(11)]  # over x, x³, …
_ATANH = [1.0 / (2 * n + 1) for n in range(11)]


def on_grid(values: np.ndarray) -> np.ndarray:
    """The nearest multiples of 2^-24, as fine as float32 just below 1."""
    return np.rint(values * 2.0**24) * 2.0**-24


def settled(thing):
    """The same dataclass, tuple or number with every float of it, however deep, `on_grid`."""
    if isinstance(thing, float):
        return round(thing * 2**24) / 2**24
    if isinstance(thing, tuple):
        return tuple(map(settled, thing))
    if is_dataclass(thing):
        return type(thing)(**{name: settled(value) for name, value in vars(thing).items()})
    return thing


def normal(rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    """Standard normal float64 numbers, on the grid."""
    return on_grid(rng.standard_normal(shape))


def sin(x: np.ndarray | float) -> np.ndarray:
    """The sine of radians; the absolute error grows with x as that of x itself does."""
    return _cos_of_turns(np.multiply(x, 1 / TURN) - 0.25)


def cos(x: np.ndarray | float) -> np.ndarray:
    """The cosine of radians; see `sin`."""
    return _cos_of_turns(np.multiply(x, 1 / TURN))


def cos_and_sin(x: np.ndarray) -> np.ndarray:
    """Both at once (2, …), which for small arrays takes half the time."""
    turns = np.empty((2, *x.shape), x.dtype)
    np.multiply(x, 1 / TURN, out=turns[0])
    np.subtract(turns[0], 0.25, out=turns[1])
    return _cos_of_turns(turns)


def _cos_of_turns(turns: np.ndarray) -> np.ndarray:
    x = 0.25 - np.abs(turns - np.rint(turns))  # the sine of a quarter turn at most
    return x * _polynomial(x * x, _SINE, 6)


def arctan2(y: np.ndarray | float, x: np.ndarray | float) -> np.ndarray:
    """The angle of (x, y) in radians, −π to π; 0 for (0, 0)."""
    high, wide = np.abs(y), np.abs(x)
    large = np.maximum(high, wide)
    ratio = np.minimum(high, wide) / np.where(large > 0, large, 1)
    for _ in range(2):
        ratio = ratio / (1 + np.sqrt(1 + ratio * ratio))  # the tangent of half the angle
    angle = 4 * ratio * _polynomial(ratio * ratio, _ATAN, 5)
    angle = np.where(high > wide, TURN / 4 - angle, angle)
    return np.copysign(np.where(np.less(x, 0), TURN / 2 - angle, angle), y)


def exp(x: np.ndarray | float) -> np.ndarray:
    """e to the power of x."""
    twos = np.rint(np.multiply(x, 1 / _LN2))
    return np.ldexp(_polynomial(x - twos * _LN2, _EXP, 8), twos.astype(np.int32))


def tanh(x: np.ndarray | float) -> np.ndarray:
    """The hyperbolic tangent."""
    return 1 - 2 / (exp(np.multiply(x, 2)) + 1)


def power(base: np.ndarray | float, exponent: float) -> np.ndarray:
    """`base`, float64 and 0 or more, to a power above 0."""
    part, twos = np.frexp(base)  # base = part 2^twos
    low = part < 0.7071067811865476
    part, twos = np.where(low, 2 * part, part), twos - low
    ratio = (part - 1) / (part + 1)
    log = 2 * ratio * _polynomial(ratio * ratio, _ATANH, 11) + twos * _LN2
    return np.where(np.greater(base, 0), exp(exponent * log), 0.0)


def _polynomial(x: np.ndarray, coefficients: Sequence[float], single: int) -> np.ndarray:
    """Its value at x, the constant first; float32 needs no more than `single` coefficients."""
    used = coefficients[:single] if x.dtype == np.float32 else coefficients
    value = used[-1] * x + used[-2]
    for coefficient in used[-3::-1]:
        value *= x
        value += coefficient
    return value


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of small matrices (…, i, k) and (…, k, j), its sums in order, from the first to the last k."""
    return sum(a[..., :, k, None] * b[..., k, None, :] for k in range(a.shape[-1]))


def total(values: np.ndarray) -> float:
    """The sum of all values, one after the other."""
    return float(np.cumsum(values)[-1])


def blur_matrix(count: int, sigma: float) -> np.ndarray:
    """The Gaussian blur by `sigma` of `count` periodic values as a matrix (count, count) on the grid.

    Its product with values that are `on_grid` as well, with no more than four bits before the point, is the same in
    any order, and so by any library: all partial sums are multiples of 2^-48 below 2^5, which float64 holds exactly.
    """
    frequency = np.arange(count // 2 + 1) / count
    gain = exp(-0.5 * (TURN * sigma * frequency) * (TURN * sigma * frequency))
    kernel = on_grid(np.fft.irfft(gain, count))  # a difference of an ulp is seen here once in 10^8 cases
    place = np.arange(count)
    return kernel[(place[:, None] - place) % count]
