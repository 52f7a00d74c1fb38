"""The true motion of every pixel, rendered once for all that is measured against it.

A rendered world draws its people anew whenever their flow is asked for, which takes longer than to measure a network.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from reidlib.data.packing import pack_rows
from reidlib.data.tracklets import Tracklet, WithTruth, fingerprint


def pack_flow(
    tracklets: Sequence[Tracklet],
    kind: Literal["flow", "fixed_flow"] = "flow",
    workers: int | None = None,
    progress: bool = True,
) -> list[Tracklet]:
    """The tracklets with their true flow, of the kinds of `FrameSource.truth`, at hand.

    It is rendered once, in `workers` processes (by default one for each core), into one array of the user's cache
    folder: float32, 16 KiB a frame of 64×32. KeyError if a tracklet has no true flow.
    """
    for tracklet in tracklets:
        if tracklet.later is None:
            raise KeyError(f"tracklet {tracklet.tracklet_id} of person {tracklet.person_id} is not rendered: no {kind}")
    key = fingerprint(*(tracklet.later.key for tracklet in tracklets), kind)
    readers = [partial(tracklet.truth, kind) for tracklet in tracklets]
    shape, lengths = (2, *tracklets[0].frames([0]).shape[2:]), [len(tracklet) for tracklet in tracklets]
    rows = pack_rows("flow", key, readers, lengths, shape, "rendering flow", workers, progress, np.float32)
    return [replace(t, source=WithTruth(t.source, kind, one)) for t, one in zip(tracklets, rows)]
