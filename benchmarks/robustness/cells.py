"""One cell of the measurement: mark a clip, attack it, look for the mark, keep what came.

A cell counts as exact only if the exact payload comes back. Cells run in worker processes, each
with one thread; a cell that breaks says how, and the others go on.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness import clips, peers
from benchmarks.robustness.quality import quality
from benchmarks.robustness.task import Outcome, Row, Setup, Task, Work, is_marked
from provenance.errors import MarkDoesNotHold
from provenance.payload import MarkId
from provenance.watermark import Detection, Watermarker
from provenance.watermark.tile import open_watermarker
from tests.support import reencode
from tests.support.attacks import named

RELEASE_CRF = 18  # as `provenance.video.Encoding` releases a clip

Frames = Sequence[NDArray[np.uint8]]


def run(task: Task, setup: Setup) -> Row:
    """Return what one cell came to, as plain JSON values."""
    measure = {
        Work.MARK: _mark,
        Work.NULL: _null,
        Work.QUALITY: _quality,
        Work.PEER: _peer,
        Work.PEER_QUALITY: _peer_quality,
    }
    try:
        return measure[task.work](task, setup)
    except Exception as error:  # noqa: BLE001 - an attack may break whatever it meets; it is a result
        return _broken(task, error)


def _broken(task: Task, error: Exception) -> Row:
    if isinstance(error, MarkDoesNotHold) and task.work in {Work.MARK, Work.QUALITY}:
        return {
            "outcome": Outcome.REFUSED, "reason": str(error), "state": "refused", "statistic": 0.0,
            "threshold": 0.0, "log10_p": 0.0, "cpu_s": 0.0, "geometry": None,
        }  # fmt: skip
    return {"outcome": Outcome.BROKEN, "reason": f"{type(error).__name__}: {error}"[:300]}


def key_of(clip: str, turn: int) -> bytes:
    """Return the 32 secret bytes that a clip is marked with in one turn."""
    return hashlib.sha256(f"benchmark key {turn} of {clip}".encode()).digest()


def mark_id_of(clip: str, turn: int) -> MarkId:
    """Return the id that a clip carries in one turn."""
    digest = hashlib.sha256(f"benchmark payload {turn} of {clip}".encode()).digest()
    return MarkId(int.from_bytes(digest[:8], "big"))


def _mark(task: Task, setup: Setup) -> Row:
    marked = _marked(task.clip, task.turn, setup)
    begun = time.process_time()
    attacked = named(task.attack).change(marked)
    attack_s = time.process_time() - begun
    marker = open_watermarker(key_of(task.clip, task.turn))
    row = _searched(marker, attacked, mark_id_of(task.clip, task.turn))
    return {**row, "attack_cpu_s": round(attack_s, 2)}


def _null(task: Task, setup: Setup) -> Row:
    source = _marked(task.clip, 0, setup) if is_marked(task) else _frames(task.clip, setup)
    attacked = named(task.attack).change(source)
    wrong = hashlib.sha256(f"wrong key {task.turn} {task.clip} {task.attack}".encode()).digest()
    return _searched(open_watermarker(wrong), attacked, None)


def _searched(marker: Watermarker, frames: Frames, expected: MarkId | None) -> Row:
    begun = time.process_time()
    found = marker.detect(frames)
    spent_s = time.process_time() - begun
    return {
        "outcome": _outcome(found, expected),
        "state": found.state.value,
        "statistic": round(found.statistic, 2),
        "threshold": round(found.threshold, 2),
        "log10_p": round(found.log10_p, 1),
        "cpu_s": round(spent_s, 2),
        "geometry": _geometry(found),
    }


def _outcome(found: Detection, expected: MarkId | None) -> Outcome:
    if found.mark_id is None:
        return Outcome.NOTHING
    return Outcome.EXACT if found.mark_id == expected else Outcome.WRONG


def _geometry(found: Detection) -> Row | None:
    if found.geometry is None:
        return None
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in asdict(found.geometry).items()
        if isinstance(value, bool | int | float)
    }


def _quality(task: Task, setup: Setup) -> Row:
    frames = _frames(task.clip, setup)
    marker = open_watermarker(key_of(task.clip, task.turn))
    begun = time.process_time()
    marked = list(marker.embed(frames, mark_id_of(task.clip, task.turn), strength=setup.strength))
    spent_s = time.process_time() - begun
    height, width = frames[0].shape[:2]
    return {
        "size": f"{width}x{height}",
        "frames": len(frames),
        "embed_frames_per_cpu_s": round(len(frames) / max(spent_s, 1e-9), 1),
        **quality(frames, marked),
    }


def _peer(task: Task, setup: Setup) -> Row:
    peer = peers.open_peer(task.peer)
    _, marked = _peer_marked(task.clip, task.peer, setup)
    attacked = named(task.attack).change(marked)
    sent = _peer_bits(task.clip, peer)
    begun = time.process_time()
    read = peers.majority(peer, attacked)
    spent_s = time.process_time() - begun
    right = float(np.mean(read == sent))
    return {
        "outcome": Outcome.EXACT if right == 1 else Outcome.NOTHING,
        "bits_right": round(right, 3),
        "cpu_s": round(spent_s, 2),
    }


def _peer_quality(task: Task, setup: Setup) -> Row:
    peer = peers.open_peer(task.peer)
    original, marked = _peer_marked(task.clip, task.peer, setup)
    begun = time.process_time()
    peer.embed(np.ascontiguousarray(original[0]), _peer_bits(task.clip, peer))
    spent_s = time.process_time() - begun
    return {
        "frames": len(marked),
        "embed_frames_per_cpu_s": round(1 / max(spent_s, 1e-9), 1),
        **quality(original, marked),
    }


def _peer_bits(clip: str, peer: peers.Peer) -> NDArray[np.uint8]:
    seed = int.from_bytes(hashlib.sha256(f"peer {clip}".encode()).digest()[:8], "big")
    return np.random.default_rng(seed).integers(0, 2, peer.bits).astype(np.uint8)


@lru_cache(maxsize=1)
def _peer_marked(clip: str, name: str, setup: Setup) -> tuple[Frames, Frames]:
    peer = peers.open_peer(name)
    original = _frames(clip, setup)[: peer.frames]
    bits = _peer_bits(clip, peer)
    marked = [peer.embed(np.ascontiguousarray(frame), bits) for frame in original]
    return original, _as_released(marked, setup)


@lru_cache(maxsize=1)
def _marked(clip: str, turn: int, setup: Setup) -> Frames:
    marker = open_watermarker(key_of(clip, turn))
    frames = marker.embed(_frames(clip, setup), mark_id_of(clip, turn), strength=setup.strength)
    return _as_released(list(frames), setup)


def _as_released(frames: Frames, setup: Setup) -> Frames:
    return reencode.h264(frames, crf=RELEASE_CRF) if setup.released else frames


@lru_cache(maxsize=1)
def _frames(clip: str, setup: Setup) -> Frames:
    """Return the clip's frames out of the cache, where the main process has put them."""
    path = clips.prepare(clips.named(clip), setup.cache, None)
    return list(np.load(path, mmap_mode="r")[: setup.frames])
