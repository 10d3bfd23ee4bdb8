"""The parts of docs/watermark.md that are results: `python -m benchmarks.watermark --page`.

Each stands between two lines of its own, and a test holds it to the committed results.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.robustness import report
from benchmarks.stamp import RESULTS

Found = dict[str, Any]


def choices(found: Found) -> str:
    """Return what each choice in the mark's design is worth, as a table."""
    names = list(next(iter(found["clips"].values())))
    lines = [
        f"| clip | {' | '.join(names)} |",
        f"| --- |{' --- |' * len(names)}",
    ]
    for clip, rows in found["clips"].items():
        cells = (f"{row['h264 crf 28']}, {row['h264 crf 34']}" for row in rows.values())
        lines.append(f"| {clip} | {' | '.join(cells)} |")
    return "\n".join(lines)


def issued(found: Found) -> str:
    """Return how many cells that no search read were recognised, as a table."""
    lines = ["| attacks | clips | no search reads | recognised | taken for another |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for tier, kinds in found["tiers"].items():
        for kind, row in kinds.items():
            lines.append(
                f"| {tier} | {kind} | {row['lost']} | {row['recognised']} | {row['wrong']} |"
            )
    return "\n".join(lines)


SECTIONS: Mapping[str, tuple[str, Callable[[Found], str]]] = {
    "results": (report.NAME, report.page),
    "choices": ("mark_choices", choices),
    "issued": ("mark_issued", issued),
}


def section(name: str) -> str:
    """Return one section as the committed results have it."""
    result, text = SECTIONS[name]
    return text(json.loads((RESULTS / f"{result}.json").read_text(encoding="utf-8")))


def filled(document: str) -> str:
    """Return a document with every section between its two lines.

    Raises:
        ValueError: when the lines of a section are not there, once each and in order.
    """
    for name in SECTIONS:
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found_begin, rest = document.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"the page should have the lines {begin} and {end}; put them back")
        document = f"{before}{begin}\n\n{section(name)}\n\n{end}{after}"
    return document
