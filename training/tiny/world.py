"""The drawn world: one large shape that moves, or not, over a background, textured, lit and grainy.

A `Scene` is what a caption can say; a `Look` is what it leaves open (place, speed, texture, light).
Both are pure values, and `render` is a pure function of them, so that every training clip can be
drawn again from its seed. Flat cartoons would hold no watermark: each surface carries a smooth
texture of +-8 to 15 levels that survives video compression.

Pixels are float32 in levels 0..255, arrays are (time, height, width, 3), x grows to the right and
y grows downwards.
"""

import hashlib
import itertools
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SIDE = 256  # pixels
FRAMES = 33  # 4k + 1, two seconds at 16 fps
HELD_OUT = 200  # combinations that training never sees

Floats = NDArray[np.float32]


class Colour(StrEnum):
    """The named colours, few and far apart, so that a name is a fair question to ask of pixels."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"
    PURPLE = "purple"
    WHITE = "white"
    BLACK = "black"


class Shape(StrEnum):
    """What the object is."""

    CIRCLE = "circle"
    SQUARE = "square"
    TRIANGLE = "triangle"
    STAR = "star"


class Motion(StrEnum):
    """Where the object goes over the clip."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    STILL = "still"


class Size(StrEnum):
    """How large the object is: a radius of 42 to 50 or of 60 to 72 pixels."""

    SMALL = "small"
    BIG = "big"


class Texture(StrEnum):
    """Families of smooth texture; a caption does not name them."""

    RIPPLES = "ripples"
    WEAVE = "weave"
    BLOTCHES = "blotches"


RGB: dict[Colour, tuple[int, int, int]] = {
    Colour.RED: (205, 40, 45),
    Colour.GREEN: (45, 160, 70),
    Colour.BLUE: (40, 75, 205),
    Colour.YELLOW: (235, 205, 55),
    Colour.PURPLE: (140, 60, 175),
    Colour.WHITE: (226, 226, 226),
    Colour.BLACK: (38, 38, 42),
}
HEADING: dict[Motion, tuple[int, int]] = {
    Motion.LEFT: (-1, 0),
    Motion.RIGHT: (1, 0),
    Motion.UP: (0, -1),
    Motion.DOWN: (0, 1),
    Motion.STILL: (0, 0),
}
RADIUS: dict[Size, tuple[float, float]] = {Size.SMALL: (42.0, 50.0), Size.BIG: (60.0, 72.0)}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a caption says of a clip."""

    size: Size
    colour: Colour
    shape: Shape
    motion: Motion
    background: Colour

    @property
    def combination(self) -> str:
        """The four factors that are held out together, e.g. "red circle left blue"."""
        return f"{self.colour} {self.shape} {self.motion} {self.background}"


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A colour with a texture: plane waves of (wave vector x, y in rad/pixel, phase, weight)."""

    rgb: Floats  # (3,) levels
    tint: Floats  # (3,) levels that one unit of texture adds
    waves: Floats  # (waves, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a caption leaves open."""

    radius: float  # pixels
    centre: tuple[float, float]  # x, y in pixels at the middle of the clip
    travel: float  # pixels over the whole clip
    light: tuple[float, float]  # relative brightness per half side, along x and y
    shine: float  # relative brightness across the object's radius, from the same light
    object: Surface
    ground: Surface


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a clip to draw: a square of `side` pixels and `frames` frames."""

    left: int = 0
    top: int = 0
    side: int = SIDE
    start: int = 0
    frames: int = FRAMES


def every_scene() -> list[Scene]:
    """Return all scenes in which object and background differ in colour, in a fixed order."""
    product = itertools.product(Size, Colour, Shape, Motion, Colour)
    return [Scene(*factors) for factors in product if factors[1] is not factors[4]]


def held_out() -> frozenset[str]:
    """Return the combinations that training never sees, chosen by hash and not by hand."""
    combinations = {scene.combination for scene in every_scene()}
    ranked = sorted(combinations, key=lambda text: hashlib.sha256(text.encode()).digest())
    return frozenset(ranked[:HELD_OUT])


def draw_look(scene: Scene, rng: np.random.Generator) -> Look:
    """Draw place, speed, texture and light for a scene."""
    along, across = rng.uniform(-14, 14), rng.uniform(-34, 34)
    dx, dy = HEADING[scene.motion]
    centre = (along, across) if dx else (across, along) if dy else (along, across)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.13)
    return Look(
        radius=float(rng.uniform(*RADIUS[scene.size])),
        centre=(SIDE / 2 + float(centre[0]), SIDE / 2 + float(centre[1])),
        travel=float(rng.uniform(80, 110)),
        light=(float(strength * np.cos(angle)), float(strength * np.sin(angle))),
        shine=float(rng.uniform(0.04, 0.10)),
        object=_draw_surface(scene.colour, rng),
        ground=_draw_surface(scene.background, rng),
    )


def render(scene: Scene, look: Look, window: Window | None = None) -> tuple[Floats, Floats]:
    """Draw a clip without grain.

    Returns:
        pixels (time, side, side, 3) in levels 0..255, and the object's coverage (time, side, side)
        in 0..1.
    """
    window = window or Window()
    ys, xs = np.mgrid[0 : window.side, 0 : window.side].astype(np.float32)
    xs, ys = xs + window.left, ys + window.top
    half = SIDE / 2
    lit = 1 + look.light[0] * (xs - half) / half + look.light[1] * (ys - half) / half
    ground = _paint(look.ground, xs, ys) * lit[..., None]  # (side, side, 3)
    pixels = np.repeat(ground[None], window.frames, axis=0)
    cover = np.zeros((window.frames, window.side, window.side), np.float32)
    dx, dy = HEADING[scene.motion]
    reach = int(look.radius * 1.4) + 2  # no shape is wider than 1.35 radii, plus the soft edge
    for index in range(window.frames):
        done = (window.start + index) / (FRAMES - 1) - 0.5
        x, y = look.centre[0] + dx * look.travel * done, look.centre[1] + dy * look.travel * done
        left, right = (np.clip([x - reach, x + reach], 0, None) - window.left).astype(int)
        top, bottom = (np.clip([y - reach, y + reach], 0, None) - window.top).astype(int)
        box = np.s_[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        if xs[box].size == 0:
            continue
        u, v = xs[box] - np.float32(x), ys[box] - np.float32(y)
        alpha = np.clip(0.5 - distance(scene.shape, u, v, look.radius) / 1.5, 0, 1)
        shade = (
            1 + look.shine * (np.sign(look.light[0]) * u + np.sign(look.light[1]) * v) / look.radius
        )
        paint = _paint(look.object, u, v) * (lit[box] * shade)[..., None]
        pixels[index][box] += alpha[..., None] * (paint - pixels[index][box])
        cover[index][box] = alpha
    return np.clip(pixels, 0, 255, out=pixels), cover


def add_grain(pixels: Floats, rng: np.random.Generator, sigma: float = 2.0) -> NDArray[np.uint8]:
    """Return 8-bit pixels with sensor-like grain of `sigma` levels."""
    noisy = pixels + rng.standard_normal(pixels.shape, np.float32) * np.float32(sigma)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def distance(shape: Shape, u: Floats, v: Floats, radius: float) -> Floats:
    """Return the (approximate) signed distance in pixels to the shape's edge, negative inside."""
    if shape is Shape.CIRCLE:
        return np.hypot(u, v) - radius  # type: ignore[return-value]  # float32 stays float32
    if shape is Shape.SQUARE:
        return np.maximum(np.abs(u), np.abs(v)) - 0.9 * radius  # type: ignore[return-value]  # as above
    if shape is Shape.TRIANGLE:  # upright, equilateral, inscribed radius 0.62
        w = v - 0.18 * radius
        return np.maximum(w, 0.866 * np.abs(u) - 0.5 * w) - 0.62 * radius
    return _star(u, v, 1.35 * radius)


def _star(u: Floats, v: Floats, outer: float) -> Floats:
    """Signed distance to the edges of an upright five-pointed star."""
    # The star has mirror symmetry around five axes: fold the angle into one tenth and take the line
    # from the tip at angle 0 to the notch at 36 degrees.
    tenth = np.pi / 5
    angle = np.arctan2(u, -v)
    folded = np.abs(np.mod(angle + tenth, 2 * tenth) - tenth)
    r = np.hypot(u, v)
    a, b = r * np.cos(folded), r * np.sin(folded)
    inner = 0.46 * outer
    tip, notch = np.array([outer, 0.0]), inner * np.array([np.cos(tenth), np.sin(tenth)])
    edge = notch - tip
    normal = np.array([-edge[1], edge[0]]) / np.hypot(*edge)
    if normal @ tip < 0:
        normal = -normal
    return ((a - tip[0]) * normal[0] + (b - tip[1]) * normal[1]).astype(np.float32)


def _draw_surface(colour: Colour, rng: np.random.Generator) -> Surface:
    """Draw a texture of 8 to 15 levels and a slightly different tone of the colour."""
    family = list(Texture)[int(rng.integers(len(Texture)))]
    first = rng.uniform(0, np.pi)
    if family is Texture.RIPPLES:
        angles, lengths = (
            first + rng.normal(0, 0.12, 3),
            rng.uniform(44, 76) * np.array([1, 1.2, 0.9]),
        )
    elif family is Texture.WEAVE:
        angles, lengths = first + np.array([0, np.pi / 2]), rng.uniform(44, 72, 2)
    else:
        angles, lengths = rng.uniform(0, np.pi, 6), rng.uniform(52, 128, 6)
    rate = 2 * np.pi / lengths
    phases = rng.uniform(0, 2 * np.pi, len(angles))
    weight = np.full(len(angles), np.sqrt(2 / len(angles)))  # unit RMS before the contrast
    waves = np.stack([rate * np.cos(angles), rate * np.sin(angles), phases, weight], axis=1)
    contrast = rng.uniform(8, 15) / np.sqrt(2)  # peak levels of one wave to RMS
    return Surface(
        rgb=(np.array(RGB[colour]) + rng.uniform(-6, 6, 3)).astype(np.float32),
        tint=(contrast * rng.uniform(0.8, 1.2, 3)).astype(np.float32),
        waves=waves.astype(np.float32),
    )


def _paint(surface: Surface, x: Floats, y: Floats) -> Floats:
    """Return the textured colour at the given places, (height, width, 3)."""
    value = np.zeros_like(x)
    for kx, ky, phase, weight in surface.waves:
        value += weight * np.sin(kx * x + ky * y + phase)
    return surface.rgb + value[..., None] * surface.tint
