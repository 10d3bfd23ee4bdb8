"""May this prompt be generated, may these frames leave? Open `safety.gate` first.

Takes text and frames, gives a `Verdict`, and knows nothing of the rest of the house. Importing it
loads no model; classifiers are found by entry point when a gate is opened.
"""

from safety.categories import Category
from safety.classifiers import (
    FrameClassifier,
    Loaded,
    PromptClassifier,
    Scored,
    load_frame_classifiers,
    load_prompt_classifiers,
)
from safety.errors import (
    ClassifierFailed,
    ClassifierUnavailable,
    InputUnexaminable,
    PolicyInvalid,
    SafetyError,
)
from safety.gate import FrameGate, PromptGate
from safety.policy import Policy, shipped_policies
from safety.sampling import SamplingPlan
from safety.settings import SafetySettings
from safety.verdict import (
    ClassifierRun,
    Decision,
    Examined,
    Finding,
    FrameMoment,
    Stage,
    TextSpan,
    Verdict,
)

__all__ = [
    "Category",
    "ClassifierFailed",
    "ClassifierRun",
    "ClassifierUnavailable",
    "Decision",
    "Examined",
    "Finding",
    "FrameClassifier",
    "FrameGate",
    "FrameMoment",
    "InputUnexaminable",
    "Loaded",
    "Policy",
    "PolicyInvalid",
    "PromptClassifier",
    "PromptGate",
    "SafetyError",
    "SafetySettings",
    "SamplingPlan",
    "Scored",
    "Stage",
    "TextSpan",
    "Verdict",
    "load_frame_classifiers",
    "load_prompt_classifiers",
    "shipped_policies",
]
