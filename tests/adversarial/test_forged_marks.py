"""Somebody without the key makes a new mark out of three clips of ours and puts it on his own.

The code is linear: the product of three aligned tiles is the tile of a fourth id. It is read like
any other, and must lead to nothing but a contradiction.
"""

from pathlib import Path

import numpy as np
import pytest

from audit.home import Home
from audit.report import LayerState, Origin
from audit.status import Status
from benchmarks.robustness.keyless import aligned, estimated, laid_over, product_of, squared_up
from generator.outcome import Released
from generator.request import ProtectRequest
from provenance.clip import StillClip
from provenance.payload import MarkId
from provenance.video import Encoding, MediaLimits, open_video, write_video
from provenance.watermark import Picture
from tests.support import textured
from tests.support.press import new_home, open_press, opened_verifier

PLATFORM = Encoding(crf=18, preset="fast", threads=1)


def filmed(*, seed: int) -> list[Picture]:
    return textured.clip(frames=33, height=480, width=832, seed=seed)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("forged") / "home")


@pytest.fixture(scope="module")
def three(home: Home, tmp_path_factory: pytest.TempPathFactory) -> list[Released]:
    folder, released = tmp_path_factory.mktemp("three"), []
    for seed in (3, 5, 7):
        source = folder / f"{seed}-source.mp4"
        write_video(StillClip(np.stack(filmed(seed=seed)), 16), source, PLATFORM)
        with open_press(home) as pipeline:
            outcome = pipeline.run(ProtectRequest(source, folder / f"{seed}.mp4"))
        assert isinstance(outcome, Released)
        released.append(outcome)
    return released


def test_a_mark_made_of_three_others_is_read_and_contradicted(
    home: Home, three: list[Released], tmp_path: Path
) -> None:
    tiles = [
        estimated([frame.rgb for frame in open_video(each.path, MediaLimits()).frames()])
        for each in three
    ]
    first, second, third = (MarkId.from_hex(each.mark_id).value for each in three)
    marked = laid_over(filmed(seed=11), product_of(squared_up(aligned(tiles))), 1.0)
    forged = tmp_path / "forged.mp4"
    write_video(StillClip(np.stack(marked), 16), forged, PLATFORM)

    with opened_verifier(home) as verifier:
        report = verifier.verify(forged)

    (search,) = report.watermark.evidence["searches"]
    assert search["mark_id"] == MarkId(first ^ second ^ third).hex  # valid, and never issued
    assert report.status is Status.CONTRADICTED
    assert report.log.state is LayerState.CONFLICT
    assert report.origin is not Origin.OURS
