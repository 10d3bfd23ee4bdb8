"""Fingerprints in the log: recorded, derived, looked up; and a column that somebody edits."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.bodies import FingerprintBody
from audit.derived import derive, fingerprint_in
from audit.errors import LedgerDamaged, LedgerLocked, RecordInvalid
from audit.hints import frame_hashes
from audit.integrity import ProblemKind
from audit.ledger import Entry, Ledger
from audit.reader import LedgerReader
from audit.records import RECORD_BYTES_LIMIT
from audit.resemblance import MOST_CLIPS, Resemblance
from provenance.fingerprint.form import ALGORITHM, MOST_BYTES, Fingerprint, Moment, most_moments
from provenance.fingerprint.glimpse import glimpse_of
from provenance.fingerprint.sampling import Sighting
from provenance.fingerprint.taking import fingerprint_of
from provenance.watermark import Picture
from tests.support import textured
from tests.support.clips_seen import elsewhere, here, sighting
from tests.support.logs import begin, cleared_body, log_body, open_log
from tests.support.tamper import as_owner


@pytest.fixture(scope="module")
def seen() -> Sighting:
    return sighting(here())


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return begin(open_log(tmp_path))


def body_of(taken: Fingerprint) -> FingerprintBody:
    return FingerprintBody(ALGORITHM, base64.b64encode(taken.encode()).decode())


def cleared(ledger: Ledger, number: int, *fingerprints: FingerprintBody) -> Entry:
    body = cleared_body(f"clip-{number}", number)
    return log_body(ledger, replace(body, fingerprints=fingerprints))


def test_a_record_gives_back_the_fingerprint_that_went_in(ledger: Ledger, seen: Sighting) -> None:
    taken = fingerprint_of(seen)
    other = FingerprintBody("io.iscc.v0", "ISCC:EMDTXSWQ")

    entry = cleared(ledger, 1, other, body_of(taken))

    assert fingerprint_in(ledger.get(entry.index).record.body) == taken
    assert derive(entry.record).frame_hashes == b"".join(taken.key_hashes())


def test_the_largest_fingerprint_leaves_a_record_room_for_verdicts(ledger: Ledger) -> None:
    rows, columns = 12, 32
    moments = tuple(
        Moment(1000 * i, 100, bytes([i]) * 32, bytes(rows * columns))
        for i in range(most_moments(rows, columns))
    )
    taken = replace(fingerprint_of(sighting(here()[:1])), rows=rows, columns=columns)

    entry = cleared(ledger, 1, body_of(replace(taken, moments=moments)))

    assert len(taken.encode()) <= MOST_BYTES
    assert len(entry.record.canonical) < RECORD_BYTES_LIMIT / 2


def begun_with(titles: Sequence[Picture], frames: Sequence[Picture]) -> list[Picture]:
    """Return a clip behind titles that lie the same way round when they are mirrored."""
    both = [np.ascontiguousarray(np.maximum(each, each[:, ::-1])) for each in titles]
    return [*both, *frames]


@pytest.mark.parametrize("value", ["AAAA", "not base64", base64.b64encode(b"CMFP\x01").decode()])
def test_a_value_that_is_no_fingerprint_is_refused_before_it_is_logged(value: str) -> None:
    with pytest.raises(RecordInvalid, match="in base64 was expected"):
        FingerprintBody(ALGORITHM, value)


def test_a_clip_is_found_among_others_and_whatever_the_log_gains_is_too(
    ledger: Ledger, seen: Sighting
) -> None:
    cleared(ledger, 1, body_of(fingerprint_of(sighting(elsewhere()))))
    resemblance = Resemblance()
    before = resemblance.nearest(ledger, glimpse_of(seen))

    entry = cleared(ledger, 2, body_of(fingerprint_of(seen)))

    assert before == ()
    assert resemblance.nearest(ledger, glimpse_of(seen)) == (entry.index,)


def test_hashes_that_were_read_before_the_log_broke_off_are_found_once_it_is_back(
    ledger: Ledger, seen: Sighting, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = cleared(ledger, 1, body_of(fingerprint_of(seen)))
    resemblance = Resemblance()

    def broken_off(log: LedgerReader, *, after: int) -> Iterator[tuple[int, bytes]]:
        yield from frame_hashes(log, after=after)
        raise LedgerLocked("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr("audit.resemblance.frame_hashes", broken_off)
        with pytest.raises(LedgerLocked):
            resemblance.nearest(ledger, glimpse_of(seen))

    assert resemblance.nearest(ledger, glimpse_of(seen)) == (entry.index,)


def test_a_clip_is_found_among_many_that_begin_with_the_same_titles(ledger: Ledger) -> None:
    titles = textured.clip(frames=8, height=240, width=416, seed=21)
    drawn = elsewhere()
    others = [begun_with(titles, drawn[at : at + 20]) for at in range(MOST_CLIPS + 2)]
    for number, frames in enumerate(others):
        cleared(ledger, number, body_of(fingerprint_of(sighting(frames))))
    wanted = begun_with(titles, here())
    entry = cleared(ledger, 99, body_of(fingerprint_of(sighting(wanted))))

    for laid in (wanted, [np.ascontiguousarray(frame[:, ::-1]) for frame in wanted]):
        assert Resemblance().nearest(ledger, glimpse_of(sighting(laid)))[0] == entry.index


def test_a_clip_is_found_behind_somebody_elses_many_pictures(
    ledger: Ledger, seen: Sighting
) -> None:
    entry = cleared(ledger, 1, body_of(fingerprint_of(seen)))
    show = [textured.clip(frames=1, height=240, width=416, seed=50 + n)[0] for n in range(12)]
    compiled = [frame for frame in show for _ in range(8)] + here()

    assert Resemblance().nearest(ledger, glimpse_of(sighting(compiled))) == (entry.index,)


def test_it_is_found_mirrored_and_lying_on_its_side(ledger: Ledger, seen: Sighting) -> None:
    entry = cleared(ledger, 1, body_of(fingerprint_of(seen)))

    for laid in (
        [np.ascontiguousarray(frame[:, ::-1]) for frame in here()],
        [np.ascontiguousarray(np.rot90(frame)) for frame in here()],
    ):
        assert Resemblance().nearest(ledger, glimpse_of(sighting(laid))) == (entry.index,)


def test_a_black_clip_is_not_looked_up(ledger: Ledger, seen: Sighting) -> None:
    cleared(ledger, 1, body_of(fingerprint_of(seen)))
    black = sighting(textured.plain(frames=20, grey=0))

    assert Resemblance().nearest(ledger, glimpse_of(black)) == ()


def test_a_hash_that_somebody_edits_is_found_by_the_check_and_never_believed(
    ledger: Ledger, seen: Sighting, tmp_path: Path
) -> None:
    entry = cleared(ledger, 1, body_of(fingerprint_of(sighting(elsewhere()))))
    with as_owner(tmp_path / "countermark.db") as connection:
        forged = b"".join(fingerprint_of(seen).key_hashes())
        connection.execute(
            "UPDATE record SET frame_hashes = ? WHERE idx = ?", (forged, entry.index)
        )

    (found,) = Resemblance().nearest(ledger, glimpse_of(seen))
    report = ledger.check()

    with pytest.raises(LedgerDamaged, match="frame_hashes"):
        ledger.get(found)
    assert [(each.kind, each.index) for each in report.problems] == [
        (ProblemKind.COLUMN, entry.index)
    ]
    assert len(report.problems[0].sentence) < 1000
