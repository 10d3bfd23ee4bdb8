"""Public C2PA files, where a copy of them is at hand: each is answered, and as expected."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from provenance.credentials import CredentialsEvidence, Integrity, Presence, TrustState, examine
from provenance.trust import TrustLists

# Early certificates break rules that newer libraries will enforce.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


@pytest.fixture(scope="module")
def files(shared_data: Path) -> Path:
    return shared_data / "c2pa"


@pytest.fixture(scope="module")
def trust(files: Path) -> TrustLists:
    lists = files / "trust"
    return TrustLists.load(
        claim=(lists / "C2PA-TRUST-LIST.pem", lists / "test_cert_root_bundle.pem"),
        timestamp=(lists / "C2PA-TSA-TRUST-LIST.pem",),
    )


@pytest.mark.parametrize(
    ("name", "presence", "integrity", "trust_state"),
    [
        ("c2pa-rs/C.jpg", Presence.PRESENT, Integrity.HOLDS, TrustState.UNTRUSTED),
        ("c2pa-rs/boxhash.jpg", Presence.PRESENT, Integrity.HOLDS, TrustState.TRUSTED),
        ("c2pa-rs/XCA.jpg", Presence.PRESENT, Integrity.BROKEN, TrustState.UNTRUSTED),
        ("c2pa-rs/E-sig-CA.jpg", Presence.PRESENT, Integrity.BROKEN, TrustState.UNTRUSTED),
        ("c2pa-rs/CACAE-uri-CA.jpg", Presence.PRESENT, Integrity.BROKEN, TrustState.UNTRUSTED),
        ("c2pa-rs/CIE-sig-CA.jpg", Presence.PRESENT, Integrity.BROKEN, TrustState.UNTRUSTED),
        ("c2pa-rs/ocsp.jpg", Presence.PRESENT, Integrity.HOLDS, TrustState.EXPIRED),
        ("c2pa-rs/legacy.mp4", Presence.PRESENT, Integrity.HOLDS, TrustState.EXPIRED),
        ("c2pa-rs/video1.mp4", Presence.PRESENT, Integrity.HOLDS, TrustState.UNTRUSTED),
        ("c2pa-rs/video1_no_manifest.mp4", Presence.ABSENT, None, None),
        ("c2pa-rs/cloud.jpg", Presence.ELSEWHERE, None, None),
        ("c2pa-rs/nested_moov_1000.mp4", Presence.UNREADABLE, None, None),
        ("c2pa-rs/tiff_poc.tiff", Presence.UNREADABLE, None, None),
        ("encypher/signed_test.mp4", Presence.PRESENT, Integrity.HOLDS, TrustState.UNTRUSTED),
    ],
)
def test_a_public_file_is_judged_as_it_should_be(
    name: str,
    presence: Presence,
    integrity: Integrity | None,
    trust_state: TrustState | None,
    files: Path,
    trust: TrustLists,
) -> None:
    evidence = examine(files / name, trust)

    assert (evidence.presence, evidence.integrity, evidence.trust) == (
        presence,
        integrity,
        trust_state,
    )


def test_no_public_file_makes_us_raise_or_cross_a_process_boundary_badly(
    files: Path, trust: TrustLists
) -> None:
    kinds = {".jpg", ".jpeg", ".png", ".mp4", ".mov", ".avi", ".wav", ".mp3", ".tiff", ".m4s"}
    found = [path for path in sorted(files.rglob("*")) if path.suffix in kinds]

    evidence = [examine(path, trust) for path in found]

    assert len(found) > 50
    shape = TypeAdapter(CredentialsEvidence)
    assert all(shape.validate_json(shape.dump_json(one), strict=True) == one for one in evidence)
