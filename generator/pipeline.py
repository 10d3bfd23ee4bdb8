"""START READING HERE: the whole journey of a clip, on one screen.

    request ─► record ─► prompt gate ─► model ─► output gate ─► mark ─► encode ─► read back
                             │                        │
                       refused, held            refused, held
      ─► record `cleared` ─► sign, its proof inside ─► read back ─► record `released` ─► publish

`Pipeline.run` is that line as code, for clips that are generated and for clips that are brought. A
gate that stops a clip ends the journey with a value; whatever breaks ends it with an exception that
the log knows. No parameter leaves a step out.
"""

from dataclasses import dataclass
from pathlib import Path

from audit.bodies import Cleared, Geometry, MarkBody, Stage
from audit.reader import Entry
from generator.gates import Gates
from generator.holding import Holding
from generator.journal import Journal, model_body
from generator.journey import Journey, Ticket, private_folder
from generator.marking import MarkedClip, Marking
from generator.outcome import Held, Outcome, Refused, Released
from generator.progress import Phase, ProgressListener, nobody
from generator.publish import publish, refuse_taken
from generator.recording import verdict_body
from generator.request import Request
from generator.signing import SignedClip, Signing
from generator.sources import Obtained, Source, Sources
from provenance.errors import AuthorityUnavailable
from provenance.payload import MarkId
from safety.verdict import Decision, Verdict


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes requests to their outcome. Made by `generator.wiring.open_pipeline`."""

    sources: Sources
    gates: Gates
    marking: Marking
    signing: Signing
    holding: Holding
    journal: Journal
    private: Path  # working copies
    clips: Path  # where clips are published that were not asked for by place

    def run(self, request: Request, listener: ProgressListener = nobody) -> Outcome:
        """Return a released clip, a refusal or a held clip. Either way the log knows.

        1. Parse the request into effective values and record the attempt. 2. Prompt gate.
        3. Generate, or open the private copy of what was brought. 4. Output gate. 5. Mark.
        6. Encode. 7. Read the mark back from what was encoded. 8. Record `cleared`. 9. Sign, with
        the proof of that record inside. 10. Read back with both verifiers. 11. Record `released`.
        12. Publish.

        Raises:
            GenerationError, SafetyError, ProvenanceError, AuditError: what broke; nothing is public
                without its `released` record.
        """
        attempt_id = self.journal.new_id()
        target = request.target or self.clips / f"{attempt_id}.mp4"
        refuse_taken(target)
        with private_folder(self.private, attempt_id) as folder:
            source = self.sources.of(request, folder)
            ticket = Ticket(attempt_id, self.journal.new_id(), folder, target)
            with self.journal.open(source, ticket, request.asked_by, listener) as journey:  # (1)
                return self._travel(journey, source)

    def _travel(self, journey: Journey, source: Source) -> Outcome:
        journey.enter(Stage.PROMPT, Phase.PROMPT_GATE)
        if stop := journey.judged(*self.gates.judge_texts(source.texts)):  # (2)
            return self._stop(journey, stop, None)
        journey.enter(Stage.GENERATION, Phase.GENERATING)
        obtained = source.obtain(journey)  # (3)
        journey.enter(Stage.OUTPUT, Phase.OUTPUT_GATE)
        seed = journey.entry.leaf_hash
        verdict = self.gates.judge_clip(obtained.clip, seed=seed, tell=journey.tell)  # (4)
        if stop := journey.judged(verdict):
            return self._stop(journey, stop, obtained)
        journey.enter(Stage.MARK, Phase.MARKING)
        marked = self.marking.mark(obtained.clip, MarkId.random(), journey)  # (5) (6) (7)
        cleared = journey.clear(self._cleared(journey, obtained, marked))  # (8)
        journey.enter(Stage.SIGN, Phase.SIGNING)
        try:
            signed = self.signing.sign(marked, obtained, cleared, journey.folder)  # (9) (10)
        except AuthorityUnavailable as error:
            return self._wait(journey, marked, str(error))
        released = journey.release(signed.body(journey.clip_id, cleared.index), signed.path)  # (11)
        journey.enter(Stage.PUBLISH, Phase.PUBLISHING)
        publish(signed.path, journey.target, sha256=signed.sha256, attempt_id=journey.id)  # (12)
        journey.finish()
        return _released(journey, source, marked, signed, released)

    def _stop(self, journey: Journey, verdict: Verdict, obtained: Obtained | None) -> Outcome:
        """End a journey that a gate stopped: refused for good, or held for a person."""
        if verdict.decision is Decision.BLOCK:
            entry = journey.refuse(verdict)
            return Refused(entry, journey.clip_id, verdict, journey.verdicts)
        digest = None
        if obtained is not None:
            digest = self.holding.seal(obtained.keep(journey.folder), journey.id)
        entry = journey.hold("a person must decide", verdict=verdict, sealed_digest=digest)
        return Held(entry, journey.clip_id, verdict.advice(), journey.verdicts)

    def _wait(self, journey: Journey, marked: MarkedClip, reason: str) -> Held:
        """Hold a cleared clip until the time-stamp authority answers again."""
        digest = self.holding.seal(marked.path, journey.id)
        entry = journey.hold("no time-stamp", sealed_digest=digest)
        return Held(entry, journey.clip_id, reason, journey.verdicts)

    def _cleared(self, journey: Journey, obtained: Obtained, marked: MarkedClip) -> Cleared:
        *on_texts, on_clip = journey.verdicts
        shape = obtained.clip.shape
        return Cleared(
            clip_id=journey.clip_id,
            policy=self.gates.policy.digest,
            prompt_verdicts=tuple(verdict_body(verdict) for verdict in on_texts),
            output_verdict=verdict_body(on_clip),
            mark=MarkBody(marked.mark_id.hex, marked.algorithm, marked.key_id),
            media_digest=marked.media_digest,
            fingerprints=(),
            geometry=Geometry(
                width=shape.width,
                height=shape.height,
                frames=marked.frames,
                fps_numerator=shape.frame_rate.numerator,
                fps_denominator=shape.frame_rate.denominator,
            ),
            making={**obtained.making, **marked.making},
            model=model_body(obtained.model),
            generated_by=obtained.generated_by,
        )


def _released(
    journey: Journey, source: Source, marked: MarkedClip, signed: SignedClip, entry: Entry
) -> Released:
    return Released(
        entry=entry,
        clip_id=journey.clip_id,
        mark_id=marked.mark_id.hex,
        path=journey.target,
        sha256=signed.sha256,
        verdicts=journey.verdicts,
        warnings=source.warnings,
    )
