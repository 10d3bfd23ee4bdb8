"""`countermark serve`: to whom it opens, what it needs, and that it starts and stops."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from audit.access import Role, issue_token, revoke_token
from audit.api import create_app
from audit.errors import NameClaimed
from audit.home import Home
from audit.settings import ReadSettings
from audit.wiring import now
from tests.e2e.conftest import Countermark
from tests.support.claims import installed
from tests.support.press import new_home, opened_log

CLIP = Path("tests/vectors/unmarked.mp4")
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return new_home(tmp_path_factory.mktemp("serve") / "home")


@contextmanager
def serving(
    arguments: Sequence[object], *, within: Sequence[object] = (), **settings: str
) -> Iterator[int]:
    """Run `countermark … serve` and give its port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("countermark")
    command = [*map(str, within), str(program), *map(str, arguments), "--port", str(port)]
    environment = {"PATH": os.environ["PATH"], **settings}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            _wait_for(port, server)
            yield port
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_for(port: int, server: "subprocess.Popen[str]") -> None:
    for _ in range(300):
        try:
            assert ask(port, "GET", "/livez")[0] == 200
        except ConnectionRefusedError:
            assert server.poll() is None, server.stderr and server.stderr.read()
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not answer")


def ask(
    port: int, method: str, path: str, body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_stranger_who_sends_nothing_keeps_one_place_and_the_next_is_asked_to_wait(
    home: Home,
) -> None:
    settings = {"COUNTERMARK_AUDIT__MAX_UPLOADS": "1"}
    promise = b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx"

    with serving(("--home", home.path, "serve"), **settings) as port:
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(promise)
            while not list(home.path.glob("uploads/verify-*/*/upload")):
                time.sleep(0.05)
            status, headers, body = ask(port, "POST", "/v1/verify", CLIP.read_bytes())
        for _ in range(100):
            freed, *_ = ask(port, "POST", "/v1/verify", CLIP.read_bytes())
            if freed == 200:
                break
            time.sleep(0.1)

    assert status == 503
    assert int(headers["retry-after"]) > 0
    assert headers["content-type"] == "application/problem+json"
    assert "try again" in json.loads(body)["detail"]
    assert freed == 200
    assert list(home.path.glob("uploads/*")) == []


def test_a_newsroom_without_a_home_serves_verification_alone(tmp_path: Path) -> None:
    nowhere = {"COUNTERMARK_HOME": str(tmp_path / "nowhere"), "TMPDIR": str(tmp_path)}

    with serving(("serve",), **nowhere) as port:
        status, _, body = ask(port, "POST", "/v1/verify", CLIP.read_bytes())
        log_status, _, log_body = ask(port, "GET", "/v1/log/checkpoint")

    assert status == 200
    assert json.loads(body)["status"] == "unknown"
    assert log_status == 404
    assert "no log" in json.loads(log_body)["detail"]
    assert not (tmp_path / "nowhere").exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_read_only_serves_a_home_in_which_nothing_can_be_written(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    serve = ("--home", home.path, "serve")
    within: tuple[object, ...] = ()
    if os.geteuid() == 0:  # root writes to files whatever their mode; not to a read-only mount
        within = ("unshare", "--mount", "sh", "-c", READ_ONLY, "sh", home.path)
    else:
        for path in (*home.path.glob("ledger.db*"), home.path):
            path.chmod(0o500)

    refused = countermark(*serve, within=within)
    with serving((*serve, "--read-only"), within=within, TMPDIR=str(elsewhere)) as port:
        status, *_ = ask(port, "POST", "/v1/verify", CLIP.read_bytes())
        log_status, *_ = ask(port, "GET", "/v1/log/checkpoint")
    home.path.chmod(0o700)

    assert refused.returncode == 1
    assert "serve with --read-only" in refused.stderr
    assert (status, log_status) == (200, 200)
    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []


def test_a_bind_beyond_loopback_needs_a_token_that_still_opens_something(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    yesterday, tomorrow = now() - timedelta(days=1), now() + timedelta(days=1)
    with opened_log(home) as ledger:
        issue_token(ledger, Role.AUDITOR, name="expired", now=now(), expires=yesterday)
        issue_token(ledger, Role.CREATOR, name="of no use here", now=now(), expires=tomorrow)
        _, entry = issue_token(ledger, Role.ADMIN, name="revoked", now=now(), expires=tomorrow)
        revoke_token(ledger, str(entry.record.body["token_id"]), now=now())

    done = countermark("--home", home.path, "serve", "--host", "0.0.0.0")

    assert done.returncode == 1
    assert "no token exists that opens anything" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bind_beyond_loopback_without_a_home_is_refused(
    countermark: Countermark, tmp_path: Path
) -> None:
    done = countermark("serve", "--host", "0.0.0.0", COUNTERMARK_HOME=str(tmp_path / "nowhere"))

    assert done.returncode == 1
    assert "behind a proxy" in done.stderr


def test_a_home_that_is_named_must_be_one(countermark: Countermark, tmp_path: Path) -> None:
    done = countermark("--home", tmp_path / "typo", "serve")

    assert done.returncode == 1
    assert "is not set up" in done.stderr


def test_keys_that_others_can_read_are_told_in_one_sentence_before_serving(
    countermark: Countermark, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    home.mark_key.chmod(0o644)

    done = countermark("--home", home.path, "serve")

    assert done.returncode == 1
    assert "mode 0644" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_application_refuses_where_another_distribution_claims_our_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "safety", files=["safety/__init__.py"])
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(NameClaimed, match="uninstall safety"):
        create_app(ReadSettings())
