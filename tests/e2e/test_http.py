"""The read side over HTTP: what strangers may ask, what tokens open, and how it says no."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from audit.access import Role, issue_token
from audit.api import create_app
from audit.api.problems import SECURITY_HEADERS
from audit.api.verify_routes import without_detail
from audit.home import Home
from audit.settings import ReadSettings
from audit.wiring import now
from generator.outcome import Released
from tests.support import stranger
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
    app = create_app(ReadSettings.load(home.settings), home=home)
    with TestClient(app, raise_server_exceptions=False) as client:
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
    assert [path for path in home.path.glob("uploads/**/*") if path.is_file()] == []


def test_how_strong_the_mark_is_and_how_alike_the_pictures_is_told_to_roles_only(
    client: TestClient, auditor: dict[str, str], released: Released
) -> None:
    content = released.path.read_bytes()

    stranger_sees = client.post("/v1/verify", content=content).json()
    auditor_sees = client.post("/v1/verify", content=content, headers=auditor).json()

    assert "searches" not in stranger_sees["layers"]["watermark"]
    assert "compared" not in stranger_sees["layers"]["fingerprint"]
    assert auditor_sees["layers"]["fingerprint"]["compared"][0]["answer"] == "match"
    assert auditor_sees["layers"]["watermark"]["searches"][0]["log10_p"] < -6


def test_why_a_likeness_could_not_be_shown_is_told_to_roles_only() -> None:
    why = "the mark shows for 120 ms and may lie between the record's moments"
    report = {
        "layers": {
            "watermark": {"searches": [{}]},
            "fingerprint": {"answer": "inconclusive", "reason": why, "compared": []},
        },
        "gaps": [f"fingerprint: {why}", "sound: it carries no mark of ours and was not examined"],
    }

    seen = without_detail(report)

    assert "120 ms" not in str(seen)
    assert [gap.split(":")[0] for gap in seen["gaps"]] == ["sound"]


def test_a_stranger_can_check_a_record_from_its_bytes_with_nothing_of_ours(
    client: TestClient, auditor: dict[str, str]
) -> None:
    shown = client.get("/v1/records/2", headers=auditor).json()
    proof = client.get("/v1/log/proof/2").text
    vkey = client.get("/v1/log/key").text.strip()
    size = int(client.get("/v1/log/checkpoint").text.splitlines()[1])
    canonical = shown["canonical"].encode()

    assert stranger.check(canonical, proof, vkey) == shown["index"] == 2
    assert stranger.check(canonical, shown["tlog_proof"], vkey) == 2
    assert stranger.leaf_of(canonical).hex() == shown["leaf_hash"]
    tile = client.get(f"/v1/log/tile/0/000.p/{size}").content
    assert tile[2 * 32 : 3 * 32] == stranger.leaf_of(canonical)
    with pytest.raises(AssertionError, match="signed root"):
        stranger.check(canonical.replace(b'"key"', b'"yek"'), proof, vkey)


def test_records_open_to_auditors_and_to_nobody_else(
    client: TestClient, home: Home, auditor: dict[str, str]
) -> None:
    without = client.get("/v1/records")
    wrong = client.get("/v1/records", headers={"Authorization": "Bearer cmk_guess"})
    creator = client.get("/v1/records", headers=bearer(home, Role.CREATOR))
    allowed = client.get("/v1/records?limit=2", headers=auditor)

    assert (without.status_code, wrong.status_code, creator.status_code) == (401, 401, 403)
    assert without.headers["www-authenticate"] == "Bearer"
    for answer in (without, wrong, creator):
        assert answer.headers["content-type"] == "application/problem+json"
    assert allowed.status_code == 200
    page = allowed.json()
    following = client.get(
        f"/v1/records?limit=2&after={page['next_after']}", headers=auditor
    ).json()
    assert page["records"][-1]["index"] == following["records"][0]["index"] + 1


def test_records_are_listed_by_decisions_that_exist(
    client: TestClient, auditor: dict[str, str]
) -> None:
    allowed = client.get("/v1/records?decision=allow", headers=auditor)
    misspelt = client.get("/v1/records?decision=alow", headers=auditor)

    assert [each["record"]["kind"] for each in allowed.json()["records"]] == ["cleared"]
    assert misspelt.status_code == 422
    assert "'allow', 'review' or 'block'" in misspelt.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/log/proof/99999", 404),
        ("GET", "/v1/log/proof/x", 422),
        ("GET", "/v1/log/proof/99999999999999999999999", 422),
        ("GET", "/v1/log/consistency?old=0", 422),
        ("GET", "/v1/log/consistency?old=99999", 422),
        ("GET", "/v1/log/tile/0/../../etc", 404),
        ("GET", "/v1/log/tile/0/000", 404),
        ("GET", "/v1/log/tile/7/" + "x999/" * 6 + "999", 404),  # beyond what a database counts
        ("GET", "/v1/log/tile/0/" + "x999/" * 2000 + "999", 404),
        ("GET", "/v1/log/tile/0/x000/000.p/1", 404),  # spelled at more length than it is
        ("GET", "/v1/log/tile/0/000.p/256", 404),
        ("GET", "/v1/log/tile/00/000.p/1", 422),
        ("GET", "/v1/log/tile/8/000", 422),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/verify", 405),
        ("PUT", "/v1/records", 405),
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
    assert ("allow" in answer.headers) == (status == 405)


def test_a_tile_has_one_spelling(client: TestClient) -> None:
    first = client.get("/v1/log/tile/0/000.p/1")

    assert first.status_code == 200
    assert len(first.content) == 32


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[TestClient]:
    def fail() -> None:
        raise OSError("keys/log.key")

    app = create_app(ReadSettings(), uploads=tmp_path / "uploads")
    app.add_api_route("/broken", fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/livez", "/v1/log/key", "/nowhere", "/v1/records", "/broken"])
def test_no_answer_may_be_sniffed_framed_or_kept(broken: TestClient, path: str) -> None:
    headers = broken.get(path).headers

    for name, value in SECURITY_HEADERS.items():
        assert headers[name] == value


def test_what_nobody_thought_of_is_a_problem_that_tells_no_secrets(broken: TestClient) -> None:
    answer = broken.get("/broken")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "log.key" not in answer.text


def test_a_token_whose_row_was_edited_opens_nothing_and_is_a_problem(
    tmp_path: Path,
) -> None:
    home = new_home(tmp_path / "home")
    token = bearer(home, Role.AUDITOR)
    with sqlite3.connect(home.path / "ledger.db") as database:
        database.execute("UPDATE token SET role = 'king'")
    database.close()
    app = create_app(ReadSettings.load(home.settings), home=home)

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/v1/records", headers=token)

    assert answer.status_code >= 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_interface_describes_its_problems_its_token_and_both_ways_to_send_a_file(
    client: TestClient,
) -> None:
    described = client.get("/v1/openapi.json").json()
    verify = described["paths"]["/v1/verify"]["post"]
    record = described["paths"]["/v1/records/{index}"]["get"]

    assert set(verify["requestBody"]["content"]) == {
        "application/octet-stream",
        "multipart/form-data",
    }
    assert {"200", "401", "408", "413", "422", "503", "507"} == set(verify["responses"])
    assert {"200", "401", "403", "404", "422", "503"} == set(record["responses"])
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert record["security"] == [{"token": []}]
    assert sorted(verify["security"], key=len) == [{}, {"token": []}]
    for path in described["paths"].values():
        for route in path.values():
            for status, answer in route["responses"].items():
                kinds = set(answer.get("content", {}))
                assert status == "200" or kinds == {"application/problem+json"}, route


def test_without_a_home_verification_is_served_and_the_log_is_said_to_be_elsewhere(
    released: Released, tmp_path: Path
) -> None:
    app = create_app(ReadSettings(), uploads=tmp_path / "uploads")

    with TestClient(app) as client:
        verified = client.post("/v1/verify", content=released.path.read_bytes())
        checkpoint = client.get("/v1/log/checkpoint")
        records = client.get("/v1/records")
        token = client.get("/v1/records", headers={"Authorization": "Bearer cmk_x"})

    assert verified.json()["status"] == "untrusted"
    assert verified.json()["layers"]["log"]["state"] == "not_checked"
    assert checkpoint.status_code == 404
    assert "no log" in checkpoint.json()["detail"]
    assert records.status_code == 404
    assert token.status_code == 401


def test_without_a_home_the_roots_that_are_given_vouch(
    home: Home, released: Released, tmp_path: Path
) -> None:
    app = create_app(
        ReadSettings(),
        uploads=tmp_path / "uploads",
        claim_trust=[home.root_certificate],
        timestamp_trust=[home.timestamp_root],
    )

    with TestClient(app) as client:
        verified = client.post("/v1/verify", content=released.path.read_bytes())

    assert verified.json()["status"] == "intact"
