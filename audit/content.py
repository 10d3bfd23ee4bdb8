"""Do the pictures look like the record's? The fingerprint layer's question, asked of the log.

Where the bytes, the manifest or a mark lead to a released clip, the file's pictures are compared
with that clip's fingerprint, after undoing the geometry that its mark shows. Where nothing leads
anywhere and there are no credentials, the fingerprint itself is asked for clips that look alike.
Looking alike leads to a record and accuses nobody; only a positive difference contradicts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from audit.canonical import JsonValue
from audit.derived import fingerprint_in, value_in
from audit.findings import LogFinding
from audit.reader import Entry, LedgerReader
from audit.report import Origin
from audit.resemblance import Resemblance
from audit.status import Fingerprint, Log
from audit.stories import Entries, lines, released, story
from audit.vocabulary import RecordKind
from provenance.credentials import Presence
from provenance.errors import FingerprintError
from provenance.examination import Examination
from provenance.fingerprint import Answer, Comparison
from provenance.fingerprint.codes import load_video_code
from provenance.fingerprint.comparison import Mark, compare
from provenance.fingerprint.form import Fingerprint as Taken
from provenance.fingerprint.glimpse import Glimpse
from provenance.fingerprint.pdq import distances

_NO_CREDENTIALS = frozenset({Presence.ABSENT, Presence.ELSEWHERE})


@dataclass(frozen=True, slots=True)
class CodeCompared:
    """The record's ISCC Video-Code against one of the pictures at hand: shown, never relied on."""

    bits: int | None  # of 256 in which they differ; None where they could not be compared
    reason: str | None  # why not


@dataclass(frozen=True, slots=True)
class Compared:
    """One record's fingerprint against the file."""

    index: int  # of the `cleared` record
    clip_id: str
    comparison: Comparison
    pdq_bits: int  # in which the most alike two hashes of whole pictures differ
    video_code: CodeCompared


@dataclass(frozen=True, slots=True)
class ContentFinding:
    """What comparing the pictures came to."""

    answer: Fingerprint
    reason: str
    compared: tuple[Compared, ...] = ()
    found: Entries = ()  # `released` records to which likeness alone leads
    recognised: frozenset[str] = frozenset()  # mark ids of those that were chosen among the issued


def look_at(
    seen: Examination, log: LogFinding, ledger: LedgerReader | None, resemblance: Resemblance
) -> ContentFinding:
    """Compare the pictures of a file with the records that they should be of, or look for some.

    Args:
        seen: what the file shows.
        log: where the other layers lead.
        ledger: our log; None where it is not at hand.
        resemblance: of that log.

    Raises:
        LedgerDamaged: a record that was found is not what was logged.
    """
    if ledger is None:
        return _unasked("no log is at hand to compare with")
    if seen.glimpse is None:
        return _unasked(seen.glimpse_problem or "there are no pictures to compare")
    if log.led_to:
        return _against(seen, seen.glimpse, _cleared(ledger, log.led_to))
    if log.log is not Log.NOT_FOUND or seen.credentials.presence not in _NO_CREDENTIALS:
        return _unasked("nothing leads to a record that it could be compared with")
    return _recognised(seen, seen.glimpse, ledger) or _alike(seen.glimpse, ledger, resemblance)


def with_content(
    log: LogFinding, content: ContentFinding, ledger: LedgerReader | None
) -> LogFinding:
    """Return what the log knows once the pictures were compared."""
    if content.found and ledger is not None:
        shown = lines(ledger, content.found)
        relied_on = log.relied_on | content.recognised
        return replace(
            log, log=Log.BY_CONTENT, origin=Origin.OURS, lines=shown, relied_on=relied_on
        )
    if content.answer is Fingerprint.DIFFERENT and log.log is Log.BY_CONTENT:
        # Only the mark says that it is ours, and the mark was copied.
        return replace(log, origin=Origin.OTHER if log.origin is Origin.OTHER else Origin.UNKNOWN)
    return log


def _against(seen: Examination, glimpse: Glimpse, cleared: Iterable[Entry]) -> ContentFinding:
    """Compare with the clips that other layers lead to."""
    compared = []
    for entry in cleared:
        taken = fingerprint_in(entry.record.body)
        if taken is not None:
            compared.append(_compared(entry, taken, glimpse, _mark(seen, entry)))
    if not compared:
        return _unasked("the record holds no fingerprint")
    # Different outranks a match: a file cannot be two clips.
    order = [Answer.DIFFERENT, Answer.MATCH, Answer.INCONCLUSIVE]
    decisive = min(compared, key=lambda each: order.index(each.comparison.answer)).comparison
    return ContentFinding(Fingerprint(decisive.answer.value), decisive.reason, tuple(compared))


def _recognised(seen: Examination, glimpse: Glimpse, ledger: LedgerReader) -> ContentFinding | None:
    """Compare with a clip whose mark was chosen among the issued: likeness must confirm it.

    The id was chosen because the log has it, so that the log has it is no evidence.
    """
    for mark in seen.marks:
        if mark.mark_id is None or mark.independent:
            continue
        told = ledger.find_by_mark(mark.mark_id.hex)
        clips = released(ledger, (e for entry in told for e in story(ledger, entry)))
        against = _against(seen, glimpse, _cleared(ledger, clips))
        if against.answer is Fingerprint.MATCH:
            return replace(against, found=clips, recognised=frozenset({mark.mark_id.hex}))
    return None


def _alike(glimpse: Glimpse, ledger: LedgerReader, resemblance: Resemblance) -> ContentFinding:
    """Look for released clips that the pictures are those of."""
    compared: list[Compared] = []
    found: list[Entry] = []
    for index in resemblance.nearest(ledger, glimpse):
        entry = ledger.get(index)
        taken, clips = fingerprint_in(entry.record.body), released(ledger, story(ledger, entry))
        if taken is None or not clips:
            continue  # never let out, or withdrawn
        each = _compared(entry, taken, glimpse, None)
        if each.comparison.answer is Answer.MATCH:
            compared.append(each)
            found += clips
    if not found:
        return ContentFinding(Fingerprint.NOT_FOUND, "no released clip looks like it as a whole")
    reason = "the pictures are those of a released clip"
    return ContentFinding(Fingerprint.MATCH, reason, tuple(compared), tuple(found))


def _compared(entry: Entry, taken: Taken, glimpse: Glimpse, mark: Mark | None) -> Compared:
    hashes = np.frombuffer(b"".join(moment.pdq for moment in taken.moments), np.uint8)
    bits = distances(hashes.reshape(len(taken.moments), -1), glimpse.hashes[:, 0])
    clip_id = str(entry.record.body["clip_id"])
    return Compared(
        index=entry.index,
        clip_id=clip_id,
        comparison=compare(taken, glimpse, mark),
        pdq_bits=int(bits.min()),
        video_code=code_compared(entry.record.body, glimpse),
    )


def code_compared(cleared: Mapping[str, JsonValue], glimpse: Glimpse) -> CodeCompared:
    """Compare the ISCC Video-Code in the body of a `cleared` record with the pictures at hand."""
    try:
        method = load_video_code()
        theirs = value_in(cleared, method.algorithm)
        if theirs is None:
            return CodeCompared(None, "the record holds no such code")
        times = glimpse.times_ms
        rate = (len(times) - 1) * 1000 / (times[-1] - times[0]) if len(times) > 1 else 1.0
        here = method.of_pictures(glimpse.pictures, rate)
        return CodeCompared(method.bits_between(theirs, here), None)
    except FingerprintError as error:
        return CodeCompared(None, str(error))


def _mark(seen: Examination, cleared: Entry) -> Mark | None:
    """Return what this clip's mark says of the pictures; None where it was not read."""
    mark = cleared.record.body["mark"]
    mark_id = mark.get("id") if isinstance(mark, dict) else None
    for each in seen.marks:
        if each.mark_id and each.mark_id.hex == mark_id and each.geometry and seen.media:
            return Mark(each.geometry, each.evidence, Fraction(seen.media.frame_rate))
    return None


def _cleared(ledger: LedgerReader, entries: Entries) -> list[Entry]:
    """Return the `cleared` records of the clips that entries speak of, each once."""
    found = {
        each.index: each
        for entry in entries
        for each in story(ledger, entry)
        if each.record.kind is RecordKind.CLEARED
    }
    return list(found.values())


def _unasked(reason: str) -> ContentFinding:
    return ContentFinding(Fingerprint.NOT_CHECKED, reason)
