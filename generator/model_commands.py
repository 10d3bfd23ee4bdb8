"""`countermark model`: give a folder of weights its identity, and ask whether it still has it.

Neither command loads a model, so both run where torch is not installed.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import typer

from audit.home import find_home
from generator.errors import ModelUnavailable
from generator.models import shipped
from generator.models.checks import check_index, count_experts
from generator.presets import every_preset, find_preset, tiny
from generator.settings import GeneratorSettings, Settings
from generator.weights import MANIFEST_NAME, WeightsManifest, pin, verify_folder


def pin_model(folder: Path, *, as_json: bool) -> None:
    """Hash a Wan folder, write its listing into it, and print what to put into the settings.

    Raises:
        ModelUnavailable: it is no Wan pipeline, holds something that is refused, or is read-only.
    """
    manifest = pin(folder)
    root = folder.resolve()
    preset = _preset_for(root)
    if as_json:
        _echo_json(manifest, model="wan", folder=root, preset=preset)
        return
    typer.echo(f"root digest  {manifest.root_digest}")
    typer.echo(f"holds        {_counted(manifest)}; listed in {root / MANIFEST_NAME}")
    typer.echo("")
    typer.echo("To make clips with it, put this into countermark.toml:")
    typer.echo("")
    typer.echo("[generator]")
    typer.echo('model = "wan"')
    # A JSON text is a TOML text: quotes and backslashes in a path are escaped alike.
    typer.echo(f"model_folder = {json.dumps(str(root))}")
    typer.echo(f'model_digest = "{manifest.root_digest}"')
    typer.echo(f'preset = "{preset}"')


def check_model(home: Path | None, *, as_json: bool) -> None:
    """Hash the configured model's folder, every byte of it, and say whether it is the pinned one.

    Raises:
        ModelUnavailable: it is not, or cannot be asked.
    """
    found = find_home(home)
    chosen = Settings.load(found.settings).generator
    pinned = _pinned(chosen, found.path)
    verified = verify_folder(pinned.folder, expected=pinned.digest)
    check_index(verified.folder, find_preset(pinned.preset))
    if as_json:
        _echo_json(
            verified.manifest, model=chosen.model, folder=verified.folder, preset=pinned.preset
        )
        return
    typer.echo(f"root digest  {verified.manifest.root_digest}, as pinned for {chosen.model}")
    typer.echo(f"holds        {_counted(verified.manifest)}, every byte read")


@dataclass(frozen=True, slots=True)
class _Pinned:
    """What somebody decided on: a folder, its root digest and how it is run."""

    folder: Path
    digest: str
    preset: str | None


def _pinned(chosen: GeneratorSettings, home: Path) -> _Pinned:
    if chosen.model == tiny().name:
        return _Pinned(shipped.folder(), shipped.DIGEST, tiny().name)
    if chosen.model != "wan":
        raise ModelUnavailable(
            f"the model {chosen.model!r} comes from another package, which alone knows its "
            "weights; `countermark model check` knows tiny and wan"
        )
    if chosen.model_folder is None or chosen.model_digest is None:
        raise ModelUnavailable(
            "the model `wan` needs `model_folder` and `model_digest` in [generator]; "
            "`countermark model pin` prints them"
        )
    return _Pinned(home / chosen.model_folder, chosen.model_digest, chosen.preset)


def _preset_for(folder: Path) -> str:
    """Return the preset of Wan2.2 that has as many experts as the folder."""
    experts = count_experts(folder)
    others = [preset for preset in every_preset().values() if preset != tiny()]
    return next(preset.name for preset in others if preset.experts == experts)


def _counted(manifest: WeightsManifest) -> str:
    megabytes = sum(file.size for file in manifest.files) / 1e6
    return f"{len(manifest.files)} files, {megabytes:,.1f} MB"


def _echo_json(manifest: WeightsManifest, *, model: str, folder: Path, preset: str | None) -> None:
    values = {
        "model": model,
        "folder": str(folder),
        "digest": manifest.root_digest,
        "preset": preset,
        "files": len(manifest.files),
        "bytes": sum(file.size for file in manifest.files),
    }
    typer.echo(json.dumps(values, indent=2))
