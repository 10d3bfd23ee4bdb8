"""Video files in and out: the one door to PyAV. Open `reading.py` first."""

from provenance.video.reading import MediaLimits, VideoFile, media_digest, open_video
from provenance.video.writing import Encoding, write_video

__all__ = ["Encoding", "MediaLimits", "VideoFile", "media_digest", "open_video", "write_video"]
