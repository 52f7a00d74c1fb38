"""The starts of networks of mini scale. `reproduce pretraining` trains them, and makes them weights of the package.

"start: identities" is for networks of mini scale what ImageNet is for published ones: it knows people, but none of
those whom a table shows, and neither their wardrobe nor their cameras. "start: attributes" is its control: the same
network and images, but it has learned what PETA's columns say, and never who is who. "start: identities, I3D" is the
first with a backbone that is not residual, so that no 2-D one can be inflated to it: it sees each image as a clip of
three frames that stand still, in as many batches of as many images.
"""

from dataclasses import replace

from reidlib.data.walkers.worlds.annotations import PETA_RENDERED
from reidlib.experiments import Row, Run
from reidlib.models.pretrained import VIDEO
from reidlib.papers.pretraining import training  # noqa: F401 (registers the trainings that the runs name)
from reidlib.papers.recipes import PRETRAINING

IDENTITIES = Run("pretraining", "pretraining", "pretraining/identities", **PRETRAINING.fields())
ATTRIBUTES = replace(
    IDENTITIES,
    training="pretraining/attributes",
    model_options={"attributes": PETA_RENDERED},
    evaluation=("retrieval", "attributes"),
)

VIDEO_IDENTITIES = replace(IDENTITIES, model_options={"backbone": "i3d"}, num_frames=3)


def rows(scale: str) -> list[Row]:
    """All starts, on held-out people; there are none at paper scale, where networks start from ImageNet."""
    if scale == "paper":
        return []
    return [
        Row("pretraining", "start: identities", IDENTITIES, seeds=1, keep_backbone="walkers"),
        Row("pretraining", "start: attributes", ATTRIBUTES, seeds=1, keep_backbone="walkers_attributes"),
        Row("pretraining", "start: identities, I3D", VIDEO_IDENTITIES, seeds=1, keep_backbone=VIDEO),
    ]
