"""The same tracklets with other attributes: controls of methods that learn from them, and labels that were
predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from reidlib.data.tracklets import Benchmark, Tracklet

WAYS = ("true", "permuted", "shuffled", "none")


def with_attributes(benchmark: Benchmark, way: str, seed: int = 0) -> Benchmark:
    """The benchmark with other attributes for its training tracklets; those of queries and gallery stay.

    way: "true" changes nothing. "permuted" gives all tracklets of an identity the attributes of another identity's
    tracklets: still one description for each person, but of somebody else. "shuffled" exchanges attributes among all
    training tracklets, so that they tell nothing. "none" takes them away. What is drawn depends on `seed` alone.
    ValueError for another way, or where there are no attributes to exchange.
    """
    if way not in WAYS:
        raise ValueError(f"attributes={way!r}: expected one of {', '.join(WAYS)}")
    if way == "true":
        return benchmark
    if not any(tracklet.attributes for tracklet in benchmark.train):
        raise ValueError(f"attributes={way!r}: the training tracklets of {benchmark.name} have no attributes")
    rng = np.random.default_rng(seed)
    new = {"permuted": _permuted, "shuffled": _shuffled, "none": _none}[way](benchmark.train, rng)
    return relabelled(benchmark, new, f"attributes {way} {seed}")


def relabelled(benchmark: Benchmark, attributes: Mapping[Tracklet, Mapping[str, int]], how: str) -> Benchmark:
    """The benchmark with these attributes for the tracklets that are named; how: as in `Benchmark.map`."""
    return benchmark.map(lambda t: replace(t, attributes=attributes[t]) if t in attributes else t, how)


def _permuted(tracklets: Sequence[Tracklet], rng: np.random.Generator) -> dict[Tracklet, Mapping[str, int]]:
    owned: dict[int, list[Tracklet]] = {}
    for tracklet in tracklets:
        owned.setdefault(tracklet.person_id, []).append(tracklet)
    people = list(owned)
    order = rng.permutation(len(people))
    other = {people[a]: people[b] for a, b in zip(order, np.roll(order, 1))}  # one cycle: nobody keeps their own
    return {
        tracklet: owned[other[person]][i % len(owned[other[person]])].attributes
        for person, own in owned.items()
        for i, tracklet in enumerate(own)
    }


def _shuffled(tracklets: Sequence[Tracklet], rng: np.random.Generator) -> dict[Tracklet, Mapping[str, int]]:
    return {t: tracklets[i].attributes for t, i in zip(tracklets, rng.permutation(len(tracklets)))}


def _none(tracklets: Sequence[Tracklet], rng: np.random.Generator) -> dict[Tracklet, Mapping[str, int]]:
    return {t: {} for t in tracklets}
