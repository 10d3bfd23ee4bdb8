"""Lay the pictures at hand over the cells of a fingerprint: undo what was done, try every shift.

What is compared is not brightness but the step from each cell to the next, right and down, squeezed
by `x / (|x| + STEP)`: a step counts by its direction and by how surely it is one, so that contrast,
brightness and gamma change little, and one bright lamp does not outvote a wall. Two cells are all
that a step depends on. Therefore a crop can be compared with the part that it shows.

The mark says how a picture was scaled, turned and mirrored. Where the crop lies is not asked of it:
every shift by a quarter of a cell is tried at once, as one correlation by Fourier transform.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.fingerprint.form import Box, Fingerprint
from provenance.fingerprint.glimpse import Glimpse
from provenance.fingerprint.pdq import Turn
from provenance.watermark import Geometry

FINE = 4  # shifts tried per cell, along each side
STEP = 3.0  # grey levels: a step as large counts half
MOST_SCALED = 10.0  # times smaller or larger, far beyond what the mark survives
WHOLE = 0.98  # of a cell that must lie in the picture for it to be known
LARGEST = 3.0  # times the fingerprint's sides: more than that of unwarped picture is not looked at

Float = NDArray[np.float32]
Double = NDArray[np.float64]
Complex = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """How the fingerprint's picture is to be found in the one at hand, but for the shift."""

    name: str
    linear: Double  # (2, 2): from where a thing was to where it is, in short sides of the frames


def from_geometry(geometry: Geometry) -> Placing:
    """Return the placing that the mark found."""
    angle = math.radians(geometry.rotation_degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    mirror = -1.0 if geometry.mirrored else 1.0
    return Placing("mark", turn @ np.diag([geometry.scale_x * mirror, geometry.scale_y]))


def is_possible(geometry: Geometry) -> bool:
    """Tell whether a search can have found this; a child that was taken over says anything."""
    scales = (geometry.scale_x, geometry.scale_y)
    return all(1 / MOST_SCALED <= scale <= MOST_SCALED for scale in scales)


def from_content(fingerprint: Fingerprint, aspect: float, content: Box, turn: Turn) -> Placing:
    """Return the placing by which one content fills the other, laid a certain way."""
    transposed, flipped, mirrored = turn.value
    was = _size(fingerprint.aspect, fingerprint.content)
    now = _size(aspect, content)
    # The matrix has (x, y): a picture that is transposed has its width where the height was.
    laid = np.array([[0.0, 1.0], [1.0, 0.0]]) if transposed else np.eye(2)
    laid = np.diag([-1.0 if mirrored else 1.0, -1.0 if flipped else 1.0]) @ laid
    return Placing(turn.name.lower(), np.diag(now) @ laid @ np.diag(1 / was))


def _size(aspect: float, content: Box) -> Double:
    """Return width and height of the content in short sides of the frame."""
    short = min(aspect, 1.0)
    return np.array([(content.right - content.left) * aspect, content.bottom - content.top]) / short


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Squeezed steps right and down, and where they are known; 0 where they are not."""

    right: Float  # (..., height, width)
    down: Float
    right_known: Float  # (height, width), 0 or 1
    down_known: Float

    def within(self, window: tuple[slice, slice]) -> "Steps":
        """Return the steps of a part (rows, columns) alone: elsewhere nothing is known."""
        inside = np.zeros(self.right_known.shape, np.float32)
        inside[window] = 1
        return Steps(
            self.right * inside,
            self.down * inside,
            self.right_known * inside,
            self.down_known * inside,
        )

    @property
    def negative(self) -> "Steps":
        """The steps of the picture with dark and bright exchanged."""
        return replace(self, right=-self.right, down=-self.down)

    @property
    def known(self) -> float:
        """How many steps of each picture are known."""
        return float(self.right_known.sum() + self.down_known.sum())


@dataclass(frozen=True, slots=True)
class Shift:
    """Where the fingerprint's first cell lies on the fine grid at hand."""

    down: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Pictures at hand, laid over a fingerprint's cells but for the shift.

    Nothing is computed until it is asked for, and then of the pictures asked for: a thousand laid
    on a grid `FINE` times as fine as the cells would be a gigabyte.
    """

    pictures: NDArray[np.uint8]  # (n, h, w)
    times_ms: tuple[int, ...]  # of each
    inside: Float  # (h, w): 1 where a pixel is a whole part of the content, else 0
    matrix: Double  # (2, 3): from pixels of the fine grid to pixels of the pictures
    fine: tuple[int, int]  # height and width of the fine grid: room for every shift
    cells: tuple[int, int]  # rows and columns of the fingerprint

    def every_shift(self, chosen: Sequence[int]) -> Steps:
        """Return the steps of some pictures (chosen, height, width) on the fine grid."""
        known = _box(_warped(self.inside, self.matrix, self.fine)) > WHOLE
        means = [_box(_warped(self._picture(i), self.matrix, self.fine)) for i in chosen]
        return _steps(np.stack(means), known, FINE)

    def under(self, shift: Shift) -> Steps:
        """Return the steps of all pictures (n, rows, columns) under one shift."""
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ (shift.right, shift.down)
        rows, columns = self.cells
        size = (FINE * rows, FINE * columns)

        def means(picture: Float) -> Float:
            parts = _warped(picture, matrix, size).reshape(rows, FINE, columns, FINE)
            return np.asarray(parts.mean(axis=(1, 3)), np.float32)

        pictures = np.stack([means(self._picture(i)) for i in range(len(self.pictures))])
        return _steps(pictures, means(self.inside) > WHOLE, 1)

    def part(self, chosen: slice) -> "Laid":
        """Return only some of the pictures."""
        return replace(self, pictures=self.pictures[chosen], times_ms=self.times_ms[chosen])

    def _picture(self, index: int) -> Float:
        return np.asarray(self.pictures[index], np.float32)


def steps_of_cells(taken: Fingerprint) -> Steps:
    """Return the steps of a fingerprint's moments (moments, rows, columns)."""
    cells = np.frombuffer(b"".join(each.cells for each in taken.moments), np.uint8)
    brightness = cells.reshape(-1, taken.rows, taken.columns).astype(np.float32)
    return _steps(brightness, np.ones((taken.rows, taken.columns), np.bool_), 1)


def lay(seen: Glimpse, placing: Placing, fingerprint: Fingerprint) -> Laid:
    """Lay the pictures of a file over the cells of a fingerprint."""
    _, height, width = seen.pictures.shape
    content, short = seen.content, min(height, width)
    rows, columns = fingerprint.rows, fingerprint.columns
    cell = _size(fingerprint.aspect, fingerprint.content) / np.array([columns, rows])
    to_picture = placing.linear @ np.diag(cell / FINE) * short  # fine pixels to picture pixels
    middle = np.array([content.left + content.right, content.top + content.bottom]) / 2
    span = np.array([content.right - content.left, content.bottom - content.top])
    reach = np.abs(np.linalg.inv(to_picture)) @ (span * np.array([width, height]))
    most = LARGEST * FINE * np.array([columns, rows])
    out = np.maximum(np.minimum(np.ceil(reach), most), 2 * FINE).astype(int)
    # A pixel's centre lies half a pixel from its edge, here and there.
    centre = middle * np.array([width, height]) - 0.5 - to_picture @ ((out - 1) / 2)
    return Laid(
        pictures=seen.pictures,
        times_ms=seen.times_ms,
        inside=_inside(height, width, content),
        matrix=np.column_stack([to_picture, centre]),
        fine=(int(out[1]), int(out[0])),
        cells=(rows, columns),
    )


def squeezed(step: Float) -> Float:
    """Return steps of brightness as numbers between -1 and 1."""
    return np.asarray(step / (np.abs(step) + STEP), np.float32)


def _steps(means: Float, known: NDArray[np.bool_], apart: int) -> Steps:
    """Return the steps from brightness (n, height, width) to that `apart` further on."""
    right, down = np.zeros_like(means), np.zeros_like(means)
    right_known, down_known = np.zeros(known.shape, np.float32), np.zeros(known.shape, np.float32)
    right_known[:, :-apart] = known[:, apart:] & known[:, :-apart]
    down_known[:-apart] = known[apart:] & known[:-apart]
    right[:, :, :-apart] = squeezed(means[:, :, apart:] - means[:, :, :-apart])
    down[:, :-apart] = squeezed(means[:, apart:] - means[:, :-apart])
    return Steps(right * right_known, down * down_known, right_known, down_known)


def _inside(height: int, width: int, content: Box) -> Float:
    """Return 1 where a picture's pixels are whole parts of the content, else 0."""
    inside = np.zeros((height, width), np.float32)
    top, bottom = math.ceil(content.top * height - 1e-3), math.floor(content.bottom * height + 1e-3)
    left, right = math.ceil(content.left * width - 1e-3), math.floor(content.right * width + 1e-3)
    inside[top:bottom, left:right] = 1
    return inside


def _warped(picture: Float, matrix: Double, size: tuple[int, int]) -> Float:
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, matrix, size[::-1], flags=how))


def _box(picture: Float) -> Float:
    """Return the mean of the cell that begins at each fine pixel; beyond the edge is nothing."""
    return np.asarray(
        cv2.boxFilter(
            picture, cv2.CV_32F, (FINE, FINE), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
        )
    )
