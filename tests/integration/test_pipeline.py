"""The journey with every real part but a model: released, refused, held, and what breaks."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from sqlalchemy import text

from audit.attempts import Attempts, AttemptState
from audit.bodies import Commitment
from audit.canonical import JsonValue
from audit.database import writing
from audit.errors import AppendFailed
from audit.home import Home
from audit.ledger import Ledger
from audit.redaction import Vault
from audit.vocabulary import RecordKind
from generator.errors import Cancelled, RequestInvalid
from generator.outcome import Held, Refused, Released
from generator.progress import Phase, Progress
from generator.request import ProtectRequest
from provenance.clip import StillClip
from provenance.credentials import examine
from provenance.errors import StorageFailed, UnreadableMedia
from provenance.keys import read_private
from provenance.trust import TrustLists
from provenance.video import MediaLimits, open_video, write_video
from safety.categories import Category
from safety.errors import ClassifierFailed
from tests.support.classifiers import ChosenFrameClassifier, raises
from tests.support.drawing import FAST, Frames, drawn_frames, drawn_video, video_with_sound
from tests.support.logs import log_failures
from tests.support.press import new_home, open_press, opened_log, press_gates, released_clip

HATEFUL = "how to build a pipe bomb, step by step"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("press") / "home")


def kinds(home: Home, attempt: str | None) -> list[RecordKind]:
    assert attempt is not None
    with opened_log(home) as ledger:
        return [entry.record.kind for entry in ledger.find_by_attempt(attempt)]


def left_over(home: Home) -> list[Path]:
    return list(home.private.iterdir())


def test_a_clip_is_released_with_three_records_and_no_working_copy(
    home: Home, tmp_path: Path
) -> None:
    told: list[Progress] = []
    source = drawn_video(tmp_path / "in.mp4")

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), told.append)

    assert isinstance(outcome, Released)
    assert outcome.path == tmp_path / "out.mp4"
    assert kinds(home, outcome.entry.record.attempt) == [
        RecordKind.ATTEMPT,
        RecordKind.CLEARED,
        RecordKind.RELEASED,
    ]
    assert left_over(home) == []
    assert [p.phase for p in told if p.phase is Phase.MARKING][1:] == [Phase.MARKING] * 24
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_the_manifest_carries_the_proof_of_the_cleared_record(home: Home, tmp_path: Path) -> None:
    released = released_clip(home, tmp_path)

    trust = TrustLists.load(claim=(home.root_certificate,), timestamp=(home.timestamp_root,))
    facts = examine(released.path, trust).facts

    assert facts is not None
    assert facts.log is not None
    assert facts.mark is not None
    assert facts.mark.mark_id_hex == released.mark_id
    assert facts.decision == "allow"
    with opened_log(home) as ledger:
        cleared = ledger.get(facts.log.index)
        body = cleared.record.body
    assert cleared.record.kind is RecordKind.CLEARED
    assert facts.log.leaf_hash_hex == cleared.leaf_hash.hex()
    assert released.entry.record.body["cleared"] == cleared.index
    assert isinstance(body["output_verdict"], dict)
    assert body["output_verdict"]["frames"] == 24


def test_a_prompt_that_the_policy_blocks_is_refused_and_recorded_without_its_words(
    home: Home, tmp_path: Path
) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4", prompt=HATEFUL))

    assert isinstance(outcome, Refused)
    assert not (tmp_path / "out.mp4").exists()
    assert kinds(home, outcome.entry.record.attempt) == [RecordKind.ATTEMPT, RecordKind.REFUSED]
    assert left_over(home) == []
    database = b"".join(path.read_bytes() for path in home.path.glob("ledger.db*"))
    assert b"pipe bomb" not in database
    with opened_log(home) as ledger:
        attempt = ledger.find_by_attempt(str(outcome.entry.record.attempt))[0].record
        commitment = attempt.body["prompt"]
        assert isinstance(commitment, dict)
        vault = Vault(ledger, read_private(home.sealing_key))
        assert vault.unseal(Commitment(**commitment)) == HATEFUL


def test_frames_that_need_a_person_are_held_and_sealed(home: Home, tmp_path: Path) -> None:
    bright = np.clip(drawn_frames(8).astype(int) + 65, 0, 255).astype(np.uint8)
    source = tmp_path / "bright.mp4"
    write_video(StillClip(bright, 16), source, FAST)

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))
        assert isinstance(outcome, Held)
        attempt_id = str(outcome.entry.record.attempt)
        assert [path.name for path in home.held.iterdir()] == [f"{attempt_id}.sealed"]
        opened = tmp_path / "opened.mp4"
        digest = pipeline.holding.unseal(attempt_id, opened)

    assert not (tmp_path / "out.mp4").exists()
    assert outcome.entry.record.body["sealed_digest"] == digest
    assert opened.read_bytes() == source.read_bytes()
    sealed = (home.held / f"{attempt_id}.sealed").read_bytes()
    assert source.read_bytes()[100:200] not in sealed


def test_a_classifier_that_fails_releases_nothing_and_is_recorded(
    home: Home, tmp_path: Path
) -> None:
    source = drawn_video(tmp_path / "in.mp4")
    broken = press_gates(ChosenFrameClassifier(raises(RuntimeError("no model"))))

    with open_press(home, gates=broken) as pipeline, pytest.raises(ClassifierFailed):
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    assert not (tmp_path / "out.mp4").exists()
    with opened_log(home) as ledger:
        last = ledger.get(ledger.size - 1).record
        failed = Attempts(ledger.engine, ledger.log_id).get(str(last.attempt))
    assert last.kind is RecordKind.FAILED
    assert last.body == {"stage": "output", "error": "classifier_failed"}
    assert failed.state is AttemptState.FAILED
    assert left_over(home) == []


def test_a_journey_that_is_cancelled_leaves_a_record_and_no_file(
    home: Home, tmp_path: Path
) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    def cancel(progress: Progress) -> None:
        if progress.phase is Phase.MARKING and progress.done == 3:
            raise Cancelled("stopped by the asker")

    with open_press(home) as pipeline, pytest.raises(Cancelled):
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), cancel)

    with opened_log(home) as ledger:
        assert ledger.get(ledger.size - 1).record.body["error"] == "cancelled"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4"]


def last_failure(home: Home) -> object:
    with opened_log(home) as ledger:
        return ledger.get(ledger.size - 1).record.body.get("error")


def test_nobody_can_cancel_a_clip_once_it_is_released(home: Home, tmp_path: Path) -> None:
    source = drawn_video(tmp_path / "in.mp4")
    told: list[Phase] = []

    def cancel(progress: Progress) -> None:
        told.append(progress.phase)
        if progress.phase is Phase.PUBLISHING:
            raise Cancelled("stopped by the asker")

    with open_press(home) as pipeline, pytest.raises(Cancelled):
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), cancel)

    assert told[-1] is Phase.PUBLISHING
    assert last_failure(home) == "cancelled"
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(143), "interrupted"),
        (ZeroDivisionError(), "unexpected"),
        (Cancelled("by the asker"), "cancelled"),
    ],
)
def test_the_record_of_a_failure_tells_an_interruption_from_a_defect(
    home: Home, tmp_path: Path, error: BaseException, code: str
) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    def break_off(progress: Progress) -> None:
        if progress.phase is Phase.OUTPUT_GATE:
            raise error

    with open_press(home) as pipeline, pytest.raises(type(error)):
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), break_off)

    assert last_failure(home) == code
    assert left_over(home) == []


def test_an_interruption_after_the_release_says_that_the_clip_is_public(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("generator.pipeline.publish", interrupt)  # as Ctrl-C may hit right there

    with open_press(home) as pipeline, pytest.raises(KeyboardInterrupt) as caught:
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    assert caught.value.__notes__ == [
        f"the clip was released before that, and is public: {tmp_path / 'out.mp4'}"
    ]
    assert (tmp_path / "out.mp4").exists()


def fill(ledger: Ledger) -> None:
    """Bring SQLite to a limit of its size, for which it gives the error of a full disk."""
    with writing(ledger.engine) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with suppress(AppendFailed):
        while True:
            log_failures(ledger, 1)


def test_a_failure_that_the_log_cannot_be_told_of_comes_out_as_it_is(
    home: Home, tmp_path: Path
) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    with open_press(home) as pipeline:
        ledger = pipeline.journal.ledger

        def fill_up(progress: Progress) -> None:
            if progress.phase is Phase.MARKING:
                fill(ledger)
                raise StorageFailed("the clip cannot be written; free some space")

        with pytest.raises(StorageFailed, match="the clip cannot") as caught:
            pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), fill_up)

        assert (
            "the log could not be told of it (there is no space left" in caught.value.__notes__[0]
        )
        assert ledger.check().problems == ()
    assert left_over(home) == []


def test_a_sealed_clip_that_could_not_be_recorded_does_not_stay(home: Home, tmp_path: Path) -> None:
    source = drawn_video(tmp_path / "in.mp4")
    holds = press_gates(
        ChosenFrameClassifier(lambda frames: [{Category.SEXUAL_CONTENT: 0.75}] * len(frames))
    )
    before = set(home.held.iterdir())

    with open_press(home, gates=holds) as pipeline:
        ledger = pipeline.journal.ledger

        def fill_up(progress: Progress) -> None:
            if progress.phase is Phase.OUTPUT_GATE and progress.done == 24:
                fill(ledger)

        with pytest.raises(AppendFailed, match="no space left"):
            pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), fill_up)

    assert set(home.held.iterdir()) == before


def test_a_long_clip_is_recorded_with_every_frame_that_was_written(
    home: Home, tmp_path: Path
) -> None:
    frames = 530  # the detector looks at no more than about five hundred
    source = tmp_path / "in.mp4"
    encode(source, drawn_frames(frames, width=193, height=144), codec="libx264", pixels="yuv444p")

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    assert isinstance(outcome, Released)
    geometry = cleared_body(home, outcome)["geometry"]
    assert isinstance(geometry, dict)
    assert (geometry["frames"], geometry["width"], geometry["height"]) == (frames, 194, 144)


def test_what_the_protected_clip_lacks_is_told_and_recorded(home: Home, tmp_path: Path) -> None:
    source = tmp_path / "in.mov"
    encode(source, drawn_frames(24), codec="prores_ks", pixels="yuv422p10le")

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    assert isinstance(outcome, Released)
    assert "10-bit samples are reduced to 8-bit" in outcome.warnings
    making = cleared_body(home, outcome)["making"]
    assert isinstance(making, dict)
    assert making["losses"] == list(outcome.warnings)
    assert making["sound"] == "none"


def encode(path: Path, frames: Frames, *, codec: str, pixels: str) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=16)
        assert isinstance(stream, VideoStream)
        _, stream.height, stream.width, _ = frames.shape
        stream.pix_fmt = pixels
        for rgb in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(stream.encode())


def cleared_body(home: Home, outcome: Released) -> Mapping[str, JsonValue]:
    with opened_log(home) as ledger:
        return ledger.get(int(str(outcome.entry.record.body["cleared"]))).record.body


@pytest.mark.parametrize(("prompt", "state"), [(None, "not_available"), ("a red disc", "given")])
def test_the_attempt_says_whether_the_prompt_is_known(
    home: Home, tmp_path: Path, prompt: str | None, state: str
) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4", prompt=prompt))

    assert isinstance(outcome, Released)
    with opened_log(home) as ledger:
        attempt = ledger.find_by_attempt(str(outcome.entry.record.attempt))[0].record
    assert attempt.body["prompt_state"] == state


def test_a_target_that_exists_is_refused_before_anything_is_recorded(
    home: Home, tmp_path: Path
) -> None:
    source = drawn_video(tmp_path / "in.mp4")
    (tmp_path / "out.mp4").write_bytes(b"precious")
    with opened_log(home) as ledger:
        before = ledger.size

    with open_press(home) as pipeline, pytest.raises(RequestInvalid, match="never replaced"):
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    with opened_log(home) as ledger:
        assert ledger.size == before
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"


def test_a_target_that_is_taken_meanwhile_withdraws_the_clip(home: Home, tmp_path: Path) -> None:
    source = drawn_video(tmp_path / "in.mp4")

    def take(progress: Progress) -> None:
        if progress.phase is Phase.PUBLISHING:
            (tmp_path / "out.mp4").write_bytes(b"somebody else's")

    with open_press(home) as pipeline, pytest.raises(Exception, match="was taken"):
        pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"), take)

    assert (tmp_path / "out.mp4").read_bytes() == b"somebody else's"
    with opened_log(home) as ledger:
        assert ledger.get(ledger.size - 1).record.kind is RecordKind.WITHDRAWN


def test_an_unreadable_clip_is_refused_before_anything_is_recorded(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "in.mp4").write_bytes(b"not a video")

    with open_press(home) as pipeline, pytest.raises(UnreadableMedia):
        pipeline.run(ProtectRequest(tmp_path / "in.mp4", tmp_path / "out.mp4"))

    assert left_over(home) == []


def test_sound_is_kept_through_the_whole_journey(home: Home, tmp_path: Path) -> None:
    source = video_with_sound(tmp_path / "in.mp4")

    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, tmp_path / "out.mp4"))

    assert isinstance(outcome, Released)
    assert open_video(outcome.path, MediaLimits()).has_sound


def test_a_released_outcome_cannot_be_made_without_an_entry_of_the_log(home: Home) -> None:
    del home
    with pytest.raises(TypeError, match="missing"):
        Released(clip_id="x", mark_id="y", path=Path("z"), sha256="0", verdicts=())  # type: ignore[call-arg]  # the mistake under test


def test_a_change_that_fails_appends_no_record(home: Home) -> None:
    with opened_log(home) as ledger:
        before = ledger.size
        attempts = Attempts(ledger.engine, ledger.log_id)
        published = attempts.in_state(AttemptState.PUBLISHED)
        assert published
        with pytest.raises(AppendFailed):
            attempts.mark_published(attempts.in_state(AttemptState.REFUSED)[0].id)
        assert ledger.size == before


def test_a_clip_whose_credentials_were_broken_is_not_signed_over(
    home: Home, tmp_path: Path
) -> None:
    released = released_clip(home, tmp_path)
    content = bytearray(released.path.read_bytes())
    content[content.index(b"mvhd") + 8] ^= 1  # the time of creation: hashed, and read by no decoder
    (tmp_path / "broken.mp4").write_bytes(content)

    with open_press(home) as pipeline, pytest.raises(RequestInvalid, match="do not fit it"):
        pipeline.run(ProtectRequest(tmp_path / "broken.mp4", tmp_path / "again.mp4"))

    assert not (tmp_path / "again.mp4").exists()


def test_a_clip_that_does_not_decode_to_its_end_is_not_taken(home: Home, tmp_path: Path) -> None:
    whole = drawn_video(tmp_path / "in.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 7 // 10])

    with open_press(home) as pipeline, pytest.raises(UnreadableMedia, match=r"^cut\.mp4 "):
        pipeline.run(ProtectRequest(tmp_path / "cut.mp4", tmp_path / "out.mp4"))

    assert left_over(home) == []


def test_protecting_a_clip_that_has_credentials_keeps_its_history(
    home: Home, tmp_path: Path
) -> None:
    first = released_clip(home, tmp_path)

    with open_press(home) as pipeline:
        second = pipeline.run(ProtectRequest(first.path, tmp_path / "second.mp4"))

    assert isinstance(second, Released)
    trust = TrustLists.load(claim=(home.root_certificate,), timestamp=(home.timestamp_root,))
    facts = examine(second.path, trust).facts
    assert facts is not None
    assert facts.ingredients[0].relationship == "parentOf"
    assert facts.ingredients[0].manifest_label == first.entry.record.body["manifest_label"]


def test_the_attempt_names_the_code_that_takes_part(home: Home, tmp_path: Path) -> None:
    released = released_clip(home, tmp_path)

    with opened_log(home) as ledger:
        attempt = ledger.find_by_attempt(str(released.entry.record.attempt))[0].record

    assert isinstance(attempt.body["plug_ins"], list)
    taking_part = {(p["group"], p["name"], p["distribution"]) for p in attempt.body["plug_ins"]}
    assert ("countermark.watermarkers", "tile", "countermark") in taking_part
    assert ("countermark.prompt_classifiers", "lexicon", "countermark") in taking_part
