"""The issuer recognises marks that nobody could read: they lead to the record, as others do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.home import Home
from audit.recognition import IssuedMarks
from audit.report import LayerState, Origin
from audit.status import Status
from audit.wiring import own_mark_keys
from generator.outcome import Released
from generator.settings import Settings
from generator.wiring import open_marking
from provenance.clip import StillClip
from provenance.examination import Question, examine_confined
from provenance.payload import MarkId
from provenance.video import Encoding, MediaLimits, open_video, write_video
from provenance.watermark import MarkState, Reading
from tests.support import textured
from tests.support.press import new_home, opened_verifier, released_clip


def worn_out(home: Home, released: Released, folder: Path) -> Path:
    """Encode a clip worse and worse, until no id can be read out of it."""
    with opened_verifier(home) as verifier:
        question = Question(verifier.media_limits, verifier.trust, verifier.mark_keys)
        for crf in range(34, 46):
            path = folder / f"{released.mark_id}-{crf}.mp4"
            write_video(open_video(released.path, MediaLimits()), path, Encoding(crf=crf))
            (mark,) = examine_confined(path, question, verifier.process_limits).marks
            if mark.mark_id is None:
                return path
    raise AssertionError("the mark was read from every copy")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("recognition") / "home")


@pytest.fixture(scope="module")
def released(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Released:
    return released_clip(home, tmp_path_factory.mktemp("clips"), name="kept")


@pytest.fixture(scope="module")
def worn(home: Home, released: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worn_out(home, released, tmp_path_factory.mktemp("worn"))


def test_a_mark_that_is_too_worn_to_be_read_still_leads_to_its_record(
    home: Home, released: Released, worn: Path
) -> None:
    with opened_verifier(home) as verifier:
        question = Question(verifier.media_limits, verifier.trust, verifier.mark_keys)
        alone = examine_confined(worn, question, verifier.process_limits)
        report = verifier.verify(worn)

    (search,) = report.watermark.evidence["searches"]
    assert alone.marks[0].mark_id is None
    assert report.status is Status.STRIPPED
    assert report.watermark.evidence["mark_id"] == released.mark_id
    assert report.watermark.state is LayerState.ESTABLISHED
    assert (search["state"], search["reading"]) == (MarkState.FOUND, Reading.ISSUED)
    assert "words" not in search


def test_without_a_log_nothing_is_recognised(home: Home, worn: Path) -> None:
    with opened_verifier(home) as verifier:
        report = replace(verifier, ledger=None).verify(worn)

    assert report.watermark.evidence["mark_id"] is None


def test_ids_that_are_issued_later_are_recognised_by_the_same_index(
    home: Home, released: Released, worn: Path, tmp_path: Path
) -> None:
    issued = IssuedMarks()
    with opened_verifier(home) as verifier:
        question = Question(verifier.media_limits, verifier.trust, verifier.mark_keys)
        before = examine_confined(worn, question, verifier.process_limits).marks
        first = issued.recognise(verifier.ledger, before, verifier.mark_keys)
        later = released_clip(home, tmp_path, name="later", seed=8)
        target = worn_out(home, later, tmp_path)
        after = examine_confined(target, question, verifier.process_limits).marks
        second = issued.recognise(verifier.ledger, after, verifier.mark_keys)

    assert [str(mark.mark_id) for mark in first] == [released.mark_id]
    assert [str(mark.mark_id) for mark in second] == [later.mark_id]


def test_a_faint_copy_on_other_pictures_leads_nowhere_and_accuses_nobody(
    home: Home, released: Released, tmp_path: Path
) -> None:
    """The id is recognised, because it was issued: that is why it may not count by itself."""
    settings = Settings.load(home.settings)
    marker = open_marking(settings, own_mark_keys(home, settings)[0].key).watermarker
    mark_id = MarkId.from_hex(released.mark_id)
    others = textured.clip(frames=20, height=240, width=416, seed=1)
    with opened_verifier(home) as verifier:
        question = Question(verifier.media_limits, verifier.trust, verifier.mark_keys)
        for strength in (0.7, 0.65, 0.6, 0.55, 0.5):  # the first that no search reads
            path = tmp_path / f"{strength}.mp4"
            faint = list(marker.embed(others, mark_id, strength=strength))
            write_video(StillClip(np.stack(faint), 16), path, Encoding(crf=28))
            (seen,) = examine_confined(path, question, verifier.process_limits).marks
            if seen.mark_id is None:
                break
        report = verifier.verify(path)

    (search,) = report.watermark.evidence["searches"]
    assert (search["mark_id"], search["reading"]) == (released.mark_id, Reading.ISSUED)
    assert report.status is Status.UNKNOWN
    assert report.origin is Origin.UNKNOWN
    assert report.watermark.evidence["mark_id"] is None
    assert report.records == ()
