"""The process that examines a file breaks: what is kept, who is blamed, and what does it cost?"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from provenance import confinement
from provenance.errors import ExaminationFailed, ExaminationUnavailable
from provenance.examination import (
    CREDENTIALS_PART,
    PICTURES_PART,
    Decoding,
    MediaFacts,
    PicturesSeen,
    Question,
    assembled,
    examine_confined,
)
from provenance.sandbox import (
    MAX_ANSWER_BYTES,
    SECONDS_TO_START,
    Confinement,
    ProcessLimits,
    run_child,
)
from provenance.trust import TrustLists
from provenance.video import MediaLimits
from tests.support import evil
from tests.support.taken_over import SHORT, attacked

EVIL = evil.__name__
DIGEST = "0" * 64


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"bytes of a clip")
    return path


def test_too_much_memory_ends_the_child(file: Path) -> None:
    said = attacked(file, "exceed_memory", 2 * SHORT.memory_bytes)

    assert said.parts == ()
    assert "broke off (exit 1: MemoryError)" in str(said.broke_off)


@pytest.mark.parametrize("how", ["busy", "asleep"])
def test_too_much_time_ends_the_child_and_all_that_is_left_of_it(file: Path, how: str) -> None:
    started = time.monotonic()

    said = attacked(file, "exceed_time", how, replace(SHORT, seconds=1))

    assert said.parts == ()
    assert "took longer than 1 s and was stopped" in str(said.broke_off)
    assert time.monotonic() - started < SECONDS_TO_START + 30
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(
    ("attack", "ending"),
    [("flood_the_answer", "ExaminationFailed"), ("flood_the_complaints", '"flooded"')],
)
def test_a_flood_is_cut_off_in_bounded_memory(file: Path, attack: str, ending: str) -> None:
    code = (
        "import resource, sys\n"
        "from provenance.errors import ExaminationFailed\n"
        "from provenance.sandbox import ProcessLimits, run_child\n"
        "def most_kib(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = most_kib()\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    try:\n"
        f"        said = run_child({EVIL!r}, {{'attack': {attack!r}}}, ProcessLimits(seconds=60),\n"
        "                         descriptor=file.fileno())\n"
        "        print(said.parts[0].decode())\n"
        "    except ExaminationFailed as error:\n"
        "        print(type(error).__name__, error)\n"
        "print(most_kib() - before)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )

    came_of_it, more_kib = done.stdout.splitlines()
    assert came_of_it.startswith(ending)
    assert int(more_kib) * 1024 < 3 * MAX_ANSWER_BYTES


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_death_by_a_signal_is_told(file: Path, number: signal.Signals) -> None:
    said = attacked(file, "die", number.value)

    assert said.parts == ()
    assert said.broke_off == f"the process examining the file broke off (signal {number.value})"


def test_last_words_cannot_command_a_terminal(file: Path) -> None:
    said = attacked(file, "complain", "\x1b[2Jall is well\x07")

    assert "?[2Jall is well?" in str(said.broke_off)
    assert str(said.broke_off).isprintable()


def a_part_of_each(file: Path) -> tuple[str, str]:
    """Return both parts of a right answer, as the examiner says them."""
    question = Question(MediaLimits(), TrustLists())
    seen = examine_confined(file, question, ProcessLimits())
    media = MediaFacts("mov", "h264", 320, 240, "25", has_sound=False)
    pictures = PicturesSeen(Decoding.WHOLE, media, None)
    return (
        CREDENTIALS_PART.dump_json(seen.credentials).decode(),
        PICTURES_PART.dump_json(pictures).decode(),
    )


def test_a_decoder_that_breaks_leaves_what_was_said_of_the_credentials(file: Path) -> None:
    credentials, _ = a_part_of_each(file)

    said = attacked(file, "say_and_die", [credentials])
    seen = assembled(said, size=15, sha256=DIGEST)

    assert CREDENTIALS_PART.dump_json(seen.credentials).decode() == credentials
    assert seen.decoding is Decoding.BROKE_OFF
    assert seen.media is None
    assert seen.marks == ()
    assert seen.media_problem == seen.mark_problem
    assert "signal 11" in str(seen.mark_problem)


def test_a_right_answer_in_two_parts_is_taken(file: Path) -> None:
    said = attacked(file, "say", list(a_part_of_each(file)))

    assert assembled(said, size=15, sha256=DIGEST).decoding is Decoding.WHOLE


def test_an_answer_of_another_shape_is_not_believed(file: Path) -> None:
    credentials, pictures = a_part_of_each(file)
    wrong: dict[str, list[str]] = {
        "nothing": [],
        "one part": [credentials],
        "three parts": [credentials, pictures, pictures],
        "parts in the other order": [pictures, credentials],
        "no JSON": [credentials, "all is well"],
        "a number": [credentials, "7"],
        "an empty object": [credentials, "{}"],
        "a word for a number": [credentials, pictures.replace("320", '"320"')],
        "a state that is none": [credentials, pictures.replace('"whole"', '"perfect"')],
        "a character that is none": [credentials, pictures.replace('"h264"', '"\\ud800"')],
        "no frames a second": [credentials, pictures.replace('"25"', '"0"')],
        "a fraction of nothing": [credentials, pictures.replace('"25"', '"25/0"')],
        "a number too long": [credentials, pictures.replace("320", "3" * 5000)],
        "marks that are none": [credentials, pictures.replace("[]", "[[]]")],
    }
    for what, lines in wrong.items():
        said = attacked(file, "say", lines)
        with pytest.raises(ExaminationFailed, match=r"is believed|said nothing"):
            pytest.fail(f"{what}: {assembled(said, size=15, sha256=DIGEST)}")


def test_nested_brackets_do_not_bring_the_parent_down(file: Path) -> None:
    said = attacked(file, "nest", 2**20)

    with pytest.raises(ExaminationFailed):
        assembled(replace(said, parts=(said.parts[0], said.parts[0])), size=15, sha256=DIGEST)


@pytest.mark.parametrize(
    ("module", "attack"), [(EVIL, "fail_to_prepare"), ("tests.support.nowhere", "read")]
)
def test_a_failure_before_the_file_is_read_is_not_blamed_on_the_file(
    file: Path, module: str, attack: str
) -> None:
    with file.open("rb") as opened, pytest.raises(ExaminationUnavailable, match="doctor"):
        run_child(module, {"attack": attack}, SHORT, descriptor=opened.fileno())


def on_an_old_kernel(lacking: str, limits: ProcessLimits, file: Path, *, mode: int = 0o600) -> str:
    """Have a process whose kernel lacks something examine a file, and say what came of it."""
    code = (
        "import json, sys; from pathlib import Path\n"
        "from provenance.errors import ProvenanceError\n"
        "from provenance.examination import Question, examine_open\n"
        "from provenance.sandbox import Confinement, ProcessLimits\n"
        "from provenance.trust import TrustLists\n"
        "from provenance.video import MediaLimits\n"
        "from tests.support import old_kernel\n"
        f"old_kernel.lack([{lacking}])\n"
        f"limits = ProcessLimits(confinement=Confinement({limits.confinement.value!r}))\n"
        "question = Question(MediaLimits(), TrustLists())\n"
        "try:\n"
        "    with Path(sys.argv[1]).open('rb') as file:\n"
        f"        Path(sys.argv[1]).chmod({mode})\n"
        "        seen = examine_open(file, 'clip.mp4', question, limits)\n"
        "    print(json.dumps(seen.unlimited))\n"
        "except ProvenanceError as error:\n"
        "    print(error.code, error.http_status, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


LACKING = [
    ("old_kernel.LANDLOCK_CREATE_RULESET", [confinement.FILES_OPEN]),
    ("old_kernel.PRCTL", [confinement.CALLS_OPEN]),
    (
        "old_kernel.PRCTL, old_kernel.UNSHARE",
        [confinement.CALLS_OPEN, confinement.NETWORK_OPEN],
    ),
    ("old_kernel.CAPSET", [confinement.RIGHTS_KEPT]),
]


@pytest.mark.parametrize(("lacking", "named"), LACKING)
def test_what_the_kernel_does_not_take_away_is_named(
    file: Path, lacking: str, named: list[str]
) -> None:
    limits = ProcessLimits(confinement=Confinement.POSSIBLE)

    assert json.loads(on_an_old_kernel(lacking, limits, file)) == named


@pytest.mark.parametrize(("lacking", "named"), LACKING)
def test_where_confinement_is_required_nothing_is_examined_without_it(
    file: Path, lacking: str, named: list[str]
) -> None:
    limits = ProcessLimits(confinement=Confinement.REQUIRED)

    told = on_an_old_kernel(lacking, limits, file)

    assert told.startswith("examination_unavailable 503")
    assert named[0] in told


def test_the_endpoint_examines_nothing_where_it_cannot_confine(file: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from fastapi.testclient import TestClient\n"
        "from audit.api import create_app\n"
        "from audit.settings import ReadSettings\n"
        "from tests.support import old_kernel\n"
        "old_kernel.lack([old_kernel.LANDLOCK_CREATE_RULESET])\n"
        "app = create_app(ReadSettings(), uploads=Path(sys.argv[2]))\n"
        "with TestClient(app) as client:\n"
        "    answer = client.post('/v1/verify', content=Path(sys.argv[1]).read_bytes())\n"
        "print(answer.status_code, answer.json()['type'])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(file), str(tmp_path / "uploads")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "503 urn:countermark:error:examination_unavailable"


def test_a_system_that_refuses_a_namespace_is_no_gap_where_calls_are_filtered(file: Path) -> None:
    limits = ProcessLimits(confinement=Confinement.REQUIRED)

    assert json.loads(on_an_old_kernel("old_kernel.UNSHARE", limits, file)) == []


def test_limits_that_are_lower_already_stay(file: Path) -> None:
    code = (
        "import json, resource, sys\n"
        "from provenance.sandbox import ProcessLimits, run_child\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (50, 50))\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        f"    said = run_child({EVIL!r}, {{'attack': 'read_the_file'}}, ProcessLimits(),\n"
        "                     descriptor=file.fileno())\n"
        "print(said.broke_off, said.parts[0].decode())\n"
    )
    # Root may raise its limits; whoever runs this without that right could not.
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == 'None "bytes of a clipbytes of a clip"'


def test_a_file_that_cannot_be_opened_again_is_not_blamed_for_it(file: Path) -> None:
    """Without Landlock root gives up the right to read what it has no permission for."""
    told = on_an_old_kernel("old_kernel.LANDLOCK_CREATE_RULESET", ProcessLimits(), file, mode=0o000)

    assert told.startswith("examination_unavailable 503")
    assert "Permission denied" in told
