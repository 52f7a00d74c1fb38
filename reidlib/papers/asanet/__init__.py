"""ASA-Net: attributes point out what to look at, and a triplet loss makes pose and motion matter less."""
