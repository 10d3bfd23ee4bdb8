"""What the issuer still recognises where a search reads nothing: registry-assisted reading.

    python -m benchmarks.mark_issued [--ids 1000000] [--clips FOLDER] [--cache FOLDER]

Takes the everyday and hard cells that `watermark.json` counts as lost, marks and attacks each clip
again, and holds what the search leaves against so many issued ids, the right one among them, and
against as many without it: that must never find one. Cells are kept as they are done, and a run
that was stopped goes on where it was.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness import material
from benchmarks.robustness.cells import key_of, mark_id_of
from benchmarks.robustness.journal import bases
from benchmarks.robustness.quality import Frames
from benchmarks.robustness.task import Setup, Work
from benchmarks.stamp import RESULTS, keep
from provenance.watermark import Detection
from provenance.watermark.tile import open_watermarker
from tests.support.attacks import named
from tests.support.promises import Tier, tier_of

NAME = "mark_issued"


def main() -> None:
    parser = material.options(__doc__)
    parser.add_argument("--ids", type=int, default=1_000_000)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    basis = bases(Setup(asked.cache))[Work.MARK]
    so_far = asked.cache / f"{NAME}_so_far.json"  # a run that was stopped is no result
    done = kept(so_far, basis, asked.ids)
    issued = np.random.default_rng(7).integers(0, 256, (asked.ids, 8), dtype=np.uint8)
    for clip, attack, turn in weak():
        name = f"{clip} | {attack} | {turn}"
        if name not in done:
            done[name] = measure(material.frames(clip, asked), clip, attack, turn, issued)
            print(name, done[name], flush=True)
            keep(told(done, basis, asked.ids), name=so_far.stem, folder=asked.cache, shown=False)
    keep(told(done, basis, asked.ids), shown=False)


def told(done: dict[str, Any], basis: str, ids: int) -> dict[str, Any]:
    """Return the figures of some cells."""
    return {"ids": ids, "basis": basis, "tiers": summed(done), "cells": done}


def kept(result: Path, basis: str, ids: int) -> dict[str, Any]:
    """Return the cells of a run that was stopped; none that another mark or attack gave."""
    if not result.exists():
        return {}
    before = json.loads(result.read_text(encoding="utf-8"))
    same = (before.get("basis"), before["ids"]) == (basis, ids)
    return before["cells"] if same else {}


def weak() -> Iterator[tuple[str, str, int]]:
    """Yield clip, attack and turn of everyday and hard cells that did not all come back."""
    for name, clip in json.loads((RESULTS / "watermark.json").read_text())["clips"].items():
        for attack, cell in clip["attacks"].items():
            promised = tier_of(attack) in {Tier.EVERYDAY, Tier.HARD}
            if promised and cell["exact"] < cell["of"]:
                yield from ((name, attack, turn) for turn in range(cell["of"]))


def measure(
    frames: Frames, clip: str, attack: str, turn: int, issued: NDArray[np.uint8]
) -> dict[str, Any]:
    """Return what one cell comes to, blind and with the issued ids."""
    marker, mark_id = open_watermarker(key_of(clip, turn)), mark_id_of(clip, turn)
    blind = marker.detect(named(attack).change(list(marker.embed(frames, mark_id))))
    others = marker.recognise(blind, issued)
    among = issued.copy()
    among[len(issued) // 2] = np.frombuffer(bytes.fromhex(mark_id.hex), np.uint8)
    begun = time.process_time()
    found = marker.recognise(blind, among)
    spent_s = time.process_time() - begun
    return {
        "read_blind": blind.mark_id is not None,
        "state": blind.state.value,
        "recognised": found.mark_id == mark_id,
        "wrong": is_wrong(found, mark_id.value) or is_wrong(others, mark_id.value),
        "statistic": round(found.statistic, 2),
        "cpu_s": round(spent_s, 2),
    }


def is_wrong(found: Detection, right: int) -> bool:
    """Return whether another id than the right one was found."""
    return found.mark_id is not None and found.mark_id.value != right


def summed(cells: dict[str, Any]) -> dict[str, Any]:
    """Return the counts by tier and kind of clip."""
    kinds = json.loads((RESULTS / "watermark.json").read_text())["clips"]
    rows: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell["read_blind"]:
            continue
        clip, attack, _ = name.split(" | ")
        row = rows.setdefault(tier_of(attack).value, {}).setdefault(
            kinds[clip]["kind"], {"lost": 0, "recognised": 0, "wrong": 0}
        )
        row["lost"] += 1
        row["recognised"] += cell["recognised"]
        row["wrong"] += cell["wrong"]
    return rows


if __name__ == "__main__":
    main()
