"""The read side over HTTP: what strangers may ask, what tokens open, and how it says no."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from audit.access import Role, issue_token
from audit.api import create_app
from audit.checkpoint import open_checkpoint
from audit.home import Home
from audit.merkle import InclusionProof, hash_leaf, verify_inclusion
from audit.note import Verifier
from audit.settings import ReadSettings
from audit.wiring import now
from generator.outcome import Released
from tests.support.press import new_home, opened_log, released_clip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("http") / "home")


@pytest.fixture(scope="module")
def released(home: Home) -> Released:
    return released_clip(home, home.path.parent)


@pytest.fixture(scope="module")
def client(home: Home, released: Released) -> Iterator[TestClient]:
    del released
    settings = ReadSettings.load(home.settings).model_copy(
        update={"audit": ReadSettings.load(home.settings).audit.model_copy(
            update={"max_upload_mib": 1}
        )}
    )  # fmt: skip
    with TestClient(create_app(home, settings)) as client:
        yield client


@pytest.fixture(scope="module")
def auditor(home: Home) -> dict[str, str]:
    return bearer(home, Role.AUDITOR)


def bearer(home: Home, role: Role) -> dict[str, str]:
    with opened_log(home) as ledger:
        text, _ = issue_token(
            ledger, role, name="test", now=now(), expires=now() + timedelta(days=1)
        )
    return {"Authorization": f"Bearer {text}"}


def test_anybody_may_verify_and_the_upload_is_gone_afterwards(
    client: TestClient, home: Home, released: Released
) -> None:
    answer = client.post("/v1/verify", content=released.path.read_bytes())

    assert answer.status_code == 200
    assert answer.json()["status"] == "intact"
    assert answer.json()["layers"]["watermark"]["mark_id"] == released.mark_id
    assert list(home.private.iterdir()) == []


def test_how_strong_the_mark_is_is_told_to_roles_only(
    client: TestClient, auditor: dict[str, str], released: Released
) -> None:
    content = released.path.read_bytes()

    stranger = client.post("/v1/verify", content=content).json()
    trusted = client.post("/v1/verify", content=content, headers=auditor).json()

    assert "searches" not in stranger["layers"]["watermark"]
    assert trusted["layers"]["watermark"]["searches"][0]["log10_p"] < -6


def test_a_stranger_can_check_a_record_with_public_answers_alone(
    client: TestClient, auditor: dict[str, str]
) -> None:
    record = client.get("/v1/records/2", headers=auditor).json()
    proof = client.get("/v1/log/proof/2").text
    verifier = Verifier.from_vkey(client.get("/v1/log/key").text.strip())

    head, path, note = proof.split("\n", 2)[0:2], proof, proof[proof.index("\n\n") + 2 :]
    checkpoint = open_checkpoint(note, verifier)
    hashes = [base64.b64decode(line) for line in path[: path.index("\n\n")].splitlines()[2:]]

    assert head == ["c2sp.org/tlog-proof@v1", "index 2"]
    leaf = bytes.fromhex(record["leaf_hash"])
    verify_inclusion(leaf, InclusionProof(2, checkpoint.size, tuple(hashes)), checkpoint.root)
    tile = client.get(f"/v1/log/tile/0/000.p/{checkpoint.size}").content
    assert tile[2 * 32 : 3 * 32] == leaf
    assert leaf != hash_leaf(b"")


def test_records_open_to_auditors_and_to_nobody_else(
    client: TestClient, home: Home, auditor: dict[str, str]
) -> None:
    without = client.get("/v1/records")
    wrong = client.get("/v1/records", headers={"Authorization": "Bearer cmk_guess"})
    creator = client.get("/v1/records", headers=bearer(home, Role.CREATOR))
    allowed = client.get("/v1/records?limit=2", headers=auditor)

    assert (without.status_code, wrong.status_code, creator.status_code) == (401, 401, 403)
    for answer in (without, wrong, creator):
        assert answer.headers["content-type"] == "application/problem+json"
    assert allowed.status_code == 200
    page = allowed.json()
    following = client.get(
        f"/v1/records?limit=2&after={page['next_after']}", headers=auditor
    ).json()
    assert page["records"][-1]["index"] == following["records"][0]["index"] + 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/log/proof/99999", 404),
        ("GET", "/v1/log/proof/x", 422),
        ("GET", "/v1/log/consistency?old=0", 422),
        ("GET", "/v1/log/consistency?old=99999", 422),
        ("GET", "/v1/log/tile/0/../../etc", 404),
        ("GET", "/v1/log/tile/0/000", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/verify", 405),
    ],
)
def test_every_no_is_a_problem_with_a_sentence(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert answer.json()["status"] == status


def test_too_large_an_upload_is_refused_by_its_header_and_while_counting(
    client: TestClient, home: Home
) -> None:
    declared = client.post("/v1/verify", content=b"x" * (2**20 + 1))
    streamed = client.post("/v1/verify", content=(b"x" * 2**16 for _ in range(20)))
    empty = client.post("/v1/verify", content=b"")

    assert declared.status_code == 413
    assert streamed.status_code == 413
    assert empty.status_code == 422
    assert list(home.private.iterdir()) == []


def test_no_answer_may_be_sniffed_framed_or_kept(client: TestClient) -> None:
    headers = client.get("/v1/log/key").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_serving_beyond_loopback_needs_a_token(tmp_path: Path) -> None:
    from audit.commands import run_serve
    from audit.errors import HomeUnusable

    new_home(tmp_path / "home")

    with pytest.raises(HomeUnusable, match="no token exists"):
        run_serve(tmp_path / "home", "0.0.0.0", None)
