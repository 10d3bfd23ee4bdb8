"""Uploads: as a body or as a form, within limits, and gone whatever happens."""

import fcntl
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from audit.api import create_app
from audit.api.upload_folder import upload_folder
from audit.api.uploads import Intake, UploadLimits
from audit.errors import HomeUnusable, RequestTooLarge, UploadsFull, UploadStalled
from audit.settings import AuditSettings, ReadSettings

CLIP = Path("tests/vectors/unmarked.mp4").read_bytes()
MIB = 2**20


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    audit = AuditSettings(max_upload_mib=1, max_uploads_mib=2)
    return create_app(ReadSettings(audit=audit), uploads=tmp_path / "uploads")


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_form_is_taken_as_curl_and_browsers_send_it(client: TestClient) -> None:
    raw = client.post("/v1/verify", content=CLIP)
    form = client.post("/v1/verify", files={"file": ("clip.mp4", CLIP, "video/mp4")})

    assert raw.json()["status"] == "unknown"
    assert form.json()["sha256"] == raw.json()["sha256"]
    assert form.json() == raw.json()


def test_data_sent_as_curl_names_it_by_default_is_the_file_itself(client: TestClient) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = client.post("/v1/verify", content=CLIP, headers=kind)

    assert answer.json()["status"] == "unknown"


@pytest.mark.parametrize("cut", [1, 7, 64, 1000])
def test_a_form_is_read_the_same_however_it_is_cut(client: TestClient, cut: int) -> None:
    part = b'Content-Disposition: form-data; name="file"; filename="a.mp4"'
    body = b"--B\r\n" + part + b"\r\n\r\n" + b"\r\n--Bx" * 3 + b"x" * 99 + b"\r\n--B--\r\n"
    pieces = (body[at : at + cut] for at in range(0, len(body), cut))
    kind = {"Content-Type": "multipart/form-data; boundary=B"}

    answer = client.post("/v1/verify", content=pieces, headers=kind)

    # Three lines that begin like the boundary and go on otherwise are the file's own.
    assert answer.status_code == 200
    assert answer.json()["size"] == len(b"\r\n--Bx" * 3) + 99


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"content": b""}, "no body"),
        ({"files": {"a": ("a.mp4", CLIP), "b": ("b.mp4", CLIP)}}, "more than one part"),
        ({"files": {"a": ("a.mp4", CLIP)}, "data": {"note": "x"}}, "part"),
        ({"files": {"file": (None, b"clip.mp4")}}, "is a text and no file"),
        (
            {
                "content": b"--B--\r\n",
                "headers": {"Content-Type": "multipart/form-data; boundary=B"},
            },
            "ends before",
        ),
        (
            {
                "content": b'--B\r\nContent-Disposition: form-data; filename="a"\r\n\r\nhalf',
                "headers": {"Content-Type": "multipart/form-data; boundary=B"},
            },
            "ends before",
        ),
        (
            {
                "content": b"nonsense",
                "headers": {"Content-Type": "multipart/form-data; boundary=B"},
            },
            "cannot be read",
        ),
        (
            {"content": CLIP, "headers": {"Content-Type": "multipart/form-data"}},
            "no usable boundary",
        ),
    ],
)
def test_what_is_not_one_file_is_refused_with_advice(
    client: TestClient, tmp_path: Path, sent: dict[str, Any], words: str
) -> None:
    answer = client.post("/v1/verify", **sent)

    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert "curl" in answer.json()["detail"]
    assert files_in(tmp_path) == []


def test_too_large_an_upload_is_refused_by_its_header_and_while_counting(
    client: TestClient, tmp_path: Path
) -> None:
    declared = client.post("/v1/verify", content=b"x" * (MIB + 1))
    streamed = client.post("/v1/verify", content=(b"x" * 2**16 for _ in range(20)))

    assert declared.status_code == 413
    assert streamed.status_code == 413
    assert files_in(tmp_path) == []


def test_a_full_disk_is_told_as_a_problem_and_keeps_nothing(
    client: TestClient, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))  # the system refuses more, as a disk
    try:
        answer = client.post("/v1/verify", content=b"x" * 2**17)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert answer.status_code == 507
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert files_in(tmp_path) == []


class Slow:
    """A request whose body comes when it is told to."""

    def __init__(self, **headers: str) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[dict[str, Any]](10)
        named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": named}
        self.request = Request(scope, self._receive.receive)

    def sends(self, body: bytes, *, more: bool = True) -> None:
        self._send.send_nowait({"type": "http.request", "body": body, "more_body": more})

    def hangs_up(self) -> None:
        self._send.send_nowait({"type": "http.disconnect"})

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@contextmanager
def slow(**headers: str) -> Iterator[Slow]:
    request = Slow(**headers)
    try:
        yield request
    finally:
        request.close()


def test_an_upload_more_than_is_taken_at_once_is_refused_before_a_byte_of_it_is_read(
    tmp_path: Path,
) -> None:
    intake = Intake(tmp_path, UploadLimits(100, 1000, at_once=1))

    async def two_at_once() -> None:
        with slow() as first, slow() as second, slow() as third:
            first.sends(b"x", more=False)
            third.sends(b"x", more=False)
            async with intake.take(first.request) as path:
                assert path.read_bytes() == b"x"
                with pytest.raises(UploadsFull, match="try again"):
                    async with intake.take(second.request):
                        pass
            async with intake.take(third.request):
                pass  # the turn was given back

    anyio.run(two_at_once)
    assert files_in(tmp_path) == []


def test_all_uploads_together_stay_within_one_budget(tmp_path: Path) -> None:
    intake = Intake(tmp_path, UploadLimits(100, 150, at_once=9))

    async def three_at_once() -> None:
        with slow(content_length="100") as first, slow() as counted, slow() as later:
            first.sends(b"x" * 100, more=False)
            counted.sends(b"x" * 40)
            counted.sends(b"x" * 40)
            later.sends(b"x" * 100, more=False)
            async with intake.take(first.request):
                with pytest.raises(UploadsFull):
                    async with intake.take(counted.request):
                        pass
                assert len(files_in(tmp_path)) == 1
            async with intake.take(later.request):
                pass  # the bytes were given back

    anyio.run(three_at_once)


@pytest.mark.parametrize(
    ("each", "together"), [(100, 1000), (1000, 100)], ids=["one file", "the budget"]
)
def test_an_upload_that_can_never_be_taken_is_not_asked_to_try_again(
    tmp_path: Path, each: int, together: int
) -> None:
    intake = Intake(tmp_path, UploadLimits(each, together, at_once=9))

    async def one() -> None:
        with slow(content_length="101") as request, pytest.raises(RequestTooLarge, match="100"):
            async with intake.take(request.request):
                pass

    anyio.run(one)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (UploadLimits(100, 100, 1, stall_s=0.05, whole_s=60), "stood still for 0.05 s"),
        (UploadLimits(100, 100, 1, stall_s=60, whole_s=0.05), "longer than 0.05 s"),
    ],
)
def test_an_upload_that_stops_coming_gives_its_turn_back(
    tmp_path: Path, limits: UploadLimits, words: str
) -> None:
    intake = Intake(tmp_path, limits)

    async def stalls() -> None:
        with slow() as stalled, slow() as following:
            stalled.sends(b"x")
            following.sends(b"y", more=False)
            with pytest.raises(UploadStalled, match=words):
                async with intake.take(stalled.request):
                    pass
            async with intake.take(following.request) as path:
                assert path.read_bytes() == b"y"

    anyio.run(stalls)
    assert files_in(tmp_path) == []


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    intake = Intake(tmp_path, UploadLimits(100, 100, at_once=1))

    async def breaks_off() -> None:
        with slow() as request:
            request.sends(b"x")
            request.hangs_up()
            with pytest.raises(UploadStalled, match="broke off"):
                async with intake.take(request.request):
                    pass

    anyio.run(breaks_off)
    assert files_in(tmp_path) == []


def test_a_starting_server_removes_what_a_dead_one_left_and_nothing_of_a_living_one(
    tmp_path: Path,
) -> None:
    dead, other = tmp_path / "verify-dead", tmp_path / "not-ours"
    for folder in (dead, other):
        folder.mkdir()
        (folder / "upload").write_bytes(b"x")
    tmp_path.chmod(0o700)

    with upload_folder(tmp_path) as living:
        (living / "upload").write_bytes(b"y")
        with upload_folder(tmp_path) as second:
            assert second != living
            assert (living / "upload").read_bytes() == b"y"

        assert not dead.exists()
        assert not second.exists()
        assert (other / "upload").exists()
    assert not living.exists()


def test_a_folder_that_others_can_enter_takes_no_uploads(tmp_path: Path) -> None:
    open_to_all, link = tmp_path / "open", tmp_path / "link"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    link.symlink_to(tmp_path)

    for base in (open_to_all, link):
        with pytest.raises(HomeUnusable, match="only you can enter"), upload_folder(base):
            pass


def test_the_lock_of_a_folder_is_not_handed_to_the_processes_that_examine(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with upload_folder(tmp_path) as living:
        held = [fd for fd in Path("/proc/self/fd").iterdir() if _leads_to(fd, living)]

        assert held
        assert all(fcntl.fcntl(int(fd.name), fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fd in held)


def _leads_to(descriptor: Path, folder: Path) -> bool:
    try:
        return descriptor.readlink() == folder
    except OSError:
        return False
