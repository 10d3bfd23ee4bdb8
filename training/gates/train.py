"""Train the head of the classifier `minilm`.

    python -m training.gates.train --data FOLDER

Some five minutes on one core, nearly all of them for the vectors, which are kept in training/runs.
The same data gives the same head on the same machine and software. It writes
safety/classifiers/minilm_head.npz and prints its digest, which stands in
safety/classifiers/minilm.py.

What it learns from: harmful and harmless scenes (scenes.toml), and public harmless prompts (VBench
short and long, PartiPrompts); of long ones also the windows. What a score is worth is told by
windows of harmless prompts that the head did not see: those of the training sets, each from a fit
without it, and those of two sets that no fit sees (EvalCrafter, VBench extended for Wan).
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from safety.classifiers.kernel_head import KernelHead, tail_table
from safety.classifiers.minilm import RULES
from safety.classifiers.minilm_encoder import (
    MOST_TOKENS,
    VOCABULARY_SHA256,
    WEIGHTS_SHA256,
    MiniLM,
)
from safety.classifiers.windows import stretches
from training.gates.scenes import public, scenes

HEAD = Path(__file__).parents[2] / "safety" / "classifiers" / "minilm_head.npz"
RUNS = Path(__file__).parents[1] / "runs" / "gates"
LEARNT = ("benign_vbench", "benign_parti", "benign_vbench_category_longer")
HELD_OUT = ("benign_evalcrafter_dev", "benign_vbench_wan_extended")

# Chosen on t2v_dev against EvalCrafter among gamma 1 and 2, penalties .03 to 1, 512 to 1,500
# landmarks, one head of all kinds or two.
GAMMA = 2.0
PENALTY = 0.1
KINDS_PENALTY = 10.0
LANDMARKS = 1200
FOLDS = 5
BEYOND = 0.02  # of a kind's windows: from there on its tail is drawn
SEED = 20261126
STEPS = 150

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Read:
    """The stretches of some texts.

    Attributes:
        vectors: (stretches, 384).
        owners: number of the text that each belongs to.
    """

    vectors: Float
    owners: NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().data
    torch.set_num_threads(1)
    encoder = MiniLM(threads=1)
    rows = scenes()
    harmful = sorted({row.kind for row in rows if row.kind})
    scene_vectors = _vectors(encoder, [row.text for row in rows])
    scene_kinds = np.array([harmful.index(row.kind) + 1 if row.kind else 0 for row in rows])
    learnt = [_read(encoder, public(folder, name)) for name in LEARNT]
    held_out = [_read(encoder, public(folder, name)) for name in HELD_OUT]
    head = fit(scene_vectors, scene_kinds, [each.vectors for each in learnt])
    tails = [head.raw(each.vectors) for each in held_out]
    tails += _crossed(scene_vectors, scene_kinds, learnt)
    levels, shares = tail_table(tails, BEYOND)
    _keep(head, [kind.value for kind in harmful], levels, shares)
    print(f'HEAD_SHA256 = "{hashlib.sha256(HEAD.read_bytes()).hexdigest()}"')


def _vectors(encoder: MiniLM, texts: Sequence[str]) -> Float:
    return encoder.vectors([encoder.tokens(text).ids for text in texts])


def _read(encoder: MiniLM, texts: Sequence[str]) -> Read:
    """Return the vectors of all stretches of texts, from an earlier run where there is one."""
    reader = f"{WEIGHTS_SHA256} {VOCABULARY_SHA256} {RULES}"
    digest = hashlib.sha256("\0".join([reader, *texts]).encode()).hexdigest()
    kept = RUNS / f"{digest[:16]}.npz"
    if not kept.exists():
        parts, owners = [], []
        for number, text in enumerate(texts):
            tokens = encoder.tokens(text)
            for start, end in stretches(text, tokens.spans, most=MOST_TOKENS):
                parts.append(tokens.ids[start:end])
                owners.append(number)
        RUNS.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".unfinished.npz")
        np.savez(unfinished, vectors=encoder.vectors(parts), owners=np.array(owners))
        unfinished.replace(kept)
    with np.load(kept) as file:
        return Read(file["vectors"], file["owners"])


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head before it knows what its values are worth."""

    landmarks: NDArray[np.float16]
    harm: Float
    harm_bias: float
    kinds: Float
    kinds_bias: Float

    def raw(self, vectors: Float) -> Float:
        """Return how harmful each vector is, in logarithms of odds."""
        near = _near(vectors, self.landmarks.astype(np.float32))
        return np.asarray(near @ self.harm + self.harm_bias, np.float32)


def fit(scene_vectors: Float, scene_kinds: NDArray[np.int64], harmless: Sequence[Float]) -> Fitted:
    """Fit a head to scenes and to harmless vectors."""
    vectors = np.concatenate([scene_vectors, *harmless])
    kinds = np.concatenate([scene_kinds, np.zeros(len(vectors) - len(scene_kinds), np.int64)])
    chance = np.random.default_rng(SEED)
    chosen = [
        chance.permutation(np.flatnonzero(side))[: LANDMARKS // 2]
        for side in (kinds > 0, kinds == 0)
    ]
    landmarks = vectors[np.concatenate(chosen)].astype(np.float16)
    basis = _basis(landmarks.astype(np.float32))
    features = _near(vectors, landmarks.astype(np.float32)) @ basis
    is_harm = (kinds > 0).astype(np.int64)
    # Harmful and harmless weigh the same, however many there are of each.
    weights = np.where(is_harm, 1.0, is_harm.sum() / (1 - is_harm).sum()).astype(np.float32)
    harm, harm_bias = _logistic(features, is_harm, weights, PENALTY)
    only = kinds > 0
    told, told_bias = _logistic(
        vectors[only], kinds[only] - 1, np.ones(only.sum(), np.float32), KINDS_PENALTY
    )
    return Fitted(
        landmarks,
        basis @ (harm[:, 1] - harm[:, 0]),
        float(harm_bias[1] - harm_bias[0]),
        told,
        told_bias,
    )


def _near(vectors: Float, landmarks: Float) -> Float:
    return np.exp(-GAMMA * (2 - 2 * vectors @ landmarks.T)).astype(np.float32)


def _basis(landmarks: Float) -> Float:
    """Return the map to coordinates in which likeness is a scalar product (Nystroem)."""
    values, vectors = np.linalg.eigh(_near(landmarks, landmarks).astype(np.float64))
    return np.asarray(vectors / np.sqrt(np.maximum(values, 1e-4)), np.float32)


def _logistic(
    features: Float, classes: NDArray[np.int64], weights: Float, penalty: float
) -> tuple[Float, Float]:
    """Return the weights and what is added, (features, classes) and (classes,)."""
    inputs, targets, weighing = map(torch.from_numpy, (features, classes, weights))
    count = int(classes.max()) + 1
    matrix = torch.zeros(features.shape[1], count, requires_grad=True)
    added = torch.zeros(count, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [matrix, added], max_iter=STEPS, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> float:
        optimiser.zero_grad()
        each = torch.nn.functional.cross_entropy(inputs @ matrix + added, targets, reduction="none")
        total = (each * weighing).sum() + penalty / 2 * matrix.square().sum()
        total.backward()
        return float(total.detach())

    optimiser.step(loss)
    return matrix.detach().numpy(), added.detach().numpy()


def _crossed(
    scene_vectors: Float, scene_kinds: NDArray[np.int64], learnt: Sequence[Read]
) -> list[Float]:
    """Return the values of each learnt set, every text from a fit that did not see it."""
    found = [np.zeros(len(each.vectors), np.float32) for each in learnt]
    for fold in range(FOLDS):
        left_out = [each.owners % FOLDS == fold for each in learnt]
        rest = [each.vectors[~out] for each, out in zip(learnt, left_out, strict=True)]
        head = fit(scene_vectors, scene_kinds, rest)
        for values, each, out in zip(found, learnt, left_out, strict=True):
            values[out] = head.raw(each.vectors[out])
    return found


def _keep(head: Fitted, kinds: Sequence[str], levels: Float, tails: Float) -> None:
    np.savez(
        HEAD,
        landmarks=head.landmarks,
        gamma=np.float32(GAMMA),
        harm=head.harm,
        harm_bias=np.float32(head.harm_bias),
        kinds=head.kinds,
        kinds_bias=head.kinds_bias,
        categories=np.array(kinds),
        levels=levels,
        tails=tails,
    )
    KernelHead.parse(HEAD.read_bytes())


if __name__ == "__main__":
    main()
