"""Is this clip what its marks say? The numbered procedure behind `countermark verify`.

1. Size, type and SHA-256.               2. Content Credentials, by two verifiers and our own eyes.
3. Pictures: watermark, fingerprint.     4. The log: which records speak of this clip, also by a
                                            mark that only its issuer can recognise.
5. Do the layers speak of one clip?      6. Layer states, and the status from one table.
7. What could not be checked.

Steps 2 and 3 parse hostile bytes and run in a child process (`provenance.examination`); the rest is
look-ups in our own database and pure rules. Nothing here touches the network.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from audit import content, layers, status
from audit.findings import look_up
from audit.reader import LedgerReader
from audit.recognition import IssuedMarks
from audit.report import Layer, LayerState, Origin, Report
from audit.resemblance import Resemblance
from audit.status import Status
from provenance.errors import ExaminationFailed
from provenance.examination import MarkKey, Question, examine_confined
from provenance.sandbox import ProcessLimits
from provenance.trust import TrustLists
from provenance.video import MediaLimits


@dataclass(frozen=True, slots=True)
class ClipVerifier:
    """Verifies files with whatever lists, keys and log are at hand."""

    trust: TrustLists
    mark_keys: tuple[MarkKey, ...]
    ledger: LedgerReader | None
    media_limits: MediaLimits
    process_limits: ProcessLimits
    resemblance: Resemblance = field(default_factory=Resemblance)  # of the ledger
    issued: IssuedMarks = field(default_factory=IssuedMarks)  # likewise

    def verify(self, path: Path) -> Report:
        """Return what the evidence in a file comes to. The file is neither changed nor kept.

        Raises:
            UnreadableMedia: there is no such file.
            UnsupportedMedia: it is larger than we examine.
            ExaminationUnavailable: nothing can be examined here now; no file is to blame.
            LedgerDamaged: the log contradicts itself; its answers are worth nothing.
        """
        question = Question(self.media_limits, self.trust, self.mark_keys)
        try:
            seen = examine_confined(path, question, self.process_limits)  # (1) (2) (3)
        except ExaminationFailed as error:
            return _broken_off(path.name, str(error))
        marks = self.issued.recognise(self.ledger, seen.marks, self.mark_keys)
        seen = replace(seen, marks=marks)
        log = look_up(seen, self.ledger)  # (4) (5)
        alike = content.look_at(seen, log, self.ledger, self.resemblance)
        log = content.with_content(log, alike, self.ledger)
        rule = status.decide(layers.findings(seen, log, alike))  # (6)
        return Report(
            name=path.name,
            status=rule.status,
            why=rule.why,
            origin=log.origin,
            size=seen.size,
            sha256=seen.sha256,
            content_credentials=layers.content_credentials(seen, log),
            watermark=layers.watermark(seen, log, alike),
            fingerprint=layers.fingerprint(alike),
            log=layers.log_layer(log),
            records=log.lines,
            gaps=tuple(layers.gaps(seen, log, alike)),  # (7)
            versions=seen.versions,
        )


def _broken_off(name: str, reason: str) -> Report:
    """Report a file that broke the process that examined it: nothing can be said about it."""
    unknown = Layer(LayerState.NOT_CHECKED, reason, {})
    return Report(
        name=name,
        status=Status.UNREADABLE,
        why="the file broke the process that examined it",
        origin=Origin.UNKNOWN,
        size=None,
        sha256=None,
        content_credentials=unknown,
        watermark=unknown,
        fingerprint=unknown,
        log=unknown,
        records=(),
        gaps=(reason,),
        versions={},
    )
