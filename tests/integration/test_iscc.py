"""The ISCC Video-Code, with the real ffmpeg; and what is said where the extra is missing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.bodies import FingerprintBody
from audit.content import code_compared
from audit.shape import to_json
from provenance.clip import StillClip
from provenance.errors import FingerprintError
from provenance.fingerprint.codes import VideoCode, load_video_code
from provenance.video import Encoding, write_video
from provenance.watermark import Picture
from tests.support import reencode
from tests.support.clips_seen import elsewhere, glimpse, here
from tests.support.logs import cleared_body

iscc = pytest.importorskip("provenance.fingerprint.iscc", reason="needs the `dev` extra")
pytestmark = pytest.mark.dev

FAST = Encoding(preset="ultrafast", threads=1)
RATE = 16.0


def clip(frames: Sequence[Picture], path: Path) -> Path:
    write_video(StillClip(np.stack(frames), 16), path, FAST)
    return path


@pytest.fixture(scope="module")
def method() -> VideoCode:
    return load_video_code()


def test_a_reencoded_clip_keeps_its_code_and_another_has_another(
    method: VideoCode, tmp_path: Path
) -> None:
    ours = method.of_file(clip(here(), tmp_path / "ours.mp4"))
    copy = method.of_file(clip(reencode.h264(here(), crf=34), tmp_path / "copy.mp4"))
    other = method.of_file(clip(elsewhere(), tmp_path / "other.mp4"))

    assert ours.startswith("ISCC:")
    assert method.algorithm == "io.iscc.v0"
    assert method.bits_between(ours, ours) == 0
    assert method.bits_between(ours, copy) <= 20
    assert method.bits_between(ours, other) >= 60


def test_tiny_pictures_have_nearly_the_code_of_the_file(method: VideoCode, tmp_path: Path) -> None:
    of_file = method.of_file(clip(here(), tmp_path / "ours.mp4"))

    of_pictures = method.of_pictures(glimpse(here()).pictures, RATE)

    assert method.bits_between(of_file, of_pictures) <= 40


def test_a_record_with_a_code_is_compared_and_one_without_says_so(
    method: VideoCode, tmp_path: Path
) -> None:
    code = method.of_file(clip(here(), tmp_path / "ours.mp4"))
    body = replace(cleared_body("clip-1", 1), fingerprints=(FingerprintBody("io.iscc.v0", code),))

    found = code_compared(to_json(body), glimpse(here()))
    without = code_compared(to_json(cleared_body("clip-1", 1)), glimpse(here()))

    assert found.bits is not None
    assert found.bits <= 40
    assert (without.bits, without.reason) == (None, "the record holds no such code")


@pytest.mark.parametrize("signature", [b"", b"\0" * 34, b"\xff" * 500])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(FingerprintError):
        iscc.frames_in(signature)


@pytest.mark.parametrize("code", ["", "ISCC:", "ISCC:AAAA", "KMD2", "ISCC:1"])
def test_what_is_no_code_is_refused(method: VideoCode, code: str) -> None:
    with pytest.raises(FingerprintError, match="no ISCC"):
        method.bits_between(code, code)


def test_a_file_that_ffmpeg_cannot_read_is_told(method: VideoCode, tmp_path: Path) -> None:
    (tmp_path / "thing.mp4").write_bytes(b"no video")

    with pytest.raises(FingerprintError, match="no MPEG-7 signature"):
        method.of_file(tmp_path / "thing.mp4")


def test_a_code_whose_extra_is_missing_says_which_one() -> None:
    with pytest.raises(FingerprintError, match=r"pip install 'countermark\[glow\]'"):
        load_video_code("glow")
