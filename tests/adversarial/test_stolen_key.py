"""A thief with our signing key and without our log: nothing that he signs is ever `intact`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.bodies import Withdrawn
from audit.home import Home
from audit.report import LayerState, Origin, Report
from audit.status import Status
from audit.wiring import now
from generator.outcome import Released
from provenance.claims import Claims
from provenance.manifest import build
from tests.support import thief
from tests.support.drawing import drawn_video
from tests.support.pki import Desk, without_record
from tests.support.press import new_home, opened_log, opened_verifier, released_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stolen")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


@pytest.fixture(scope="module")
def ours(home: Home, folder: Path) -> Released:
    return released_clip(home, folder, name="ours")


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Path:
    """What the thief wants to pass off as ours."""
    return drawn_video(folder / "lie.mp4", 12, width=160, height=120, seed=99)


@pytest.fixture(scope="module")
def desk(home: Home) -> Desk:
    return thief.stolen_desk(home)


def verified(home: Home, path: Path) -> Report:
    with opened_verifier(home) as verifier:
        return verifier.verify(path)


@pytest.mark.parametrize(
    "forge",
    [
        lambda _pictures, _claims: without_record(),
        thief.with_foreign_origin,
        thief.with_malformed_record,
        thief.with_two_records,
        thief.with_copied_record,
    ],
    ids=["no record", "another log's origin", "a malformed record", "two records", "a copied one"],
)
def test_our_key_without_our_release_is_contradicted_whatever_the_manifest_says_of_a_log(
    forge: Callable[[Path, Claims], thief.Manifest],
    home: Home,
    ours: Released,
    pictures: Path,
    desk: Desk,
    tmp_path: Path,
) -> None:
    manifest = forge(pictures, thief.claims_of(ours.path))
    desk.sign_manifest(pictures, tmp_path / "forged.mp4", manifest)

    report = verified(home, tmp_path / "forged.mp4")

    assert report.status is Status.CONTRADICTED
    assert report.log.state is LayerState.CONFLICT
    assert report.origin is not Origin.OURS
    assert report.records == ()


def test_a_manifest_that_wears_the_label_of_a_released_clip_is_altered(
    home: Home, ours: Released, pictures: Path, desk: Desk, tmp_path: Path
) -> None:
    worn = {"label": thief.label_of(ours.path), **without_record()}
    desk.sign_manifest(pictures, tmp_path / "forged.mp4", worn)

    report = verified(home, tmp_path / "forged.mp4")

    assert report.status is Status.ALTERED
    assert report.log.state is LayerState.CONFLICT


def test_a_still_image_under_our_key_is_contradicted_too(
    home: Home, desk: Desk, tmp_path: Path
) -> None:
    """Our own reader does not open a JPEG: the serial number of the certificate gives it away."""
    report = verified(home, thief.signed_picture(desk, tmp_path / "forged.jpg"))

    assert report.content_credentials.evidence["trust"] == "trusted"
    assert report.status is Status.CONTRADICTED
    assert report.origin is Origin.UNKNOWN


def test_what_was_signed_and_then_withdrawn_is_contradicted(home: Home, tmp_path: Path) -> None:
    clip = released_clip(home, tmp_path, name="withdrawn", seed=31)
    attempt = clip.entry.record.attempt
    with opened_log(home) as ledger:
        ledger.commit(ledger.record(Withdrawn("for the test"), now=now(), attempt=attempt))

    report = verified(home, clip.path)

    assert report.status is Status.CONTRADICTED
    assert report.log.state is LayerState.CONFLICT


def test_without_the_log_at_hand_the_key_is_all_there_is_and_that_is_said(
    home: Home, pictures: Path, desk: Desk, tmp_path: Path
) -> None:
    """No reader can know better: SECURITY.md says so."""
    desk.sign_manifest(pictures, tmp_path / "forged.mp4", without_record())

    with opened_verifier(home) as verifier:
        alone = replace(verifier, ledger=None)
        report = alone.verify(tmp_path / "forged.mp4")

    assert report.log.state is LayerState.NOT_CHECKED
    assert any(gap.startswith("log:") for gap in report.gaps)


def test_the_digest_of_the_boxes_is_no_help_to_a_thief(
    home: Home, ours: Released, desk: Desk, tmp_path: Path
) -> None:
    """He signs our own pictures again, mark and all, and says exactly what we said."""
    pictures = thief.reencoded(ours.path, tmp_path / "pictures.mp4")
    claims = thief.claims_of(ours.path)
    desk.sign_manifest(
        pictures,
        tmp_path / "forged.mp4",
        build(claims, unbound_sha256="00" * 32),
    )
    desk.sign(pictures, tmp_path / "better.mp4", claims)

    assert verified(home, tmp_path / "forged.mp4").status is Status.ALTERED
    assert verified(home, tmp_path / "better.mp4").status is Status.CONTRADICTED
