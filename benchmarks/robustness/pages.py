"""The parts of the documents that are results: `python -m benchmarks.watermark --page`.

Each stands between two lines of its own, and a test holds it to the committed results.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
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


def speed(found: Found) -> str:
    """Return how fast the mark is written and looked for, as a table."""
    heads = ("of", "least", "median", "95 of 100 up to", "most")
    lines = [f"| CPU time of one core | {' | '.join(heads)} |", "|" + " --- |" * (len(heads) + 1)]
    groups = {"embed, frames per CPU s": found["embed_frames_per_cpu_s"]}
    groups |= {f"search, CPU s: {n}": s for n, s in found["detect_cpu_s"].items()}
    for name, seen in groups.items():
        lines.append(f"| {name} | {' | '.join(f'{seen[head]:g}' for head in heads)} |")
    return "\n".join(lines)


def strengths(found: Found) -> str:
    """Return what a weaker or stronger mark costs and survives, as a table."""
    lines = [f"| clip | strength | VMAF-NEG lost | PSNR-Y, dB | {' | '.join(found['attacks'])} |"]
    lines.append("| --- | --- | --- | --- |" + " --- |" * len(found["attacks"]))
    for clip, rows in found["clips"].items():
        for row in rows:
            cells = [row[name] for name in ("strength", "vmaf_neg_lost", "psnr_y_db")]
            cells += ["-" if value is None else value for value in row["statistic"].values()]
            lines.append(f"| {clip} | {' | '.join(map(str, cells))} |")
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


def likeness(found: Found) -> str:
    """Return how often a comparison says match, inconclusive or different, as a table."""
    rows = {
        "the clip after an attack, with its own record": found["honest"],
        "the same, as if its mark had been copied from an unrelated clip": found["copied"],
        "the same, with a record of another moment of the same place": found["same_place"],
        "the clip after an attack, without a mark": found["unmarked"]["honest"],
    }
    lines = ["| compared | of | `match` | `inconclusive` | `different` |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for compared, row in rows.items():
        counts = (row[name] for name in ("of", "match", "inconclusive", "different"))
        lines.append(f"| {compared} | {' | '.join(f'{count:,}' for count in counts)} |")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Section:
    """What stands between two lines of a document."""

    document: Path  # from the top folder
    result: str
    text: Callable[[Found], str]

    def written(self) -> str:
        """Return the section as the committed results have it."""
        return self.text(json.loads((RESULTS / f"{self.result}.json").read_text(encoding="utf-8")))


MARK, VERIFYING = Path("docs/watermark.md"), Path("docs/verifying.md")
SECTIONS: Mapping[str, Section] = {
    "results": Section(MARK, report.NAME, report.page),
    "speed": Section(MARK, "mark_speed", speed),
    "choices": Section(MARK, "mark_choices", choices),
    "strengths": Section(MARK, "mark_strengths", strengths),
    "issued": Section(MARK, "mark_issued", issued),
    "likeness": Section(VERIFYING, "fingerprint", likeness),
}


def fill(root: Path) -> None:
    """Put every section between its two lines.

    Raises:
        ValueError: when the lines of a section are not there, once each and in order.
    """
    for name, section in SECTIONS.items():
        path, begin, end = root / section.document, f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found_begin, rest = path.read_text(encoding="utf-8").partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"{path.name} should have the lines {begin} and {end}")
        text = f"{before}{begin}\n\n{section.written()}\n\n{end}{after}"
        path.write_text(text, encoding="utf-8")
