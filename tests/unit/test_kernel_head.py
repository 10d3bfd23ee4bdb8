"""The head: a score rises with what is seen, falls with how much was looked at, and is a share."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety import Category
from safety.classifiers.kernel_head import KernelHead, tail_table


def content(**changed: object) -> bytes:
    chance = np.random.default_rng(1)
    landmarks = chance.normal(size=(5, 8))
    levels, tails = tail_table([chance.normal(size=4000).astype(np.float32)], 0.02)
    parts: dict[str, object] = {
        "landmarks": landmarks / np.linalg.norm(landmarks, axis=1, keepdims=True),
        "gamma": 2.0,
        "harm": chance.normal(size=5).astype(np.float32),
        "harm_bias": 0.5,
        "kinds": chance.normal(size=(8, 2)).astype(np.float32),
        "kinds_bias": np.zeros(2, np.float32),
        "categories": np.array(["hate", "self_harm"]),
        "levels": levels,
        "tails": tails,
        **changed,
    }
    file = io.BytesIO()
    np.savez(file, **parts)  # type: ignore[arg-type]
    return file.getvalue()


HEAD = KernelHead.parse(content())
RAW = st.floats(min_value=-20, max_value=40)
WINDOWS = st.integers(min_value=1, max_value=1000)


@given(one=RAW, other=RAW, windows=WINDOWS)
def test_a_score_never_falls_when_more_is_seen(one: float, other: float, windows: int) -> None:
    low, high = sorted((one, other))

    assert 0 <= HEAD.score(low, windows) <= HEAD.score(high, windows) <= 1


@given(raw=RAW, one=WINDOWS, other=WINDOWS)
def test_a_score_never_rises_with_how_much_was_looked_at(raw: float, one: int, other: int) -> None:
    few, many = sorted((one, other))

    assert HEAD.score(raw, few) >= HEAD.score(raw, many)


@pytest.mark.parametrize("share", [0.9, 0.95, 0.99])
def test_a_score_is_the_share_of_harmless_texts_that_say_less(share: float) -> None:
    harmless = np.random.default_rng(2).normal(size=20_000)

    reached = np.mean([HEAD.score(float(raw), 1) >= share for raw in harmless])

    assert reached == pytest.approx(1 - share, rel=0.35)


def test_far_out_a_score_rather_promises_too_little() -> None:
    harmless = np.random.default_rng(2).normal(size=20_000)

    reached = np.mean([HEAD.score(float(raw), 1) >= 0.999 for raw in harmless])

    assert reached <= 0.001


def test_the_kind_of_text_counts_that_is_mistaken_most_often() -> None:
    chance = np.random.default_rng(3)
    calm = chance.normal(size=5000).astype(np.float32)
    wild = chance.normal(1, size=5000).astype(np.float32)

    together, alone = (
        KernelHead.parse(content(levels=levels, tails=tails))
        for levels, tails in (tail_table([calm, wild], 0.02), tail_table([wild], 0.02))
    )

    for raw in (1.5, 2.5, 3.5):
        assert together.score(raw, 1) == pytest.approx(alone.score(raw, 1), abs=0.02)


def test_the_likeliest_kind_has_nothing_taken_away_and_the_others_do() -> None:
    vectors = np.random.default_rng(4).normal(size=(20, 8)).astype(np.float32)

    harm, kinds = HEAD.read(vectors)

    assert harm.shape == (20,)
    assert kinds.shape == (20, 2)
    assert np.all(kinds.max(axis=1) == 0)
    assert np.all(kinds.min(axis=1) < 0)
    assert HEAD.categories == (Category.HATE, Category.SELF_HARM)


def test_a_head_that_would_run_code_is_refused() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        KernelHead.parse(content(categories=np.array([object()], dtype=object)))
