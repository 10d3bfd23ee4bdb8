"""What a clip shows, read from its pixels alone: background, object colour, shape and motion.

The scorer knows the drawn world and nothing of the model or the caption. On freshly drawn clips it
is right in at least 99 of 100 for each factor (benchmarks/tiny_model.py), so that what it reports
of generated clips is the model's doing and not its own.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.tiny.world import RGB, Colour, Motion, Scene, Shape, distance

SCALE = 2  # pixels are averaged in blocks of this side: grain goes, shapes stay
BORDER = 6  # scaled pixels at the edge that show background
MIN_AREA = 0.008  # of the frame; less is no object
STILL_PIXELS = (
    24.0  # a moving object travels 80 to 110 pixels, 70 of them between the frames compared
)
MIN_OVERLAP = 0.45  # of mask and template (intersection over union); less is no shape that we know
EARLY, MIDDLE, LATE = (1, 3, 5), (12, 16, 20), (27, 29, 31)  # frames

Bools = NDArray[np.bool_]
Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the pixels show; None where nothing fits."""

    background: Colour
    colour: Colour | None
    shape: Shape | None
    motion: Motion | None

    def agrees(self, scene: Scene) -> dict[str, bool]:
        """Say for each factor whether it is the scene's."""
        return {
            "background": self.background is scene.background,
            "colour": self.colour is scene.colour,
            "shape": self.shape is scene.shape,
            "motion": self.motion is scene.motion,
        }


def look_at(frames: NDArray[np.uint8]) -> Seen:
    """Read a clip of (33, height, width, 3) levels.

    1. The background is the colour of most of the border, over the whole clip.
    2. The object is the largest patch that is nearer to another colour than to the background.
    3. Its shape is the template of equal area and centre that overlaps it best, in mid-clip.
    4. Its motion is where its centre goes from early to late frames.
    """
    background = _border_colour([_shrink(frames[i]) for i in (0, 16, 32)])  # (1)
    middle = [_object(_shrink(frames[i]), background) for i in MIDDLE]  # (2)
    found = [item for item in middle if item is not None]
    if not found:
        return Seen(background, None, None, None)
    names = [colour for _, colour in found]
    colour = max(set(names), key=names.count)
    shape = _shape([mask for mask, _ in found])  # (3)
    early, late = (_centre(frames, picked, background) for picked in (EARLY, LATE))
    motion = None if early is None or late is None else _heading(late - early)  # (4)
    return Seen(background, colour, shape, motion)


def wilson_lower(right: int, total: int, z: float = 1.96) -> float:
    """Return the lower end of Wilson's 95 % interval of a share."""
    share = right / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (centre - spread) / (1 + z * z / total)


def _shrink(frame: NDArray[np.uint8]) -> Levels:
    """Average blocks of SCALE x SCALE pixels and smooth a little."""
    height, width = frame.shape[:2]
    size = (width // SCALE, height // SCALE)
    small = cv2.resize(frame.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32)


def _border_colour(frames: list[Levels]) -> Colour:
    votes = np.zeros(len(Colour), int)
    for frame in frames:
        inner = frame[BORDER:-BORDER, BORDER:-BORDER]
        votes += np.bincount(_nearest(frame).ravel(), minlength=len(Colour))
        votes -= np.bincount(_nearest(inner).ravel(), minlength=len(Colour))
    return list(Colour)[int(votes.argmax())]


def _nearest(frame: Levels) -> NDArray[np.intp]:
    """Return the index of the nearest named colour of each pixel, whatever its brightness.

    Light changes brightness by up to 25 %, so a pixel is held against each colour at the brightness
    between 0.75 and 1.25 that fits best; black and white differ from the others by more than that.
    """
    errors = []
    for rgb in RGB.values():
        colour = np.asarray(rgb, np.float32)
        gain = np.clip(frame @ colour / (colour @ colour), 0.75, 1.25)  # (height, width)
        errors.append(np.square(frame - gain[..., None] * colour).sum(-1))
    return np.argmin(np.stack(errors), axis=0)


def _object(frame: Levels, background: Colour) -> tuple[Bools, Colour] | None:
    """Return the largest patch that is not background, and the colour of most of it."""
    names = _nearest(frame)
    ground = list(Colour).index(background)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((names != ground).astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    patch = labels == largest
    core = cv2.erode(patch.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    if core.sum() < MIN_AREA * core.size:
        return None
    votes = np.bincount(names[core], minlength=len(Colour))
    colour = list(Colour)[int(votes.argmax())]
    # Cut the patch half way between both colours as they are here: named colours alone would put
    # the edge of a blue object on red where purple begins.
    inside = frame[core & (names == list(Colour).index(colour))].mean(0)
    near = cv2.dilate(patch.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    outside = frame[~near].mean(0) if (~near).any() else frame[names == ground].mean(0)
    axis = inside - outside
    share = (frame - outside) @ axis / (axis @ axis)
    return (share > 0.5) & near, colour


def _centre(
    frames: NDArray[np.uint8], picked: tuple[int, ...], background: Colour
) -> NDArray[np.float64] | None:
    """Return the object's mean centre (x, y) in pixels over some frames."""
    found = [_object(_shrink(frames[i]), background) for i in picked]
    centres = [np.argwhere(item[0]).mean(0)[::-1] * SCALE for item in found if item is not None]
    return np.mean(centres, axis=0) if centres else None


def _heading(way: NDArray[np.float64]) -> Motion:
    x, y = way
    if math.hypot(x, y) < STILL_PIXELS:
        return Motion.STILL
    if abs(x) > abs(y):
        return Motion.RIGHT if x > 0 else Motion.LEFT
    return Motion.DOWN if y > 0 else Motion.UP


def _shape(masks: list[Bools]) -> Shape | None:
    overlaps = {shape: float(np.mean([_overlap(mask, shape) for mask in masks])) for shape in Shape}
    best = max(overlaps, key=overlaps.__getitem__)
    return best if overlaps[best] >= MIN_OVERLAP else None


def _overlap(mask: Bools, shape: Shape) -> float:
    """Return intersection over union with the shape of equal area and centre of mass."""
    grid = np.linspace(-2, 2, 161, dtype=np.float32)
    unit = distance(shape, *np.meshgrid(grid, grid), 1.0) < 0  # at radius 1
    area, offset = (
        unit.sum() * (grid[1] - grid[0]) ** 2,
        grid[np.argwhere(unit).mean(0).astype(int)],
    )
    radius = math.sqrt(mask.sum() / area)
    cy, cx = np.argwhere(mask).mean(0)
    ys, xs = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
    u = xs - np.float32(cx) + radius * offset[1]
    v = ys - np.float32(cy) + radius * offset[0]
    template = distance(shape, u, v, radius) < 0
    return float((mask & template).sum() / (mask | template).sum())
