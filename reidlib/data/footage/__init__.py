"""Real video: the recording of a fixed camera as tracklets of the people who walk in it.

`follow(path)` does it all: decoding (`video`), background subtraction (`foreground`), pieces to persons by the height
that people have in the picture (`scale`), tracks (`tracking`, or somebody else's, `tracks`), crops with masks and flags
(`follow`). `image` makes a tracklet of a picture, `boxes` scores boxes against true ones.
"""

from reidlib.data.footage.boxes import BoxScores, box_scores
from reidlib.data.footage.follow import FLAGS, MIN_HEIGHT, MIN_ROWS, UNKNOWN_PERSON, FootageTracklet, follow
from reidlib.data.footage.tracks import read_tracks
from reidlib.data.footage.video import Video, open_video, write_video

__all__ = [
    "FLAGS",
    "MIN_HEIGHT",
    "MIN_ROWS",
    "UNKNOWN_PERSON",
    "BoxScores",
    "FootageTracklet",
    "Video",
    "box_scores",
    "follow",
    "open_video",
    "read_tracks",
    "write_video",
]
