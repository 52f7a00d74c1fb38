"""Flow: whether a network knows where every pixel goes."""

import numpy as np

from reidlib.data import Benchmark
from reidlib.data.flow import pack_flow
from reidlib.evaluation import end_point_error
from reidlib.experiments.clips import answers
from reidlib.experiments.evaluations import Measured, per_frame
from reidlib.experiments.run import Run
from reidlib.models import Network

SCORES = {"end-point error": "frame_error", "of no motion": "frame_zero_error"}


def measure(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> Measured:
    """End-point error in pixels of the flow to the next frame that the network shows for each frame of the queries
    (`visuals["flow"]`, (B, T, 2, H, W)), against the true one on the person, in one group "flow"; beside it that of
    saying that nothing moves. The next frame is cut as the run's `windows` say, in the frame's own box ("fixed") or in
    one that follows the person. Cases: the errors of every frame, None where nobody is in it. ValueError if the network
    shows no flow, or the run's next frames are not the very next ones, KeyError without ground truth.
    """
    if run.time_step != 1:
        raise ValueError(f"time_step={run.time_step}: the true flow is that to the very next frame; measure with 1")
    kind = "fixed_flow" if run.windows == "fixed" else "flow"
    frames = {label: [] for label in SCORES}
    tracklets = pack_flow(benchmark.query, kind, progress=progress)
    for batch, output in answers(network, tracklets, run, progress, truth=(kind, "parts")):
        if "flow" not in output.visuals:
            raise ValueError(f'{run.model} shows no flow; evaluate a network with visuals["flow"]')
        predicted, true, person = (
            values.float().cpu().flatten(0, 1).numpy()
            for values in (output.visuals["flow"], batch.truth[kind], batch.truth["parts"] > 0)
        )
        found = end_point_error(predicted, true, person > 0)
        for label, field in SCORES.items():
            frames[label].append(getattr(found, field))
    values = {label: np.concatenate(found) for label, found in frames.items()}
    return per_frame("flow", values, dict.fromkeys(SCORES, "pixels"))


def columns(run: Run) -> dict[str, tuple[str, str]]:
    """Both errors."""
    return {label: ("flow", label) for label in SCORES}
