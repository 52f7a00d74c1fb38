"""Real video: the recording of a fixed camera as tracklets of the people who walk in it.

`follow(path)` does it all: decoding (`video`), background subtraction (`foreground`), pieces to persons by the height
that people have in the picture (`scale`), tracks (`tracking`), crops with masks and flags (`follow`). `boxes` scores
boxes against true ones.
"""

from reidlib.data.footage.boxes import BoxScores, box_scores
from reidlib.data.footage.follow import FLAGS, UNKNOWN_PERSON, FootageTracklet, follow
from reidlib.data.footage.video import Video, open_video, write_video

__all__ = [
    "FLAGS",
    "UNKNOWN_PERSON",
    "BoxScores",
    "FootageTracklet",
    "Video",
    "box_scores",
    "follow",
    "open_video",
    "write_video",
]
