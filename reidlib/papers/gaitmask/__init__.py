"""GaitMask: GaitGL with masks in place of parts, query expansion, and re-ranking."""
