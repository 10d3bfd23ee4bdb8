"""Video files in and out: the one door to PyAV. Open `reading.py` first."""

from provenance.video.digest import media_digest
from provenance.video.limits import MediaLimits
from provenance.video.reading import VideoFile, open_video
from provenance.video.writing import Encoding, SoundTrack, Written, write_video

__all__ = [
    "Encoding",
    "MediaLimits",
    "SoundTrack",
    "VideoFile",
    "Written",
    "media_digest",
    "open_video",
    "write_video",
]
