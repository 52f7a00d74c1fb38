"""The shape of a person: proportions and girths, everything of a body that clothes do not change.

Segment lengths are fractions of the height as tabulated by Drillis and Contini (1966), reprinted in Winter,
*Biomechanics and Motor Control of Human Movement* (4th edition, 2009), figure 4.1; a `Body` scales them a
little.
"""

from dataclasses import dataclass

import numpy as np

AVERAGE_HEIGHT = 1.72  # metres
MALE, FEMALE = 0, 1
YOUNG, TEENAGER, ADULT, OLD = 0, 1, 2, 3


@dataclass(frozen=True)
class Body:
    """Proportions of one person. Lengths are metres; factors multiply the average body's value.

    Proportions belong to the identity as the gait does: a silhouette shows both, clothes hide neither wholly.
    """

    height: float = AVERAGE_HEIGHT
    gender: int = MALE  # 0 male, 1 female: the code of MARS's column
    age: int = TEENAGER  # 0 young, 1 teenager, 2 adult, 3 old: the codes of MARS's column
    leg_ratio: float = 1.0  # factor on leg length; the trunk takes up the difference
    arm_ratio: float = 1.0  # factor on arm length
    shoulder_width: float = 1.0  # factor on the distance between the shoulder joints
    hip_width: float = 1.0  # factor on the width of the pelvis
    head_scale: float = 1.0  # factor on the head's size
    trunk_girth: float = 1.0  # factor on the trunk's cross-section
    limb_girth: float = 1.0  # factor on the limbs' cross-section
    belly: float = 0.0  # added depth of the abdomen, as a fraction of its depth


def sample_body(rng: np.random.Generator) -> Body:
    """Draw a person's proportions; gender and age are drawn with roughly MARS's frequencies."""
    gender = int(rng.random() < 0.42)
    age = int(rng.choice(4, p=(0.02, 0.74, 0.20, 0.04)))
    mean_height = (1.74, 1.62)[gender] - (0.28, 0.0, 0.0, 0.04)[age]
    heavy = float(rng.normal(0.0, 1.0)) + (0.5 if age >= ADULT else 0.0)
    return Body(
        height=float(np.clip(rng.normal(mean_height, 0.065), 1.25, 2.0)),
        gender=gender,
        age=age,
        leg_ratio=float(np.clip(rng.normal(1.0, 0.03), 0.93, 1.07)),
        arm_ratio=float(np.clip(rng.normal(1.0, 0.03), 0.93, 1.07)),
        shoulder_width=float(np.clip(rng.normal((1.03, 0.93)[gender], 0.04), 0.82, 1.15)),
        hip_width=float(np.clip(rng.normal((0.98, 1.06)[gender], 0.05), 0.85, 1.2)),
        head_scale=float(np.clip(rng.normal((1.0, 0.98)[gender] + (0.12, 0, 0, 0)[age], 0.03), 0.9, 1.2)),
        trunk_girth=float(np.clip(1.0 + 0.085 * heavy, 0.84, 1.3)),
        limb_girth=float(np.clip((1.0, 0.93)[gender] + 0.06 * heavy + rng.normal(0, 0.03), 0.8, 1.25)),
        belly=float(np.clip(rng.normal(0.10 * heavy, 0.06), -0.1, 0.5)),
    )
