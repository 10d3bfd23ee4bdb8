"""A training run that counts steps and survives being cut off.

Everything random in a step comes from (seed, step), so a checkpoint holds weights, their moving
average, the optimiser and the step, and a resumed run does what an uncut one would have done.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import nn

CHECKPOINT_SECONDS = 60.0  # what a cut may cost
LOG_STEPS = 25
WARM_UP = 30  # steps
PLATEAU = 0.3  # of a run at its peak rate


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run is and how fast it learns.

    Attributes:
        name: of its checkpoint.
        steps: in all.
        peak: highest learning rate.
        floor: share of the peak that the cosine ends on.
    """

    name: str
    steps: int
    peak: float
    floor: float = 0.03

    def rate(self, step: int) -> float:
        """Return a step's learning rate: a warm-up, a plateau, then a cosine to the floor."""
        done = step / self.steps
        fall = 0.5 * (1 + math.cos(math.pi * (done - PLATEAU) / (1 - PLATEAU)))
        decay = 1.0 if done < PLATEAU else self.floor + (1 - self.floor) * fall
        return self.peak * min(1.0, (step + 1) / WARM_UP) * decay


class Run:
    """Optimiser, moving average, checkpoint and log of one training run."""

    def __init__(self, folder: Path, plan: Plan, models: Sequence[nn.Module]) -> None:
        self.folder, self.plan = folder, plan
        self.parameters: list[torch.Tensor] = [
            p for model in models for p in model.parameters() if p.requires_grad
        ]
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=plan.peak, betas=(0.9, 0.97), weight_decay=0.01
        )
        self.step = 0
        self._seen: dict[str, list[float]] = {}
        self._saved = time.monotonic()

    @classmethod
    def open(cls, folder: Path, plan: Plan, models: Sequence[nn.Module]) -> Self:
        """Start a run, or go on from its checkpoint when there is one."""
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(folder, plan, models)
        if run.checkpoint.exists():
            run._load()
        return run

    @classmethod
    def resume(
        cls, folder: Path, plan: Plan, models: Sequence[nn.Module], *, at_least: int
    ) -> Self:
        """Return a run that has come so far; what builds on it must not start from nothing.

        Raises:
            FileNotFoundError: it has not.
        """
        run = cls.open(folder, plan, models)
        if run.step < at_least:
            raise FileNotFoundError(
                f"the run {plan.name!r} in {folder} is at step {run.step}, at least {at_least} are "
                "needed; run the stages in their order"
            )
        return run

    @property
    def checkpoint(self) -> Path:
        """Where the run's state lies."""
        return self.folder / f"{self.plan.name}.pt"

    def advance(self, loss: torch.Tensor, figures: dict[str, float]) -> None:
        """Take one optimiser step, and log and save when it is time."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(
                f"{self.plan.name} has a gradient of {norm} at step {self.step}"
            )
        self.optimiser.step()
        with torch.no_grad():
            keep = min(0.998, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(self.average, self.parameters, 1 - keep)
        self.step += 1
        for key, value in figures.items():
            self._seen.setdefault(key, []).append(value)
        if self.step % LOG_STEPS == 0:
            self._log()
        if time.monotonic() - self._saved > CHECKPOINT_SECONDS or self.step == self.plan.steps:
            self.save()

    def use_average(self) -> None:
        """Put the moving average into the models."""
        with torch.no_grad():
            for parameter, average in zip(self.parameters, self.average, strict=True):
                parameter.copy_(average)

    def save(self) -> None:
        """Write the checkpoint: a new file that then takes the old one's place."""
        state = {
            "step": self.step,
            "parameters": [p.detach() for p in self.parameters],
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.checkpoint)
        self._saved = time.monotonic()

    def _load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.step = state["step"]
        self.optimiser.load_state_dict(state["optimiser"])
        with torch.no_grad():
            for parameter, value in zip(self.parameters, state["parameters"], strict=True):
                parameter.copy_(value)
            for average, value in zip(self.average, state["average"], strict=True):
                average.copy_(value)

    def _log(self) -> None:
        line = {"run": self.plan.name, "step": self.step, "cpu_s": round(time.process_time(), 1)}
        line |= {key: round(sum(seen) / len(seen), 4) for key, seen in self._seen.items()}
        self._seen.clear()
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
