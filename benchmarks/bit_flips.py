"""Flip bits of released clips, verify each copy for real, and count the statuses.

    python -m benchmarks.bit_flips [FLIPS]

Two clips are taken through the whole journey (`tests.support.press`): silent, and with sound. Of
the first FLIPS (2,000) random bits are flipped, and one bit in every 64th byte of the box that
holds the manifest; of the second a quarter of that. Each copy goes through `ClipVerifier`, confined
child and all, as a newsroom has it: the issuer's two roots, no log and no key of the mark, so that
nothing but the file itself can give the change away. Every tenth copy goes through the issuer's own
verifier as well. A flip is missed when the status is neither `altered` nor `unreadable`.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audit.home import Home
from audit.settings import ReadSettings
from audit.status import Status
from audit.verifier import ClipVerifier
from audit.wiring import open_verifier
from benchmarks.stamp import keep
from generator.outcome import Released
from generator.request import ProtectRequest
from tests.support import forgery
from tests.support.drawing import drawn_video, video_with_sound
from tests.support.press import new_home, open_press, opened_verifier

FLIPS, SEED = 2000, 20261122
BOX_STEP, OWN_STEP = 64, 10
CAUGHT = frozenset({Status.ALTERED, Status.UNREADABLE})

Place = tuple[int, int]  # byte, bit


def main() -> None:
    """Release, flip, verify and count."""
    flips = int(sys.argv[1]) if len(sys.argv) > 1 else FLIPS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = new_home(folder / "home")
        newsroom = open_verifier(
            ReadSettings(),
            home=None,
            ledger=None,
            claim_trust=[home.root_certificate],
            timestamp_trust=[home.timestamp_root],
        )
        sources = {
            "silent": (drawn_video(folder / "silent.mp4"), flips),
            "sound": (video_with_sound(folder / "sound.mp4"), flips // 4),
        }
        clips = {
            label: examined(home, released(home, source), newsroom, count)
            for label, (source, count) in sources.items()
        }
    keep({"flips": flips, "seed": SEED, "clips": clips})


def released(home: Home, source: Path) -> Path:
    """Take a clip through the whole journey."""
    target = source.with_name(f"{source.stem}-released.mp4")
    with open_press(home) as pipeline:
        outcome = pipeline.run(ProtectRequest(source, target))
    if not isinstance(outcome, Released):
        raise TypeError(f"the clip was not released: {outcome}")
    return outcome.path


def examined(home: Home, clip: Path, newsroom: ClipVerifier, flips: int) -> dict[str, object]:
    """Flip bits of one released clip and count what becomes of the copies."""
    content = clip.read_bytes()
    box = forgery.credentials_box_of(clip)
    anywhere = [(at, bit) for at, bit, _ in forgery.random_flips(content, flips, seed=SEED)]
    # Fewer in the box as well when fewer were asked for: a trial run must stay one.
    boxed = [(at, at % 8) for at in range(box.start, box.end, BOX_STEP)][:flips]
    with opened_verifier(home) as own:
        unchanged = {
            "newsroom": newsroom.verify(clip).status.value,
            "issuer": own.verify(clip).status.value,
        }
        return {
            "bytes": len(content),
            "unchanged": unchanged,
            "random_bits": counted(clip.parent, content, anywhere, newsroom),
            "one_bit_in_bytes_of_the_manifest_box": {
                "every": BOX_STEP,
                **counted(clip.parent, content, boxed, newsroom),
            },
            "random_bits_at_the_issuer": counted(clip.parent, content, anywhere[::OWN_STEP], own),
        }


def counted(
    folder: Path, content: bytes, places: list[Place], verifier: ClipVerifier
) -> dict[str, object]:
    """Return how often each status came, and where a change was missed."""
    began = time.perf_counter()
    found = list(verified(folder, content, places, verifier))
    statuses = Counter(status.value for _, status in found)
    return {
        "flips": len(places),
        "statuses": dict(statuses.most_common()),
        "missed": [place for place, status in found if status not in CAUGHT],
        "seconds_each": round((time.perf_counter() - began) / max(1, len(places)), 2),
    }


def verified(
    folder: Path, content: bytes, places: list[Place], verifier: ClipVerifier
) -> Iterator[tuple[Place, Status]]:
    """Verify a copy for each place, as many at once as there are cores; say how far it got."""

    def one(place: Place) -> tuple[Place, Status]:
        copy = folder / f"{place[0]}-{place[1]}.mp4"
        copy.write_bytes(forgery.flipped(content, *place))
        status = verifier.verify(copy).status
        copy.unlink()
        return place, status

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # the work is done by child processes
        for number, found in enumerate(threads.map(one, places), start=1):
            yield found
            if number % 100 == 0:
                print(f"{number} of {len(places)}", file=sys.stderr)


if __name__ == "__main__":
    main()
