"""What the rows come to: counts per clip and attack, by tier, wrong finds, and the peers.

figures(rows, setup, left_out) -> plain JSON values, as in results/watermark.json
"""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from benchmarks.robustness.clips import CLIPS, Kind, named
from benchmarks.robustness.task import Outcome, Row, Setup, Task, Work, is_marked
from tests.support.attacks import ATTACKS
from tests.support.promises import Tier, tier_of

Rows = Mapping[Task, Row]
Figures = dict[str, Any]


def figures(rows: Rows, setup: Setup, left_out: Mapping[str, str]) -> Figures:
    """Return everything that the report says."""
    measured = [clip.name for clip in CLIPS if _of(rows, Work.MARK, clip.name)]
    return {
        "settings": {
            "strength": setup.strength,
            "frames": setup.frames,
            "attacked": "as released, H.264 CRF 18" if setup.released else "raw marked frames",
            "keys": 1 + max((task.turn for task in rows if task.work is Work.MARK), default=-1),
        },
        "left_out": dict(left_out),
        "clips": {name: _clip(rows, name) for name in measured},
        "tiers": _tiers(rows),
        "null": _null(rows),
        "peers": _peers(rows),
    }


def _of(rows: Rows, work: Work, clip: str) -> list[tuple[Task, Row]]:
    return [(t, row) for t, row in rows.items() if t.work is work and t.clip == clip]


def _clip(rows: Rows, name: str) -> Figures:
    (quality,) = [row for _, row in _of(rows, Work.QUALITY, name)] or [{}]
    marks = _of(rows, Work.MARK, name)
    attacks = {
        attack.name: _cell([row for task, row in marks if task.attack == attack.name])
        for attack in ATTACKS
    }
    return {
        "kind": named(name).kind,
        "quality": quality,
        "attacks": {attack: cell for attack, cell in attacks.items() if cell["of"]},
    }


def _cell(rows: list[Row]) -> Figures:
    exact = [row for row in rows if row["outcome"] == Outcome.EXACT]
    told = exact or rows
    return {
        "exact": len(exact),
        "wrong": sum(row["outcome"] == Outcome.WRONG for row in rows),
        "refused": sum(row["outcome"] == Outcome.REFUSED for row in rows),
        "of": len(rows),
        "statistic": round(median(row["statistic"] for row in told), 1) if told else None,
        "cpu_s": round(median(row["cpu_s"] for row in rows), 2) if rows else None,
        "geometry": exact[0]["geometry"] if exact else None,
    }


def _tiers(rows: Rows) -> Figures:
    found: Figures = {tier: {} for tier in Tier}
    for tier in Tier:
        for kind in Kind:
            told = [
                row["outcome"]
                for task, row in rows.items()
                if task.work is Work.MARK
                and tier_of(task.attack) is tier
                and named(task.clip).kind is kind
            ]
            if told:
                found[tier][kind] = {"exact": told.count(Outcome.EXACT), "of": len(told)}
    return found


def spread(values: list[float]) -> Figures:
    """Return the least, median and most of some figures, and how many there are."""
    ordered = sorted(values)
    if not ordered:
        return {"of": 0}
    return {
        "of": len(ordered),
        "least": ordered[0],
        "median": round(median(ordered), 2),
        "95 of 100 up to": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)],
        "most": ordered[-1],
    }


def _null(rows: Rows) -> Figures:
    told = [(task, row) for task, row in rows.items() if task.work is Work.NULL]
    never = [row for task, row in told if not is_marked(task)]
    other = [row for task, row in told if is_marked(task)]
    return {
        "searches": len(told),
        "clips_never_marked": len(never),
        "clips_marked_with_another_key": len(other),
        "false_accepts": _hits(row for _, row in told),
        "largest_statistic": max((row["statistic"] for _, row in told), default=None),
        "threshold": max((row["threshold"] for _, row in told), default=None),
        # Searches of marked clips with their own key find nothing else either:
        "wrong_ids_in_marked_clips": sum(
            row["outcome"] == Outcome.WRONG for t, row in rows.items() if t.work is Work.MARK
        ),
    }


def _hits(rows: Iterable[Row]) -> int:
    return sum(row["state"] != "not_found" or row["outcome"] == Outcome.WRONG for row in rows)


def _peers(rows: Rows) -> Figures:
    names = dict.fromkeys(task.peer for task in rows if task.work is Work.PEER)
    return {name: _peer(rows, name) for name in names}


def beside_ours(rows: Rows, before: Figures) -> Figures:
    """Return the other marks of an earlier report, with our cells of these rows beside them.

    Other marks take long and do not change when ours does.

    Args:
        rows: of a run that did not measure them.
        before: a report that did, whose clips and attacks are among the rows.
    """
    found = {name: {**peer, "attacks": {}} for name, peer in before["peers"].items()}
    for name, peer in found.items():
        for attack, cell in before["peers"][name]["attacks"].items():
            cells = (Task(0, clip, Work.PEER, attack=attack) for clip in peer["quality"])
            ours = sum(rows[_our_cell(task)]["outcome"] == Outcome.EXACT for task in cells)
            peer["attacks"][attack] = {**cell, "ours": ours}
        peer.update(_counted(peer["attacks"]))
    return found


def _peer(rows: Rows, name: str) -> Figures:
    cells = {t: row for t, row in rows.items() if t.work is Work.PEER and t.peer == name}
    quality = {
        t.clip: row for t, row in rows.items() if t.work is Work.PEER_QUALITY and t.peer == name
    }
    attacks: Figures = {}
    for attack in ATTACKS:
        told = {
            task.clip: row
            for task, row in cells.items()
            if task.attack == attack.name and _our_cell(task) in rows
        }
        ours = [rows[_our_cell(Task(0, clip, Work.PEER, attack=attack.name))] for clip in told]
        if told:
            attacks[attack.name] = {
                "exact": sum(row["outcome"] == Outcome.EXACT for row in told.values()),
                "ours": sum(row["outcome"] == Outcome.EXACT for row in ours),
                "of": len(told),
                "bits_right": round(median(row["bits_right"] for row in told.values()), 2),
            }
    return {
        **_counted(attacks),
        "quality": quality,
        "detect_cpu_s": spread([row["cpu_s"] for row in cells.values()]),
        "attacks": attacks,
    }


def _counted(attacks: Figures) -> Figures:
    return {
        "exact": sum(cell["exact"] for cell in attacks.values()),
        "ours": sum(cell["ours"] for cell in attacks.values()),
        "of": sum(cell["of"] for cell in attacks.values()),
        "we_are_behind_on": [n for n, cell in attacks.items() if cell["exact"] > cell["ours"]],
    }


def _our_cell(task: Task) -> Task:
    """Return the cell of our mark on the same clip and attack, with the first key."""
    return Task(0, task.clip, Work.MARK, attack=task.attack)
