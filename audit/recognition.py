"""Which issued mark may it have been, where a search could not read the id itself?

The log knows every id that it issued, and holding what a search received against those few needs
less of the mark than reading it blind (`provenance.watermark.issued`). The ids are read once, and
then only what the log gained.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from audit.hints import mark_ids
from audit.reader import LedgerReader
from provenance.errors import MarkError, PayloadError
from provenance.examination import MarkKey, load_watermarker
from provenance.payload import MarkId
from provenance.watermark import Detection, Watermarker

Ids = NDArray[np.uint8]  # (ids, bytes of one), most significant byte first


@dataclass(slots=True)
class IssuedMarks:
    """The ids of a log's marks, by their bits; safe to use from several threads."""

    _known: dict[int, bytearray] = field(default_factory=dict)
    _last: int = -1
    _lock: Lock = field(default_factory=Lock)

    def recognise(
        self, ledger: LedgerReader | None, marks: Sequence[Detection], keys: Sequence[MarkKey]
    ) -> tuple[Detection, ...]:
        """Return the detections, with an issued id where one was not read and can be recognised.

        Args:
            ledger: our log, always the same one; None where it is not at hand.
            marks: what the searches came to.
            keys: that were searched with.
        """
        if ledger is None or not any(mark.words for mark in marks):
            return tuple(marks)
        markers = {(each.algorithm, each.key_id): each for each in _opened(keys)}
        return tuple(
            self._recognised(ledger, mark, markers.get((mark.algorithm, mark.key_id)))
            for mark in marks
        )

    def _recognised(
        self, ledger: LedgerReader, mark: Detection, marker: Watermarker | None
    ) -> Detection:
        if marker is None or not mark.words:
            return mark
        try:
            return marker.recognise(mark, self._issued(ledger, marker.payload_bits))
        except MarkError:
            return mark  # a child that was taken over leaves any words

    def _issued(self, ledger: LedgerReader, bits: int) -> Ids:
        with self._lock:
            for index, text in mark_ids(ledger, after=self._last):
                self._last = index
                try:
                    mark_id = MarkId.from_hex(text)
                except PayloadError:
                    continue  # a damaged row: `log check` says so, and it leads nowhere
                self._known.setdefault(mark_id.bits, bytearray()).extend(bytes.fromhex(text))
            known = bytes(self._known.get(bits, b""))
        return np.frombuffer(known, np.uint8).reshape(-1, bits // 8)


def _opened(keys: Sequence[MarkKey]) -> Iterator[Watermarker]:
    for key in keys:
        try:
            yield load_watermarker(key.method, key.secret)
        except MarkError:
            continue  # the examination has said so
