"""Steps 9 and 10 of the journey: what is signed is read back, and what the log says of it."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from audit.home import Home
from audit.vocabulary import RecordKind
from audit.wiring import now
from generator import signing
from generator.request import ProtectRequest
from generator.signing import TimestampSource
from provenance.claims import Claims
from provenance.errors import ReadBackFailed
from provenance.manifest import RECORD_LABEL, build
from provenance.pki import DemoPki
from tests.support.drawing import drawn_video
from tests.support.press import new_home, open_press, opened_log, released_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signing")


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    return new_home(folder / "home")


def test_the_log_says_that_the_time_stamp_is_our_own(home: Home, tmp_path: Path) -> None:
    """Our own authority proves no more than our honesty: the log must tell it from a real one."""
    clip = released_clip(home, tmp_path)

    stamp = clip.entry.record.body["timestamp"]
    certificates = x509.load_pem_x509_certificates(
        DemoPki.at(home.keys).timestamp_chain.read_bytes()
    )
    assert isinstance(stamp, dict)
    assert stamp["authority"] == "local"
    assert stamp["certificate_sha256"] == certificates[0].fingerprint(hashes.SHA256()).hex()
    # The authority cuts to whole seconds and was asked before the record was made.
    assert 0 <= clip.entry.record.time_ms - stamp["time_ms"] < 60_000
    assert len(stamp["token_sha256"]) == 64


def test_an_authority_elsewhere_goes_by_its_host() -> None:
    source = TimestampSource(None, "http://stamps.example.org:8080/tsa", now)

    assert source.authority == "stamps.example.org"


def test_a_manifest_that_says_something_else_than_was_claimed_is_not_released(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, trusted by both verifiers, and with another decision in it."""

    def misbuilt(claims: Claims, *, unbound_sha256: str) -> dict[str, Any]:
        manifest = build(claims, unbound_sha256=unbound_sha256)
        record = next(a["data"] for a in manifest["assertions"] if a["label"] == RECORD_LABEL)
        record["decision"] = "review"
        return manifest

    monkeypatch.setattr(signing, "build", misbuilt)
    source, target = drawn_video(tmp_path / "in.mp4"), tmp_path / "out.mp4"

    with (
        open_press(home) as pipeline,
        pytest.raises(ReadBackFailed, match="its decision reads 'review', 'allow' was claimed"),
    ):
        pipeline.run(ProtectRequest(source, target))

    assert not target.exists()
    with opened_log(home) as ledger:
        last = ledger.get(ledger.size - 1).record
    assert last.kind is RecordKind.FAILED
