"""Seq-Masks: appearance, its foreground by masks, and gait from the same masks, fused."""
