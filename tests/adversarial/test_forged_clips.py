"""The attacker against `verify`: every forgery ends with the status that is named here."""

import random
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from audit.errors import LedgerDamaged
from audit.home import Home
from audit.report import LayerState
from audit.settings import ReadSettings
from audit.status import Status
from audit.wiring import open_verifier
from generator.journey import Ticket
from generator.outcome import Released
from generator.progress import nobody
from generator.request import ProtectRequest
from provenance.clip import MappedClip, StillClip
from provenance.payload import MarkId
from provenance.video import Encoding, MediaLimits, open_video, write_video
from tests.support import forgery
from tests.support.drawing import drawn_video
from tests.support.press import new_home, open_press, opened_verifier, released_clip

PLATFORM = Encoding(crf=20, preset="fast", threads=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forged")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def ours(home: Home, folder: Path) -> Released:
    return released_clip(home, folder, name="ours", seed=7)


@pytest.fixture(scope="module")
def other(home: Home, folder: Path) -> Released:
    return released_clip(home, folder, name="other", seed=23)


def status_of(home: Home, path: Path) -> Status:
    with opened_verifier(home) as verifier:
        return verifier.verify(path).status


def reencoded(source: Path, target: Path) -> Path:
    write_video(open_video(source, MediaLimits()), target, PLATFORM)
    return target


def test_one_flipped_bit_anywhere_is_never_intact(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    content = ours.path.read_bytes()
    draw = random.Random(2)
    target = tmp_path / "flipped.mp4"
    # A newsroom's: with the log at hand the file's digest alone would give every flip away.
    newsroom = open_verifier(
        ReadSettings(),
        home=None,
        ledger=None,
        claim_trust=[home.root_certificate],
        timestamp_trust=[home.timestamp_root],
    )

    assert newsroom.verify(ours.path).status is Status.INTACT
    for _ in range(20):  # 2,000 of them: benchmarks/bit_flips.py
        at, bit = draw.randrange(len(content)), draw.randrange(8)
        target.write_bytes(forgery.flipped(content, at, bit))
        report = newsroom.verify(target)
        assert report.status in {Status.ALTERED, Status.UNREADABLE}, (at, bit, report.why)


def test_a_manifest_moved_to_another_clips_pictures_is_contradicted(
    home: Home, ours: Released, other: Released, tmp_path: Path
) -> None:
    pictures = reencoded(other.path, tmp_path / "pictures.mp4")
    manifest_box = forgery.credentials_box_of(ours.path)
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(
        pictures.read_bytes() + ours.path.read_bytes()[manifest_box.start : manifest_box.end]
    )

    with opened_verifier(home) as verifier:
        report = verifier.verify(moved)

    assert report.status is Status.CONTRADICTED
    assert report.watermark.state is LayerState.CONFLICT
    assert report.watermark.evidence["mark_id"] == other.mark_id


def test_our_signature_without_our_record_is_contradicted(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    """A stolen signing key, without the log: it can sign, and nobody recorded a release."""
    with open_press(home) as pipeline:
        source = pipeline.sources.of(
            ProtectRequest(ours.path.with_name("ours-source.mp4"), tmp_path / "x.mp4"), tmp_path
        )
        ticket = Ticket(
            pipeline.journal.new_id(), pipeline.journal.new_id(), tmp_path, tmp_path / "x.mp4"
        )
        journey = pipeline.journal.open(source, ticket, "thief", nobody)
        obtained = source.obtain(journey)
        marked = pipeline.marking.mark(obtained.clip, MarkId.random(), journey)
        signed = pipeline.signing.sign(marked, obtained, ours.entry, tmp_path)
        journey.refuse(ours.verdicts[0])

    with opened_verifier(home) as verifier:
        report = verifier.verify(signed.path)

    assert report.status is Status.CONTRADICTED
    assert report.log.state is LayerState.CONFLICT


def test_a_mark_of_ours_that_was_never_logged_is_contradicted(home: Home, tmp_path: Path) -> None:
    """Somebody with the mark's key, and without the log."""
    source = open_video(drawn_video(tmp_path / "in.mp4"), MediaLimits())
    with open_press(home) as pipeline:
        mark = pipeline.marking.watermarker
        forged = MappedClip(
            source, lambda frames: mark.embed(frames, MarkId.random(), strength=1.0)
        )
        write_video(forged, tmp_path / "forged.mp4", PLATFORM)

    assert status_of(home, tmp_path / "forged.mp4") is Status.CONTRADICTED


def test_an_honest_crop_and_a_mirror_are_stripped_and_never_accused(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    video = open_video(ours.path, MediaLimits())
    cropped = StillClip(np.stack([frame.rgb[20:220, 30:300] for frame in video.frames()]), 16)
    write_video(cropped, tmp_path / "crop.mp4", PLATFORM)
    mirrored = MappedClip(video, lambda fs: (np.ascontiguousarray(rgb[:, ::-1]) for rgb in fs))
    write_video(mirrored, tmp_path / "mirror.mp4", PLATFORM)

    for name in ("crop.mp4", "mirror.mp4"):
        with opened_verifier(home) as verifier:
            report = verifier.verify(tmp_path / name)
        assert report.status is Status.STRIPPED, name
        assert report.watermark.evidence["mark_id"] == ours.mark_id


def test_hidden_bytes_in_boxes_that_c2pa_leaves_out_are_altered(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    """Both C2PA verifiers call these Trusted."""
    content = ours.path.read_bytes()
    forged = tmp_path / "forged.mp4"

    for hidden in (
        forgery.with_appended_free_box(content, b"smuggled" * 100),
        forgery.with_second_credentials_box(content, purpose=b"manifest", hidden=b"x" * 64),
        forgery.hidden_in_padding(ours.path, b"secret"),
    ):
        forged.write_bytes(hidden)
        assert status_of(home, forged) is Status.ALTERED


def test_credentials_hidden_by_renaming_their_box_are_altered_and_lead_to_the_record(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    renamed = tmp_path / "renamed.mp4"
    renamed.write_bytes(forgery.renamed_credentials_box(ours.path))

    with opened_verifier(home) as verifier:
        report = verifier.verify(renamed)

    assert report.status is Status.ALTERED
    assert ours.entry.index in [line.index for line in report.records]


def test_the_boxes_around_the_credentials_moved_without_a_byte_changed_are_altered(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    """Both C2PA verifiers call it Trusted, and the log is not asked."""
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(forgery.with_free_box_first(ours.path))

    verifier = open_verifier(
        ReadSettings(),
        home=None,
        ledger=None,
        claim_trust=[home.root_certificate],
        timestamp_trust=[home.timestamp_root],
    )

    assert verifier.verify(ours.path).status is Status.INTACT
    assert verifier.verify(moved).status is Status.ALTERED


def test_verifying_against_an_edited_log_says_that_the_log_is_damaged(
    home: Home, ours: Released, tmp_path: Path
) -> None:
    edited = Home(tmp_path / "edited")
    shutil.copytree(home.path, edited.path)
    with sqlite3.connect(edited.path / "ledger.db") as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE record SET file_sha256 = ? WHERE file_sha256 = ?", ("0" * 64, ours.sha256)
        )
    database.close()

    with opened_verifier(edited) as verifier, pytest.raises(LedgerDamaged, match="was changed"):
        verifier.verify(ours.path)
