"""AMEM: attributes and frames to come as teachers of a 3-D network's appearance and motion."""
