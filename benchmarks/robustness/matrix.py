"""The picture of what the mark survives: a row for each attack, a column for each clip, as SVG."""

from typing import Any
from xml.sax.saxutils import escape

from tests.support.attacks import ATTACKS
from tests.support.promises import tier_of

ROW, COLUMN, LABEL, MARGIN, HEAD = 19, 74, 360, 16, 118
NAMES, TIERS = 122, 300  # where these columns begin
FAMILY_GAP = 9
COLOURS = {"all": "#1a7f4b", "some": "#d9a514", "none": "#c2413b", "missing": "#e6e6e6"}
INK = {"all": "#ffffff", "some": "#1b1b1b", "none": "#ffffff", "missing": "#8a8a8a"}


def svg(figures: dict[str, Any]) -> str:
    """Return the picture of `summary.figures`."""
    clips, measured = figures["clips"], _measured(figures)
    width = MARGIN * 2 + LABEL + COLUMN * len(clips)
    parts, y, family = [], HEAD, None
    for attack in measured:
        if attack.family != family:
            family, y = attack.family, y + FAMILY_GAP
            parts.append(_text(MARGIN, y + 13, family, weight="bold"))
        parts.append(_text(MARGIN + NAMES, y + 13, attack.name))
        parts.append(_text(MARGIN + TIERS + 10, y + 13, tier_of(attack.name), fill=INK["missing"]))
        for index, clip in enumerate(clips.values()):
            x = MARGIN + LABEL + index * COLUMN
            parts.append(_cell(x, y, clip["attacks"].get(attack.name)))
        y += ROW
    names = [
        _slanted(MARGIN + LABEL + (index + 0.5) * COLUMN, HEAD, f"{name} ({clip['kind']})")
        for index, (name, clip) in enumerate(clips.items())
    ]
    height = y + 46
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 60}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="11" fill="#1b1b1b">'
    )
    return "\n".join(
        [
            begin,
            f'<rect width="{width + 60}" height="{height}" fill="#ffffff"/>',
            *names,
            *parts,
            *_legend(y + 18, figures),
            "</svg>\n",
        ]
    )


def _measured(figures: dict[str, Any]) -> list[Any]:
    clips = figures["clips"].values()
    return [attack for attack in ATTACKS if any(attack.name in clip["attacks"] for clip in clips)]


def state(cell: dict[str, Any] | None) -> str:
    """Return whether all, some or none of a cell's exact ids came back."""
    if cell is None or not cell["of"]:
        return "missing"
    if cell["exact"] == cell["of"]:
        return "all"
    return "some" if cell["exact"] else "none"


def _cell(x: float, y: float, cell: dict[str, Any] | None) -> str:
    how = state(cell)
    told = "" if cell is None or how == "none" else f"{cell['statistic']:.0f}"
    if cell is not None and how == "some":
        told = f"{told} ({cell['exact']}/{cell['of']})"
    box = (
        f'<rect x="{x + 1}" y="{y}" width="{COLUMN - 2}" height="{ROW - 2}" rx="2" '
        f'fill="{COLOURS[how]}"/>'
    )
    return box + _text(x + COLUMN / 2, y + 12.5, told, anchor="middle", fill=INK[how])


def _legend(y: float, figures: dict[str, Any]) -> list[str]:
    keys = figures["settings"]["keys"]
    told = {
        "all": f"exact id with all of {keys} keys" if keys > 1 else "exact id",
        "some": "with some",
        "none": "with none",
    }
    parts, x = [], float(MARGIN)
    for how, text in told.items():
        parts.append(f'<rect x="{x}" y="{y}" width="14" height="14" rx="2" fill="{COLOURS[how]}"/>')
        parts.append(_text(x + 20, y + 11, text))
        x += 40 + 6.2 * len(text)
    parts.append(_text(x, y + 11, "number: median statistic"))
    return parts


def _text(
    x: float, y: float, text: str, *, weight: str = "normal", anchor: str = "start",
    fill: str = "#1b1b1b",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{fill}">{escape(text)}</text>'
    )


def _slanted(x: float, y: float, text: str) -> str:
    return f'<text transform="translate({x:.1f},{y - 2}) rotate(-40)">{escape(text)}</text>'
