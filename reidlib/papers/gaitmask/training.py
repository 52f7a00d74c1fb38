"""How GaitGL and GaitMask are trained.

Lin et al., "Bag of Tricks and GaitMask Network for Gait Recognition", sections 1.1 and 1.3.
"""

import torch

from reidlib.experiments import Plan, Setting, register_training
from reidlib.papers.baseline.training import gaitset_objective
from reidlib.training import multistep


@register_training("gaitmask", recorded_as="training")
def training(setting: Setting) -> Plan:
    """The separate triplet loss (section 1.1), which is GaitSet's, and Adam. At paper scale the rate falls to a tenth
    after 150K of 250K iterations, or after 10K of 15K where a network goes on from what it learned elsewhere
    (section 1.3), and likewise at other lengths."""
    run = setting.run
    milestone = run.iterations * 10 // 15 if run.parts else run.iterations * 150 // 250
    return Plan(
        gaitset_objective,
        optimisers={"network": torch.optim.Adam(setting.model.parameters(), lr=run.learning_rate)},
        schedules={"network": setting.schedule(multistep((milestone,)))},
    )
