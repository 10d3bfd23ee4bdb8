"""A whole press in a temporary folder: a home, and a pipeline with real parts that need no model.

Only the frame classifier is small: it scores how bright a frame is. Everything else is what
`countermark protect` runs: lexicon, watermark, encoder, signatures, time-stamps, ledger.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audit.home import Home
from audit.ledger import Ledger
from audit.verifier import ClipVerifier
from audit.wiring import now, open_ledger, open_reader, open_verifier, own_mark_keys
from generator.declaring import declare, policy_text
from generator.gates import Gates
from generator.holding import Holding
from generator.models import VideoModel
from generator.outcome import Released
from generator.pipeline import Pipeline
from generator.request import ProtectRequest
from generator.settings import Settings
from generator.setup import NewHome, set_up
from generator.sources import Sources
from generator.wiring import open_journal, open_marking, open_signing, plug_ins
from provenance.keys import read_private
from safety.classifiers import FrameClassifier, load_prompt_classifiers
from safety.gate import FrameGate, PromptGate
from safety.policy import Policy
from tests.support.classifiers import frames_scored_by_brightness
from tests.support.drawing import drawn_video

# Frames brighter than 0.70 on average wait for a person, brighter than 0.85 are refused.
POLICY = """\
format = 1
name = "press"
version = "1"
description = "For the tests' press."
appeal = "Ask the tests."

[prompt]
classifiers = ["lexicon"]
[prompt.categories]
{lexicon}

[negative_prompt]
classifiers = []
[negative_prompt.categories]
sexual_content = "allow"

[input]
classifiers = ["chosen"]
[input.categories]
sexual_content = {{ review = 0.70, block = 0.85 }}

[output]
classifiers = ["chosen"]
[output.categories]
sexual_content = {{ review = 0.70, block = 0.85 }}
"""


def new_home(folder: Path, *, deployment: str = "press.example") -> Home:
    """Set up a home as `countermark init` does."""
    home = Home(folder)
    set_up(home, NewHome(organisation="Tests", deployment=deployment), now())
    return home


def press_gates(frame_classifier: FrameClassifier | None = None) -> Gates:
    """Return gates with the real lexicon and a frame classifier of the tests."""
    texts = [loaded.classifier for loaded in load_prompt_classifiers(("lexicon",))]
    rules = "\n".join(
        f"{category.value} = {{ review = 0.5, block = 0.9 }}"
        for category in sorted(texts[0].categories)
    )
    policy = Policy.parse(POLICY.format(lexicon=rules).encode(), source="press")
    frames = frame_classifier or frames_scored_by_brightness()
    return Gates(policy, PromptGate(policy, texts), FrameGate(policy, [frames]))


@contextmanager
def open_press(
    home: Home, *, gates: Gates | None = None, model: VideoModel | None = None
) -> Iterator[Pipeline]:
    """Open a pipeline over a home, as `generator.wiring.open_pipeline` does."""
    gates = gates or press_gates()
    settings = Settings.load(home.settings)
    sealing_key = read_private(home.sealing_key)
    signing = open_signing(home, settings, gates)
    with open_ledger(home, settings) as ledger:
        declare(ledger, [policy_text(gates.policy)], now())
        yield Pipeline(
            sources=Sources(model, settings.provenance, signing.trust),
            gates=gates,
            marking=open_marking(settings, own_mark_keys(home, settings)[0].key),
            signing=signing,
            holding=Holding(home.held, sealing_key),
            journal=open_journal(ledger, sealing_key, gates, plug_ins(settings, model)),
            private=home.private,
            clips=home.clips,
        )


@contextmanager
def opened_verifier(
    home: Home, *, claim_trust: Sequence[Path] = (), timestamp_trust: Sequence[Path] = ()
) -> Iterator[ClipVerifier]:
    """Open a verifier with everything that a home holds."""
    settings = Settings.load(home.settings)
    with open_reader(home, settings) as reader:
        yield open_verifier(
            settings,
            home=home,
            ledger=reader,
            claim_trust=claim_trust,
            timestamp_trust=timestamp_trust,
        )


@contextmanager
def opened_log(home: Home) -> Iterator[Ledger]:
    """Open a home's log with its key."""
    with open_ledger(home, Settings.load(home.settings)) as ledger:
        yield ledger


def released_clip(home: Home, folder: Path, *, name: str = "clip", seed: int = 7) -> Released:
    """Draw a clip and take it through the whole journey."""
    source = drawn_video(folder / f"{name}-source.mp4", seed=seed)
    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, folder / f"{name}.mp4"))
    if not isinstance(outcome, Released):
        raise TypeError(f"the drawn clip was not released: {outcome}")
    return outcome
