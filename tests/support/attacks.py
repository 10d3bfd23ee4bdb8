"""The list of attacks that the mark is measured against, by family.

    {attack.name: attack.change(frames) for attack in ATTACKS}

An attack takes the RGB frames of a clip at 16 frames a second and gives what somebody else has
then. Each repeats itself to the bit: encoders have one thread, noise a seed. What is promised of
the mark after each of them is in `promises.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tests.support import editing, reencode

FRAME_RATE = 16

Picture = NDArray[np.uint8]
Frames = Sequence[Picture]
Change = Callable[[Frames], Frames]


class Family(StrEnum):
    """What is done to the clip."""

    NONE = "nothing"
    CODEC = "codec"
    PLATFORM = "platform"
    SCALE = "scale"
    CROP = "crop"
    TURN = "turn"
    ASPECT = "aspect"
    OVERLAY = "bars and overlays"
    COLOUR = "colour"
    DETAIL = "blur and noise"
    TIME = "time"
    SCREENSHOT = "screenshot"
    CAMERA = "camera"
    COMBINED = "combined"
    GENERATIONS = "several encodings"


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing that somebody does to a clip."""

    name: str
    family: Family
    change: Change


def _then(*steps: Change) -> Change:
    def change(frames: Frames) -> Frames:
        for step in steps:
            frames = step(frames)
        return frames

    return change


# ---- encoders


def _h264(crf: int, preset: str = "medium", frame_rate: int = FRAME_RATE) -> Change:
    return lambda f: reencode.h264(f, crf=crf, preset=preset, frame_rate=frame_rate)


def _h265(crf: int) -> Change:
    return lambda f: reencode.h265(f, crf=crf)


def _vp9(crf: int) -> Change:
    return lambda f: reencode.vp9(f, crf=crf)


def _av1(crf: int) -> Change:
    return lambda f: reencode.av1(f, crf=crf)


def _platform(height: int, kbit_s: int, most_kbit_s: int) -> Change:
    def change(frames: Frames) -> Frames:
        small = editing.no_higher_than(frames, height)
        return reencode.h264_at_rate(small, kbit_s=kbit_s, most_kbit_s=most_kbit_s)

    return change


# ---- geometry


def _scale(share: float) -> Change:
    return lambda f: reencode.resize(f, width=share, height=share)


def _back(step: Change) -> Change:
    """Do a step and bring the frames back to the size they had."""

    def change(frames: Frames) -> Frames:
        height, width = frames[0].shape[:2]
        return editing.at_size(step(frames), width=width, height=height)

    return change


def _crop(percent: int) -> Change:
    """Crop off-centre and scale up again, as editors do."""
    return _back(lambda f: reencode.crop(f, area=percent / 100))


def _crop_at(percent: int, across: float, down: float) -> Change:
    return lambda f: reencode.crop(f, area=percent / 100, across=across, down=down)


def _turn(degrees: float) -> Change:
    return lambda f: reencode.rotate(f, degrees=degrees)


def _squeeze_to(ratio: float) -> Change:
    """Change the width alone, to so many heights."""

    def change(frames: Frames) -> Frames:
        height = frames[0].shape[0]
        return editing.at_size(frames, width=round(height * ratio / 2) * 2, height=height)

    return change


# ---- pixel values


def _levels(curve: Callable[[editing.Float], editing.Float]) -> Change:
    return lambda f: editing.with_levels(f, curve)


def _blur(sigma: float) -> Change:
    return lambda f: editing.blur(f, sigma=sigma)


def _grain(sigma: float) -> Change:
    return lambda f: editing.grain(f, sigma=sigma)


def _jpeg(frames: Frames) -> Frames:
    return reencode.screenshot(frames, quality=50)


def _one(frames: Frames) -> Frames:
    return editing.middle(frames, count=1)


def _phone(lean: float, blur: float, noise: float) -> Change:
    """A telephone films a screen: aslant, a little dim and soft, with waves, and encodes."""
    return _then(
        lambda f: editing.perspective(f, lean=lean),
        lambda f: editing.moire(f, levels=3),
        _blur(blur),
        _levels(lambda x: 0.03 + 0.87 * x),
        _grain(noise),
        _h264(23),
    )


# ---- time


def _at_rates(*rates: int) -> Change:
    """Show the frames at one rate after the other, and encode each time."""

    def change(frames: Frames) -> Frames:
        old = FRAME_RATE
        for new in rates:
            shown = editing.at_frame_rate(frames, old=old, new=new)
            frames, old = reencode.h264(shown, crf=18, frame_rate=new), new
        return frames

    return change


def _faster(frames: Frames) -> Frames:
    return editing.at_frame_rate(frames, old=1.25, new=1)


def _frozen(frames: Frames) -> Frames:
    return reencode.h264([frames[len(frames) // 2]] * (2 * FRAME_RATE), crf=23)


_half_black, _dim = (_levels(lambda x: 0.5 * x), _levels(lambda x: 0.6 * x))

ATTACKS: tuple[Attack, ...] = (
    Attack("identity", Family.NONE, lambda f: f),
    Attack("h264 crf 23", Family.CODEC, _h264(23)),
    Attack("h264 crf 28", Family.CODEC, _h264(28)),
    Attack("h264 crf 28, veryfast", Family.CODEC, _h264(28, "veryfast")),
    Attack("h264 crf 34", Family.CODEC, _h264(34)),
    Attack("h264 crf 40", Family.CODEC, _h264(40)),
    Attack("h265 crf 28", Family.CODEC, _h265(28)),
    Attack("h265 crf 35", Family.CODEC, _h265(35)),
    Attack("vp9 crf 35", Family.CODEC, _vp9(35)),
    Attack("vp9 crf 45", Family.CODEC, _vp9(45)),
    Attack("av1 crf 35", Family.CODEC, _av1(35)),
    Attack("av1 crf 50", Family.CODEC, _av1(50)),
    Attack("mpeg-4, quantiser 8", Family.CODEC, lambda f: reencode.mpeg4(f, quantiser=8)),
    Attack("mjpeg, quantiser 10", Family.CODEC, lambda f: reencode.mjpeg(f, quantiser=10)),
    Attack("480p, 600k", Family.PLATFORM, _platform(480, 600, 700)),
    Attack("360p, 300k", Family.PLATFORM, _platform(360, 300, 350)),
    Attack(
        "480p, h264 crf 26, veryfast",
        Family.PLATFORM,
        _then(lambda f: editing.no_higher_than(f, 480), _h264(26, "veryfast")),
    ),
    Attack("size 50 %", Family.SCALE, _scale(0.5)),
    Attack("size 75 %", Family.SCALE, _scale(0.75)),
    Attack("size 150 %", Family.SCALE, _scale(1.5)),
    Attack("size 50 % and back", Family.SCALE, _back(_scale(0.5))),
    Attack("size 75 % and back", Family.SCALE, _back(_scale(0.75))),
    Attack("crop to 90 %", Family.CROP, _crop(90)),
    Attack("crop to 75 %", Family.CROP, _crop(75)),
    Attack("crop to 50 %", Family.CROP, _crop(50)),
    Attack("crop to 50 %, centre", Family.CROP, _crop_at(50, 0.5, 0.5)),
    Attack("crop to 50 %, corner", Family.CROP, _crop_at(50, 0.0, 0.0)),
    Attack("crop to 25 %", Family.CROP, _crop(25)),
    Attack("crop to 25 %, centre", Family.CROP, _crop_at(25, 0.5, 0.5)),
    Attack("crop to 25 %, corner", Family.CROP, _crop_at(25, 1.0, 0.0)),
    Attack("mirror", Family.TURN, reencode.mirror),
    Attack("turn by 1 degree", Family.TURN, _turn(1)),
    Attack("turn by 2 degrees", Family.TURN, _turn(2)),
    Attack("turn by 5 degrees", Family.TURN, _turn(5)),
    Attack("turn by -5 degrees", Family.TURN, _turn(-5)),
    Attack("turn by 10 degrees", Family.TURN, _turn(10)),
    Attack("squeeze to 4:3", Family.ASPECT, _squeeze_to(4 / 3)),
    Attack("squeeze to 1:1", Family.ASPECT, _squeeze_to(1)),
    Attack(
        "letterbox, 640 square",
        Family.OVERLAY,
        _then(reencode.pad_to_square, lambda f: editing.at_size(f, width=640, height=640)),
    ),
    Attack("pillarbox", Family.OVERLAY, editing.pad_at_the_sides),
    Attack("logo and titles", Family.OVERLAY, editing.logo),
    Attack("bars over a quarter", Family.OVERLAY, editing.bars),
    Attack("brightness 60 %", Family.COLOUR, _dim),
    Attack("brightness 140 %", Family.COLOUR, _levels(lambda x: 1.4 * x)),
    Attack("contrast 150 %", Family.COLOUR, _levels(lambda x: 1.5 * x - 0.25)),
    Attack("contrast 60 %", Family.COLOUR, _levels(lambda x: 0.6 * x + 0.2)),
    Attack("gamma 2", Family.COLOUR, _levels(lambda x: x**2)),
    Attack("gamma 0.5", Family.COLOUR, _levels(lambda x: x**0.5)),
    Attack("hue by 90 degrees", Family.COLOUR, lambda f: editing.with_hue(f, degrees=90)),
    Attack("greyscale", Family.COLOUR, editing.grey),
    Attack("posterise, 8 levels", Family.COLOUR, _levels(lambda x: np.rint(7 * x) / 7)),
    Attack("blur, sigma 1", Family.DETAIL, _blur(1)),
    Attack("blur, sigma 2", Family.DETAIL, _blur(2)),
    Attack("blur, sigma 4", Family.DETAIL, _blur(4)),
    Attack("median of 5", Family.DETAIL, lambda f: editing.median(f, side=5)),
    Attack("noise, sigma 15", Family.DETAIL, _grain(15)),
    Attack("noise, sigma 30", Family.DETAIL, _grain(30)),
    Attack("sharpen", Family.DETAIL, lambda f: editing.sharpen(f, amount=1)),
    Attack("dither, 8 levels", Family.DETAIL, lambda f: editing.dither(f, levels=8)),
    Attack("24 fps, then 12 fps", Family.TIME, _at_rates(24, 12)),
    Attack("25 fps", Family.TIME, _at_rates(25)),
    Attack("speed 125 %", Family.TIME, _faster),
    Attack("one second", Family.TIME, lambda f: editing.middle(f, count=FRAME_RATE)),
    Attack("half the frames dropped", Family.TIME, editing.half_dropped),
    Attack("reversed", Family.TIME, lambda f: f[::-1]),
    Attack("one frame, frozen", Family.TIME, _frozen),
    Attack("screenshot, jpeg 50", Family.SCREENSHOT, _jpeg),
    Attack("crop to 75 %, jpeg 50", Family.SCREENSHOT, _then(_one, _crop(75), _jpeg)),
    Attack("screenshot of h264 crf 28", Family.SCREENSHOT, _then(_h264(28), _one)),
    Attack("slightly aslant", Family.CAMERA, lambda f: editing.perspective(f, lean=0.02)),
    Attack("aslant", Family.CAMERA, lambda f: editing.perspective(f, lean=0.06)),
    Attack("telephone, slightly aslant", Family.CAMERA, _phone(0.02, 0.8, 4)),
    Attack("telephone, aslant", Family.CAMERA, _phone(0.06, 1.2, 8)),
    Attack("size 50 %, h264 28", Family.COMBINED, _then(_scale(0.5), _h264(28))),
    Attack("crop 75 %, h264 28", Family.COMBINED, _then(_crop(75), _h264(28))),
    Attack("crop 50 %, h264 28", Family.COMBINED, _then(_crop(50), _h264(28))),
    Attack("turn 2, h264 28", Family.COMBINED, _then(_turn(2), _h264(28))),
    Attack("squeeze 4:3, h264 28", Family.COMBINED, _then(_squeeze_to(4 / 3), _h264(28))),
    Attack("logo, h264 28", Family.COMBINED, _then(editing.logo, _h264(28))),
    Attack("letterbox, h264 28", Family.COMBINED, _then(reencode.pad_to_square, _h264(28))),
    Attack("brightness 60 %, h264 28", Family.COMBINED, _then(_dim, _h264(28))),
    Attack(
        "mirror, crop 75 %, h264 28",
        Family.COMBINED,
        _then(reencode.mirror, _crop(75), _h264(28)),
    ),
    Attack(
        "mirror, crop 75 %, bright, h264 34",
        Family.COMBINED,
        _then(reencode.mirror, _crop(75), _levels(lambda x: 1.2 * x), _h264(34)),
    ),
    Attack(
        "crop 50 %, brightness 50 %, h264 30",  # as VideoSeal's authors combine them
        Family.COMBINED,
        _then(_crop(50), _half_black, _h264(30)),
    ),
    Attack("turn 2, crop 75 %", Family.COMBINED, _then(_turn(2), _crop(75))),
    Attack("turn 2, squeeze 4:3", Family.COMBINED, _then(_turn(2), _squeeze_to(4 / 3))),
    Attack("h264 23, h265 28", Family.GENERATIONS, _then(_h264(23), _h265(28))),
    Attack("vp9 35, h264 28", Family.GENERATIONS, _then(_vp9(35), _h264(28))),
    Attack("h264 23, av1 35, h264 28", Family.GENERATIONS, _then(_h264(23), _av1(35), _h264(28))),
    Attack(
        "360p 300k, size 150 %, h264 28",
        Family.GENERATIONS,
        _then(_platform(360, 300, 350), _scale(1.5), _h264(28)),
    ),
)


def named(name: str) -> Attack:
    """Return one attack by its name."""
    return next(attack for attack in ATTACKS if attack.name == name)
