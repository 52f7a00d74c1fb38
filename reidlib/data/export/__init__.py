"""Writing a benchmark in the on-disk layout of the data set that it is modelled on: one function a layout.

The loaders then read it as they read the real data. Every function writes into a hidden folder beside `root`, which
becomes `root` when everything is written; FileExistsError if `root` is there already, which `refuse_existing` tells
beforehand.
"""

from reidlib.data.export.files import refuse_existing
from reidlib.data.export.gait import casia_b, casia_e, hid, oumvlp
from reidlib.data.export.stills import market1501, peta
from reidlib.data.export.two_cameras import ilids_vid, prid2011
from reidlib.data.export.video import duke_video, mars, mask_mars

__all__ = [
    "casia_b",
    "casia_e",
    "duke_video",
    "hid",
    "ilids_vid",
    "market1501",
    "mars",
    "mask_mars",
    "oumvlp",
    "peta",
    "prid2011",
    "refuse_existing",
]
