"""The baselines: AGW for appearance, GaitSet for gait, and what needs no learning."""
