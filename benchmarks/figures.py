"""The README's table of figures, made of benchmarks/results: `python -m benchmarks.figures`.

A figure stands in the README only if a result says it; `tests/e2e/test_documents.py` compares.
"""

import json
from collections import Counter
from typing import Any

from benchmarks.stamp import RESULTS


def measured() -> str:
    """Return the table as Markdown."""
    rows = [
        ("Does the embedded model draw what a prompt says?", _tiny(), "tiny_model"),
        ("What does the mark survive?", _mark(), "watermark"),
        ("What do other marks survive on the same clips?", _other_marks(), "watermark"),
        ("What does its issuer still recognise?", _issued(), "mark_issued"),
        ("Is a mark found where none is?", _null(), "watermark"),
        ("Does `protect` hold on public clips?", _protect(), "protect_clips"),
        ("Does a flipped bit ever pass?", _flips(), "bit_flips"),
        ("Does kill -9 leave anything wrong?", _crashes(), "crashes"),
        ("What do the gates stop?", _gates(), "gates"),
        ("What does the log cost?", _ledger(), "ledger"),
        ("How long until an answer?", _start(), "start_up"),
    ]
    lines = ["| question | answer | result |", "|---|---|---|"]
    lines += [
        f"| {asked} | {answer} | [{name}](benchmarks/results/{name}.json) |"
        for asked, answer, name in rows
    ]
    return "\n".join(lines)


def _read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def _tiny() -> str:
    seen = _read("tiny_model")["held_out"]
    shares = ", ".join(
        f"{name} {_percent(seen[name]['share'])} (at least {_percent(seen[name]['lower_95'])})"
        for name in ("background", "colour", "shape", "motion")
    )
    return f"of {seen['clips']} combinations it never saw: {shares}"


def _mark() -> str:
    found = _read("watermark")
    told = []
    for tier in ("everyday", "hard"):
        shares = (f"{kind} {_of(c['exact'], c['of'])}" for kind, c in found["tiers"][tier].items())
        told.append(f"{tier} attacks on clips that are {', '.join(shares)}")
    most, strict = (
        max(clip["quality"][name] for clip in found["clips"].values())
        for name in ("vmaf_lost", "vmaf_neg_lost")
    )
    return f"exact id after {'; '.join(told)}; costs at most {most:.1f} VMAF, {strict:.1f} VMAF-NEG"


def _other_marks() -> str:
    peers = _read("watermark")["peers"]
    told = (
        f"{name} {_of(peer['exact'], peer['of'])}, ours there {_of(peer['ours'], peer['of'])}"
        for name, peer in peers.items()
    )
    return "exact payload: " + "; ".join(told)


def _null() -> str:
    searched = _read("watermark")["null"]
    return (
        "bound 1 in a million for each file, key and kind of answer, proven; "
        f"{searched['false_accepts']} ids in {searched['searches']:,} whole searches of attacked "
        "clips without it"
    )


def _issued() -> str:
    found = _read("mark_issued")
    rows = found["tiers"]["everyday"].items()
    told = ", ".join(f"{kind} {row['recognised']} of {row['lost']}" for kind, row in rows)
    return f"among {found['ids']:,} issued ids, of the everyday cells that are lost: {told}"


def _protect() -> str:
    clips = _read("protect_clips")["clips"].values()
    intact = sum(clip["status"] == "intact" for clip in clips)
    stripped = sum(
        clip["after_crf_28"] == "stripped" and clip["right_mark_after_crf_28"] for clip in clips
    )
    sounding = [clip["sound_kept"] for clip in clips if clip["sound"]]
    most = max(clip["vmaf_lost_to_the_mark"] for clip in clips)
    return (
        f"{intact} of {len(clips)} `intact`, {stripped} `stripped` with the right mark after H.264 "
        f"CRF 28, sound kept in {sum(sounding)} of {len(sounding)}; at most {most:.1f} VMAF lost "
        "to the mark"
    )


def _flips() -> str:
    clips = _read("bit_flips")["clips"].values()
    flips = missed = 0
    statuses: Counter[str] = Counter()
    for clip in clips:
        for part in ("random_bits", "one_bit_in_bytes_of_the_manifest_box"):
            flips += clip[part]["flips"]
            missed += len(clip[part]["missed"])
            statuses.update(clip[part]["statuses"])
    said = ", ".join(f"{count} `{status}`" for status, count in statuses.most_common())
    return f"{missed} of {flips}: {said}"


def _crashes() -> str:
    found = _read("crashes")
    made = found["make_rounds"] if isinstance(found["make_rounds"], int) else 0
    return f"{sum(found['wrong'].values())} faults after {found['rounds'] + made} kills"


def _gates() -> str:
    found = _read("gates")
    harmful = found["recall, default"]["t2v_dev, aspects that words can show"]
    harmless = found["false_alarms, default"]["benign_evalcrafter_dev"]
    told = [
        f"{_percent(seen['blocked'])} are blocked, {_percent(seen['blocked_or_reviewed'])} stopped"
        for seen in (harmful, harmless)
    ]
    return (
        f"of harmful prompts that words can show {told[0]}; of harmless ones {told[1]}; "
        "[model card](docs/model-card-gates.md)"
    )


def _ledger() -> str:
    found = _read("ledger")["figures"]
    return (
        f"{found['commit_cpu_ms_p50']:.1f} ms of CPU a record alone, "
        f"{found['append_cpu_us_per_record_batch_1000'] / 1000:.2f} ms in a batch; "
        f"{found['check_records_per_cpu_s']:,.0f} records checked a CPU second"
    )


def _start() -> str:
    found = _read("start_up")["cpu_s_median_of_5"]
    return "; ".join(f"`{name}` {value:.2f} CPU s" for name, value in found.items())


def _of(part: int, whole: int) -> str:
    return "100 %" if part == whole else f"{100 * part / whole:.1f} %"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


if __name__ == "__main__":
    print(measured())
