"""Clips of the packaged model, at the size and length that it makes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generator.models import GenerationRequest
from generator.models.shipped import DIGEST, folder
from generator.models.wan import load
from generator.presets import tiny


def generated(prompt: str) -> Sequence[NDArray[np.uint8]]:
    """Return the frames (height, width, 3) that countermark-tiny draws for a prompt."""
    asked = tiny().limits
    request = GenerationRequest(
        prompt, "", asked.width, asked.height, asked.frames, asked.fps, asked.steps, seed=7
    )
    return list(
        load(folder(), tiny(), digest=DIGEST).generate(request, on_step=lambda _: None).frames
    )
