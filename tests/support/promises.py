"""What is promised of the mark after each attack of the list."""

from enum import StrEnum


class Tier(StrEnum):
    """How far the promise goes."""

    EVERYDAY = "everyday"  # any clip goes through it: the exact id comes back from natural clips
    HARD = "hard"  # it comes back from nine natural clips in ten
    REPORTED = "reported"  # it is measured, and nothing is promised


HARD = frozenset(
    {
        "h264 crf 34",
        "h265 crf 35",
        "av1 crf 50",
        "crop to 25 %",
        "crop to 25 %, centre",
        "crop to 25 %, corner",
    }
)
REPORTED = frozenset(
    {
        "h264 crf 40",
        "vp9 crf 45",
        "mpeg-4, quantiser 8",
        "mjpeg, quantiser 10",
        "turn by 10 degrees",
        "bars over a quarter",
        "posterise, 8 levels",
        "blur, sigma 4",
        "noise, sigma 30",
        "sharpen",
        "dither, 8 levels",
        "reversed",
        "one frame, frozen",
        "slightly aslant",
        "aslant",
        "telephone, slightly aslant",
        "telephone, aslant",
        "mirror, crop 75 %, bright, h264 34",
        "crop 50 %, brightness 50 %, h264 30",
        "turn 2, crop 75 %",
        "turn 2, squeeze 4:3",
        "h264 23, h265 28",
        "vp9 35, h264 28",
        "h264 23, av1 35, h264 28",
        "360p 300k, size 150 %, h264 28",
    }
)


def tier_of(attack: str) -> Tier:
    """Return the tier of an attack by its name: everyday, unless it is listed here."""
    if attack in HARD:
        return Tier.HARD
    return Tier.REPORTED if attack in REPORTED else Tier.EVERYDAY
