"""The two gates as the journey uses them: texts in, clips in, verdicts out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.progress import Phase, Progress, ProgressListener
from provenance.clip import Clip
from safety.classifiers import load_frame_classifiers, load_prompt_classifiers
from safety.gate import FrameGate, PromptGate
from safety.normalize import views
from safety.policy import Policy
from safety.sampling import SamplingPlan
from safety.settings import SafetySettings
from safety.verdict import Stage, Verdict


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """Every text of a request that a gate must see, as it came and as the model reads it."""

    prompt: str
    as_model_sees: str
    negative_prompt: str = ""
    negative_as_model_sees: str = ""


@dataclass(frozen=True, slots=True)
class Gates:
    """Both gates under one snapshot of the policy. There is no journey without them."""

    policy: Policy
    prompt_gate: PromptGate
    frame_gate: FrameGate

    @classmethod
    def open(cls, settings: SafetySettings) -> "Gates":
        """Load the policy and the classifiers that it names.

        Raises:
            SafetyError: a part is missing; without it nothing can be decided and nothing is made.
        """
        policy = Policy.load(settings.policy)
        texts = load_prompt_classifiers(settings.prompt_classifiers, threads=settings.threads)
        frames = load_frame_classifiers(settings.frame_classifiers, threads=settings.threads)
        deadline_s = settings.classifier_deadline_s
        return cls(
            policy=policy,
            prompt_gate=PromptGate(
                policy, [loaded.classifier for loaded in texts], deadline_s=deadline_s
            ),
            frame_gate=FrameGate(
                policy, [loaded.classifier for loaded in frames], deadline_s=deadline_s
            ),
        )

    def judge_texts(self, texts: PromptTexts | None) -> tuple[Verdict, ...]:
        """Return the verdicts on prompt and negative prompt; none where no prompt is known."""
        return judge_texts(self.prompt_gate, texts) if texts else ()

    def judge_clip(
        self, clip: Clip, *, stages: Sequence[Stage], seed: bytes, tell: ProgressListener
    ) -> tuple[Verdict, ...]:
        """Return the verdicts on a clip's frames, one for each stage.

        Args:
            clip: what may leave.
            stages: what it is: something that was brought, something that leaves, or both.
            seed: 32 bytes fixed before the clip existed; long clips are sampled by it.
            tell: told frame by frame; raising in it stops the journey.
        """
        plan = SamplingPlan.for_times(clip.times_s(), seed=seed)
        return self.frame_gate.check_stages(_planned(clip, plan, tell), stages=stages, plan=plan)


def judge_texts(gate: PromptGate, texts: PromptTexts) -> tuple[Verdict, ...]:
    """Return the verdict on a prompt, and that on its negative prompt where there is one."""
    on_prompt = gate.check(texts.prompt, as_model_sees=texts.as_model_sees)
    if not texts.negative_prompt.strip():
        return (on_prompt,)
    on_negative = gate.check(
        texts.negative_prompt,
        as_model_sees=texts.negative_as_model_sees,
        stage=Stage.NEGATIVE_PROMPT,
        beside=views(texts.prompt, as_model_sees=texts.as_model_sees),
    )
    return (on_prompt, on_negative)


def _planned(
    clip: Clip, plan: SamplingPlan, tell: ProgressListener
) -> Iterator[tuple[int, float, NDArray[np.uint8]]]:
    wanted = set(plan.indices)
    time_base = clip.shape.time_base
    done = 0
    for index, frame in enumerate(clip.frames()):
        if index in wanted:
            done += 1
            tell(Progress(Phase.OUTPUT_GATE, done, len(plan.indices)))
            yield index, float(frame.ticks * time_base), frame.rgb
