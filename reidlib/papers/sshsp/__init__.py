"""SS-HSP: parts of the body that nobody labelled, found by how they move, for aligned features and motion."""
