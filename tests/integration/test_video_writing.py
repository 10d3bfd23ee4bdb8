"""What is written is whole or not there, and the one who can help is told."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.clip import StillClip
from provenance.errors import StorageFailed, UnreadableMedia, UnsupportedMedia
from provenance.video import Encoding, MediaLimits, open_video, write_video
from tests.support.drawing import FAST, brightened, drawn_clip, drawn_frames
from tests.support.footage import Film, film, numbered
from tests.support.sounds import Recording, record

LIMITS = MediaLimits()
ROOT = Path(__file__).parents[2]

WRITES_WITHIN = """
import resource, sys
from pathlib import Path
from provenance.errors import ProvenanceError
from provenance.video import write_video
from tests.support.drawing import FAST, drawn_clip

most = int(sys.argv[2])
clip = drawn_clip(24)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    write_video(clip, Path(sys.argv[1]), FAST)
except ProvenanceError as error:
    print(type(error).__name__, error)
"""


def test_a_disk_that_fills_up_at_any_byte_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    write_video(drawn_clip(24), whole, FAST)
    size = whole.stat().st_size
    target = tmp_path / "full.mp4"

    for most in (0, 100, size // 2, size - 1):
        told = _run(WRITES_WITHIN, str(target), str(most))
        assert told == (
            f"StorageFailed {target} cannot be written (File too large); "
            "free some space or choose another folder\n"
        )
        assert not target.exists()
    assert _run(WRITES_WITHIN, str(target), str(size)) == ""
    assert target.read_bytes() == whole.read_bytes()


def test_a_folder_that_is_not_there_is_the_disks_fault(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="No such file or directory"):
        write_video(drawn_clip(2), tmp_path / "none" / "clip.mp4", FAST)


def test_a_file_that_was_there_before_stays_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    target.write_bytes(b"somebody else's")

    with pytest.raises(StorageFailed, match="exists and is not replaced"):
        write_video(drawn_clip(2), target, FAST)

    assert target.read_bytes() == b"somebody else's"


def test_a_file_that_vanishes_before_it_is_safe_on_disk_is_missed(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"

    with pytest.raises(StorageFailed, match="cannot be written"):
        write_video(drawn_clip(2), target, FAST, on_frame=lambda _: target.unlink(missing_ok=True))


@pytest.mark.parametrize(
    ("encoding", "shape"),
    [(Encoding(preset="no such preset"), {}), (FAST, {"width": 32_768, "height": 2})],
)
def test_what_the_encoder_does_not_take_is_not_blamed_on_the_disk(
    tmp_path: Path, encoding: Encoding, shape: dict[str, int]
) -> None:
    pictures = drawn_frames(1, **shape)

    with pytest.raises(UnsupportedMedia, match=r"clip.mp4 \(.+\); re-encode it"):
        write_video(StillClip(pictures, 16), tmp_path / "clip.mp4", encoding)

    assert list(tmp_path.iterdir()) == []


def test_a_source_that_ends_early_is_what_is_told_and_nothing_stays(tmp_path: Path) -> None:
    how = Film(muxer={"movflags": "faststart"}, options={"g": "5"})
    source = film(tmp_path / "in.mp4", numbered(30), how)
    source.write_bytes(source.read_bytes()[:-200])

    with pytest.raises(UnreadableMedia, match=r"in\.mp4 is cut off or damaged after \d+ frames"):
        write_video(brightened(open_video(source, LIMITS), 5), tmp_path / "out.mp4", FAST)

    assert list(tmp_path.iterdir()) == [source]


def test_sound_that_does_not_decode_is_what_is_told_and_nothing_stays(tmp_path: Path) -> None:
    source = record(tmp_path / "in.avi", Recording("avi", "adpcm_ima_wav"))
    damaged = bytearray(source.read_bytes())
    for chunk in re.finditer(b"01wb", damaged[: damaged.index(b"idx1")]):
        predictor = chunk.end() + 4  # after the size; two bytes, then the step index
        damaged[predictor + 2] = 255  # beyond the table's 89 steps
    source.write_bytes(damaged)

    with pytest.raises(UnreadableMedia, match=r"the sound of in\.avi does not decode"):
        write_video(open_video(source, LIMITS), tmp_path / "out.mp4", FAST)

    assert list(tmp_path.iterdir()) == [source]


def test_a_name_that_looks_like_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path("http: take 2.mp4")

    write_video(drawn_clip(2), name, FAST)

    assert len(list(open_video(name, LIMITS).frames())) == 2


PASSES_1080P = """
import resource, sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
import numpy as np
from provenance.clip import ClipShape, EvenClip, Frame
from provenance.video import Encoding, MediaLimits, open_video, write_video

@dataclass
class Long:
    count: int
    sound = None

    @property
    def shape(self):
        return ClipShape(1920, 1080, Fraction(25), Fraction(1, 25), self.count)

    def frames(self):
        for n in range(self.count):
            yield Frame(np.full((1080, 1920, 3), n % 256, np.uint8), n)

def passed(count, target):
    write_video(EvenClip(Long(count)), target, Encoding(preset="ultrafast", threads=1))
    video = open_video(target, MediaLimits())
    assert sum(1 for _ in video.luma()) == sum(1 for _ in video.frames()) == count

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

passed(20, Path(sys.argv[1]))
before = peak()
passed(120, Path(sys.argv[2]))
print(peak() - before)
"""


def test_a_long_1080p_clip_passes_without_being_held(tmp_path: Path) -> None:
    grown = int(_run(PASSES_1080P, str(tmp_path / "short.mp4"), str(tmp_path / "long.mp4")))

    pictures_held = 100 * 1920 * 1080 * 3  # bytes, if the further hundred stayed: 622 MB
    assert grown < pictures_held / 10


def _run(script: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
