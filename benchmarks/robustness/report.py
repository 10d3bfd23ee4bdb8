"""The report of a run: results as JSON, the tables as Markdown, the matrix as a picture.

`page` is what docs/watermark.md takes over (`pages.py`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.robustness.matrix import svg
from benchmarks.robustness.summary import Figures, Rows, beside_ours, figures
from benchmarks.robustness.task import Outcome, Setup, Work
from benchmarks.stamp import keep
from tests.support.attacks import ATTACKS
from tests.support.promises import tier_of

NAME = "watermark"


def write(
    rows: Rows,
    setup: Setup,
    left_out: Mapping[str, str],
    folder: Path,
    *,
    peers_of: Path | None = None,
) -> None:
    """Write the three files of the report into a folder, and print the tables.

    Args:
        rows: what was measured.
        setup: how.
        left_out: clips that could not be had, with the reason.
        folder: where the files go.
        peers_of: an earlier `watermark.json` to take the other marks from.
    """
    if not rows:
        raise SystemExit(
            "nothing was measured with the mark as it is; run the benchmark without --report first"
        )
    found = figures(rows, setup, left_out)
    if peers_of:
        before = json.loads(peers_of.read_text(encoding="utf-8"))
        found["peers"] = beside_ours(rows, before)
        found["peers_measured_at"] = before.get("peers_measured_at", before["commit"])
    keep(found, name=NAME, folder=folder, shown=False)
    text = markdown(found)
    (folder / f"{NAME}.md").write_text(text, encoding="utf-8")
    (folder / f"{NAME}.svg").write_text(svg(found), encoding="utf-8")
    print(text)


def markdown(found: Figures) -> str:
    """Return the whole report."""
    settings = found["settings"]
    made = (
        f"Made by `python -m benchmarks.{NAME}`; strength {settings['strength']}, "
        f"{settings['keys']} keys and payloads for each clip and attack, attacked: "
        f"{settings['attacked']}. A cell counts only if the exact id came back. "
        f"[The picture]({NAME}.svg), [the figures]({NAME}.json)."
    )
    parts = [
        "# What the mark survives",
        made,
        "## By tier",
        tiers(found),
        "## What did not come back",
        _losses(found),
        "## What it costs the eye",
        visibility(found),
        "## Found where nothing is",
        null_line(found),
        "## Beside other marks",
        f"{compared(found)}\n\n{_attack_by_attack(found['peers'])}"
        if found["peers"]
        else "Not compared in this run.",
        "## Every cell",
        survival(found),
    ]
    if found["left_out"]:
        parts += ["## Left out", "\n".join(f"- {n}: {why}" for n, why in found["left_out"].items())]
    return "\n\n".join(parts) + "\n"


def tiers(found: Figures) -> str:
    """Return the share of exact ids for each tier of attacks and kind of clip."""
    kinds = list(dict.fromkeys(kind for tier in found["tiers"].values() for kind in tier))
    rows = [["attacks", *kinds]]
    for tier, counts in found["tiers"].items():
        told = [
            f"{_percent(c['exact'], c['of'])} ({c['exact']} of {c['of']})" if c else ""
            for c in (counts.get(kind) for kind in kinds)
        ]
        rows.append([tier, *told])
    return _table(rows)


def visibility(found: Figures) -> str:
    """Return what the mark costs each clip, on raw frames."""
    heads = {
        "VMAF lost": "vmaf_lost", "at the 5th percentile": "vmaf_low_lost",
        "VMAF-NEG lost": "vmaf_neg_lost", "at its 5th": "vmaf_neg_low_lost",
        "PSNR-Y, dB": "psnr_y_db", "PSNR RGB, dB": "psnr_rgb_db",
        "PSNR colour, dB": "psnr_colour_db", "SSIM-Y": "ssim_y", "largest change": "largest_change",
        "flicker": "flicker_levels",
    }  # fmt: skip
    rows = [["clip", "kind", "size", *heads]]
    for name, clip in found["clips"].items():
        seen = clip["quality"]
        told = [_figure(seen.get(key, "")) for key in heads.values()]
        rows.append([name, clip["kind"], seen.get("size", ""), *told])
    return _table(rows)


def survival(found: Figures) -> str:
    """Return a row for each attack: the statistic where every exact id came back, else how many."""
    clips = found["clips"]
    rows = [["attack", "tier", *clips]]
    for attack in ATTACKS:
        cells = [clip["attacks"].get(attack.name) for clip in clips.values()]
        if any(cells):
            rows.append([attack.name, tier_of(attack.name), *map(_told, cells)])
    exact = []
    for clip in clips.values():
        all_cells = clip["attacks"].values()
        exact.append(f"{sum(c['exact'] for c in all_cells)} of {sum(c['of'] for c in all_cells)}")
    return _table([*rows, ["exact id", "", *exact]])


def compared(found: Figures) -> str:
    """Return the comparison with other marks, in total and in looks."""
    peers = found["peers"]
    looks = ["PSNR RGB, dB", "PSNR colour, dB", "VMAF lost", "VMAF-NEG lost"]
    rows = [["mark", "exact", "ours, same cells", "ours behind on", *looks, "read, CPU s"]]
    for name, peer in peers.items():
        seen = [_averages(row, peer["quality"]) for row in _QUALITIES]
        behind = ", ".join(peer["we_are_behind_on"]) or "none"
        of = peer["of"]
        told = [name, f"{peer['exact']} of {of}", f"{peer['ours']} of {of}", behind, *seen]
        rows.append([*told, _figure(peer["detect_cpu_s"].get("median", ""))])
    same = [clip for clip in found["clips"] if any(clip in p["quality"] for p in peers.values())]
    ours = {clip: found["clips"][clip]["quality"] for clip in same}
    seen = [_averages(row, ours) for row in _QUALITIES]
    rows.append(["ours, on the same clips", "", "", "", *seen, ""])
    return "\n\n".join([_table(rows), *_measured_at(found)])


def _measured_at(found: Figures) -> list[str]:
    if "peers_measured_at" not in found:
        return []
    commit = found["peers_measured_at"]
    return [f"The other marks were measured at commit {commit}; ours beside them in this run."]


_QUALITIES = ("psnr_rgb_db", "psnr_colour_db", "vmaf_lost", "vmaf_neg_lost")


def _attack_by_attack(peers: dict[str, Any]) -> str:
    rows = [["attack", *[each for name in peers for each in (name, "ours")]]]
    for attack in ATTACKS:
        cells = [peer["attacks"].get(attack.name) for peer in peers.values()]
        if any(cells):
            told = [
                text
                for c in cells
                for text in (
                    (f"{c['exact']} of {c['of']} ({c['bits_right']:.2f})", str(c["ours"]))
                    if c
                    else ("", "")
                )
            ]
            rows.append([attack.name, *told])
    return _table(rows)


def null_line(found: Figures) -> str:
    """Return how often a mark was found where none is."""
    seen = found["null"]
    largest = "" if seen["largest_statistic"] is None else (
        f" The largest statistic of an id with a right CRC was {seen['largest_statistic']} "
        f"(0: there was none), {seen['threshold']} is needed; `benchmarks.watermark_null` tells it "
        "without the CRC's help."
    )  # fmt: skip
    return (
        f"{seen['false_accepts']} false accepts in {seen['searches']} searches of attacked clips "
        f"({seen['clips_never_marked']} never marked, {seen['clips_marked_with_another_key']} "
        f"marked with another key).{largest} Wrong ids in clips searched with their own key: "
        f"{seen['wrong_ids_in_marked_clips']}."
    )


def page(found: Figures) -> str:
    """Return what docs/watermark.md says of the results."""
    settings = found["settings"]
    attacks = {name for clip in found["clips"].values() for name in clip["attacks"]}
    intro = (
        f"{len(found['clips'])} clips, {len(attacks)} attacks, {settings['keys']} keys and "
        f"payloads for each pair, strength {settings['strength']}; attacked: "
        f"{settings['attacked']}. A cell counts only if the exact id came back. Every cell is in "
        f"[the report](../benchmarks/results/{NAME}.md)."
    )
    picture = f"![Attacks by clips](../benchmarks/results/{NAME}.svg)"
    parts = [intro, tiers(found), picture, "What did not come back:", _losses(found)]
    parts += ["What it costs, on raw frames before the encode:", visibility(found)]
    parts.append(null_line(found))
    if found["peers"]:
        parts += [
            "Other marks on the same clips and attacks, each given the first frames of a clip:",
            compared(found),
        ]
    return "\n\n".join(parts)


def agreement(rows: Rows, results: Path) -> str:
    """Say whether cells measured now came out as in the committed results."""
    path = results / f"{NAME}.json"
    if not path.exists():
        return "There are no committed results to compare with."
    kept = json.loads(path.read_text(encoding="utf-8"))["clips"]
    compared, differ = 0, []
    for task, row in rows.items():
        cell = kept.get(task.clip, {}).get("attacks", {}).get(task.attack)
        if task.work is not Work.MARK or cell is None or 0 < cell["exact"] < cell["of"]:
            continue
        compared += 1
        if (row["outcome"] == Outcome.EXACT) != (cell["exact"] == cell["of"]):
            differ.append(f"{task.clip}, {task.attack}: now {row['outcome']}")
    told = "".join(f"\n- {each}" for each in differ)
    return f"{compared - len(differ)} of {compared} cells agree with the committed results.{told}"


def _losses(found: Figures) -> str:
    lines = []
    for attack in ATTACKS:
        lost = [
            f"{name} ({cell['exact']} of {cell['of']})"
            for name, clip in found["clips"].items()
            if (cell := clip["attacks"].get(attack.name)) and cell["exact"] < cell["of"]
        ]
        if lost:
            lines.append(f"- {tier_of(attack.name)}, {attack.name}: {', '.join(lost)}")
    refused = [
        f"- {name} was not marked: {clip['quality']['reason']}"
        for name, clip in found["clips"].items()
        if "reason" in clip["quality"]
    ]
    return "\n".join(refused + lines) or "Everything came back."


def _told(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    if cell["exact"] == cell["of"]:
        return f"{cell['statistic']:.1f}"
    return f"{cell['exact']} of {cell['of']}" if cell["exact"] else "-"


def _averages(name: str, seen: Mapping[str, Mapping[str, Any]]) -> str:
    values = [row[name] for row in seen.values() if row.get(name) is not None]
    return f"{sum(values) / len(values):.1f}" if values else "-"


def _figure(value: object) -> str:
    if value is None:
        return "-"  # nothing changed at all
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if part < whole else "100 %"


def _table(rows: list[list[Any]]) -> str:
    head, *rest = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *rest])
