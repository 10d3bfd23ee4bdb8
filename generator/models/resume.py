"""The state of a half-done run on disk, so that a run that was cut off goes on and ends the same.

One safetensors file: arrays plus a few words, no pickle. It carries the key of the run it belongs
to (request, model, versions); a file of another run, or a torn one, counts as none, since starting
anew gives the same frames.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

FORMAT = "countermark-checkpoint/1"


class CheckpointUnwritable(Exception):
    """The state of a run could not be kept. The run goes on: a checkpoint is a convenience."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A run after `step` steps.

    Attributes:
        key: what run this is of; equal keys give equal frames.
        step: steps done.
        numbers: the solver's counters and each expert's steps so far.
        arrays: latents and the solver's memory.
    """

    key: str
    step: int
    numbers: Mapping[str, int]
    arrays: Mapping[str, NDArray[np.generic]]

    def save(self, path: Path) -> None:
        """Write the file beside its place and move it there, so that a cut leaves a whole one.

        Raises:
            CheckpointUnwritable: the disk is full or the place cannot be written to.
        """
        words = json.dumps(
            {"format": FORMAT, "key": self.key, "numbers": dict(self.numbers), "step": self.step},
            sort_keys=True,
        )
        fresh = path.with_name(path.name + ".new")
        arrays = {k: np.asarray(v, order="C") for k, v in self.arrays.items()}
        try:
            save_file(arrays, fresh, {"run": words})
            fresh.replace(path)
        except (OSError, SafetensorError) as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)  # half a file takes the room that others need
            raise CheckpointUnwritable(f"{path.name} cannot be written ({error})") from error


def load_checkpoint(path: Path, *, key: str) -> Checkpoint | None:
    """Return the checkpoint of that run, or None when there is none to go on from."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            words = json.loads(file.metadata()["run"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        if words["format"] != FORMAT or words["key"] != key:
            return None
        numbers = {str(name): int(value) for name, value in words["numbers"].items()}
        return Checkpoint(key, int(words["step"]), numbers, arrays)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
