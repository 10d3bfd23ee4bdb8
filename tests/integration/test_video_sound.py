"""Sound goes along untouched where MP4 can hold it, and as it was heard where not."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from provenance.video import MediaLimits, SoundTrack, open_video, write_video
from tests.support.drawing import FAST, drawn_clip
from tests.support.sounds import Recording, record, sound_of

LIMITS = MediaLimits()

COPIED = [
    Recording("mp4", "aac"),
    Recording("matroska", "libmp3lame", layout="stereo"),
    Recording("avi", "libmp3lame"),
    Recording("matroska", "ac3", layout="5.1"),
    Recording("matroska", "eac3", layout="stereo"),
    Recording("matroska", "flac"),
    Recording("matroska", "libopus"),
    Recording("mov", "alac", layout="stereo"),
]


@pytest.mark.parametrize("how", COPIED, ids=lambda how: f"{how.codec} in {how.container}")
def test_sound_that_mp4_holds_is_copied_packet_by_packet(tmp_path: Path, how: Recording) -> None:
    source = open_video(record(tmp_path / "in", how), LIMITS)

    written = write_video(source, tmp_path / "out.mp4", FAST)

    before, packets, _ = sound_of(source.path)
    after, copied, _ = sound_of(tmp_path / "out.mp4")
    assert written.sound is SoundTrack.COPIED
    assert copied == packets
    assert after.codec_context.codec.canonical_name == before.codec_context.codec.canonical_name
    assert after.layout.nb_channels == before.layout.nb_channels


def test_sound_of_a_transport_stream_is_copied_without_its_own_headers(tmp_path: Path) -> None:
    source = open_video(record(tmp_path / "in.ts", Recording("mpegts", "aac")), LIMITS)

    written = write_video(source, tmp_path / "out.mp4", FAST)

    _, packets, _ = sound_of(source.path)
    _, copied, _ = sound_of(tmp_path / "out.mp4")
    header = 7  # bytes before each ADTS frame (ISO 13818-7, 6.2), which MP4 does not have
    assert written.sound is SoundTrack.COPIED
    assert copied == [packet[header:] for packet in packets]


TRANSCODED = [
    (Recording("avi", "pcm_s16le"), 48_000, "mono"),
    (Recording("avi", "pcm_s16le", layout="stereo"), 48_000, "stereo"),
    (Recording("matroska", "pcm_s16le", layout="5.1"), 48_000, "5.1"),
    (Recording("matroska", "pcm_s16le", layout="5.1(side)"), 48_000, "5.1"),
    (Recording("matroska", "pcm_s16le", layout="quad"), 48_000, "4.0"),
    (Recording("matroska", "pcm_s16le", layout="7.0"), 48_000, "stereo"),
    (Recording("matroska", "pcm_s16le", rate=192_000, layout="stereo"), 96_000, "stereo"),
    (Recording("matroska", "pcm_s16le", rate=37_800), 44_100, "mono"),
    (Recording("avi", "adpcm_ima_wav", layout="stereo"), 48_000, "stereo"),
]


@pytest.mark.parametrize(
    ("how", "rate", "layout"),
    TRANSCODED,
    ids=lambda value: getattr(value, "codec", str(value)),
)
def test_other_sound_becomes_aac_with_its_own_speakers_and_length(
    tmp_path: Path, how: Recording, rate: int, layout: str
) -> None:
    source = open_video(record(tmp_path / "in", how), LIMITS)

    written = write_video(source, tmp_path / "out.mp4", FAST)

    assert written.sound is SoundTrack.TRANSCODED
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        assert (stream.codec_context.name, stream.layout.name) == ("aac", layout)
        assert stream.codec_context.sample_rate == rate
    assert abs(samples / rate - 1) < 0.05


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_the_language_goes_along(tmp_path: Path, codec: str) -> None:
    how = Recording("matroska", codec, language="fre")
    source = open_video(record(tmp_path / "in.mkv", how), LIMITS)

    write_video(source, tmp_path / "out.mp4", FAST)

    assert sound_of(tmp_path / "out.mp4")[0].language == "fre"


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize("late_s", [Fraction(0), Fraction(1, 2)])
@pytest.mark.parametrize("container", ["matroska", "mpegts"])
def test_sound_stays_with_the_pictures(
    tmp_path: Path, container: str, codec: str, late_s: Fraction
) -> None:
    how = Recording(container, "mp2" if (container, codec) == ("mpegts", "pcm_s16le") else codec)
    how = Recording(container, how.codec, layout="stereo", late_s=late_s)
    source = open_video(record(tmp_path / "in", how), LIMITS)

    write_video(source, tmp_path / "out.mp4", FAST)

    _, _, starts_s = sound_of(tmp_path / "out.mp4")
    assert source.times_s()[0] == 0
    assert abs(starts_s - float(late_s)) < 0.05  # two frames of AAC are 43 ms


def test_a_silent_clip_stays_silent(tmp_path: Path) -> None:
    written = write_video(drawn_clip(4), tmp_path / "out.mp4", FAST)

    assert written.sound is SoundTrack.NONE
    assert written.frames == 4
    assert not open_video(tmp_path / "out.mp4", LIMITS).has_sound
