"""START READING HERE: the whole journey of a clip, on one screen.

    request ─► record ─► prompt gate ─► model ─► output gate ─► mark ─► encode ─► read back
                             │                        │
                       refused, held            refused, held
      ─► record `cleared` ─► sign, its proof inside ─► read back ─► record `released` ─► publish

`Pipeline.run` is that line as code, for clips that are generated and for clips that are brought. A
gate that stops a clip ends the journey with a value; whatever breaks ends it with an exception that
the log knows. No parameter leaves a step out.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audit.attempts import AttemptState
from audit.bodies import Cleared, Geometry, MarkBody
from audit.errors import AuditError
from audit.reader import Entry
from audit.vocabulary import Stage
from generator.gates import Gates
from generator.holding import Holding
from generator.journal import Journal, model_body
from generator.journey import Journey, Ticket
from generator.marking import MarkedClip, Marking
from generator.outcome import Held, Outcome, Refused, Released
from generator.private_folder import private_folder
from generator.progress import Phase, ProgressListener, nobody
from generator.publish import publish, refuse_taken
from generator.recording import fingerprint_bodies, verdict_body
from generator.request import Request
from generator.signing import SignedClip, Signing
from generator.sources import Obtained, Source, Sources
from provenance.errors import AuthorityUnavailable
from provenance.payload import MarkId
from safety.verdict import Decision, Verdict
from safety.verdict import Stage as GateStage


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
        6. Encode. 7. Read the mark back from what was encoded, and take its fingerprint. 8. Record
        `cleared`. 9. Sign, with the proof of that record inside. 10. Read back with both verifiers.
        11. Record `released`. 12. Publish.

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
        journey.enter(Stage.GENERATION, source.phase)
        obtained = source.obtain(journey)  # (3)
        journey.enter(Stage.OUTPUT, Phase.OUTPUT_GATE)
        seed = journey.entry.leaf_hash
        on_frames = self.gates.judge_clip(
            obtained.clip, stages=obtained.stages, seed=seed, tell=journey.tell
        )  # (4)
        if stop := journey.judged(*on_frames):
            return self._stop(journey, stop, obtained)
        journey.enter(Stage.MARK, Phase.MARKING)
        marked = self.marking.mark(
            obtained.clip, MarkId.random(bits=self.marking.watermarker.payload_bits), journey
        )  # (5) (6) (7)
        cleared = journey.clear(self._cleared(journey, obtained, marked))  # (8)
        journey.enter(Stage.SIGN, Phase.SIGNING)
        try:
            signed = self.signing.sign(marked, obtained, cleared, journey.folder)  # (9) (10)
        except AuthorityUnavailable as error:
            return self._wait(journey, marked, str(error))
        # Told before the release: a listener that cancels must not find the clip public afterwards.
        journey.enter(Stage.PUBLISH, Phase.PUBLISHING)
        released = journey.release(signed.body(journey.clip_id, cleared.index), signed.path)  # (11)
        publish(signed.path, journey.target, sha256=signed.sha256, attempt_id=journey.id)  # (12)
        journey.finish()
        return _released(journey, source, marked, signed, released)

    def _stop(self, journey: Journey, verdict: Verdict, obtained: Obtained | None) -> Outcome:
        """End a journey that a gate stopped: refused for good, or held for a person."""
        if verdict.decision is Decision.BLOCK:
            entry = journey.refuse(verdict)
            return Refused(entry, journey.clip_id, verdict, journey.verdicts)
        digest = None
        if obtained is not None and obtained.file is not None:
            digest = self.holding.seal(obtained.file, journey.id)
        elif obtained is not None:
            digest = self.holding.seal_clip(obtained.clip, journey.folder, journey.id)
        entry = self._hold(journey, "a person must decide", digest, verdict)
        return Held(entry, journey.clip_id, verdict.advice(), journey.verdicts)

    def _wait(self, journey: Journey, marked: MarkedClip, reason: str) -> Held:
        """Hold a cleared clip until the time-stamp authority answers again."""
        digest = self.holding.seal(marked.path, journey.id)
        entry = self._hold(journey, "no time-stamp", digest)
        return Held(entry, journey.clip_id, reason, journey.verdicts)

    def _hold(
        self, journey: Journey, reason: str, digest: str | None, verdict: Verdict | None = None
    ) -> Entry:
        """Record that the clip waits; a sealed clip that no record holds does not stay."""
        try:
            return journey.hold(reason, verdict=verdict, sealed_digest=digest)
        except AuditError:
            with suppress(AuditError):  # in doubt it stays, and recovery asks the log again
                if journey.state is not AttemptState.HELD:
                    self.holding.discard(journey.id)
            raise

    def _cleared(self, journey: Journey, obtained: Obtained, marked: MarkedClip) -> Cleared:
        verdicts = {verdict.stage: verdict_body(verdict) for verdict in journey.verdicts}
        on_texts = (GateStage.PROMPT, GateStage.NEGATIVE_PROMPT)
        shape = marked.shape
        return Cleared(
            clip_id=journey.clip_id,
            policy=self.gates.policy.digest,
            prompt_verdicts=tuple(verdicts[stage] for stage in on_texts if stage in verdicts),
            input_verdict=verdicts.get(GateStage.INPUT),
            output_verdict=verdicts[GateStage.OUTPUT],
            mark=MarkBody(marked.mark_id.hex, marked.algorithm, marked.key_id),
            media_digest=marked.media_digest,
            fingerprints=fingerprint_bodies(marked.fingerprint, marked.video_codes),
            geometry=Geometry(
                width=shape.width,
                height=shape.height,
                frames=marked.written.frames,
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
