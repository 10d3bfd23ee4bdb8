"""Drawn clips as the fingerprint sees them."""

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np

from provenance.fingerprint.comparison import Mark
from provenance.fingerprint.glimpse import Glimpse, glimpse_of
from provenance.fingerprint.sampling import Sampler, Sighting
from provenance.watermark import Evidence, Geometry, Picture
from tests.support import textured

UNCHANGED = Geometry(1, 1, 0, mirrored=False, shift_x=0, shift_y=0)
EVERYWHERE = Evidence(frames_per_moment=4, moments=(9.0,) * 96, regions=((9.0,) * 5,) * 3)


def mark(
    geometry: Geometry = UNCHANGED, evidence: Evidence | None = EVERYWHERE, *, frame_rate: int = 16
) -> Mark:
    """Return a mark as a search would have found it, by default in the whole of a clip."""
    return Mark(geometry, evidence, Fraction(frame_rate))


def sighting(frames: Sequence[Picture], *, frame_rate: int = 16) -> Sighting:
    """Return what is kept of RGB frames."""
    sampler = Sampler(Fraction(frame_rate))
    for frame in frames:
        sampler.offer(np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8))
    return sampler.sighting()


def glimpse(frames: Sequence[Picture], *, frame_rate: int = 16) -> Glimpse:
    """Return what of RGB frames leaves the process that examines them."""
    return glimpse_of(sighting(frames, frame_rate=frame_rate))


def here() -> list[Picture]:
    """Draw two seconds."""
    return textured.clip(frames=33, height=240, width=416, seed=3)


def elsewhere() -> list[Picture]:
    """Draw another place: the ground stands upright in it, and the ball rolls down."""
    turned = textured.clip(frames=33, height=416, width=240, seed=9)
    return [np.ascontiguousarray(np.rot90(frame)) for frame in turned]
