"""Records: the envelope, the bodies, and what a parser must not let pass."""

import json
import uuid
from datetime import UTC, datetime

import pytest

from audit.bodies import BODIES, MarkBody, Released, VerdictBody
from audit.canonical import encode
from audit.errors import RecordInvalid
from audit.records import RECORD_BYTES_LIMIT, Record, RecordKind, Scope, uuid7
from audit.shape import from_json, to_json
from tests.support.logs import (
    SCOPE,
    START,
    cleared_body,
    deployment_body,
    released_body,
    verdict,
)


def a_record() -> Record:
    return Record.of(cleared_body("clip-1", 7), scope=SCOPE, now=START, actor="user-1")


def changed(**fields: object) -> bytes:
    return encode(json.loads(a_record().canonical) | fields)


def test_a_record_is_read_back_from_its_bytes() -> None:
    record = a_record()

    assert Record.parse(record.canonical) == record
    assert Record.parse(record.canonical).canonical == record.canonical
    assert record.time == START


def test_every_kind_has_a_body() -> None:
    assert set(BODIES) == set(RecordKind)


def test_the_index_is_not_part_of_a_record() -> None:
    assert "index" not in json.loads(a_record().canonical)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"v": 2}, "version is 2"),
        ({"v": True}, "version is True"),
        ({"v": None}, "version is None"),
        ({"kind": "cleaned"}, "no kind"),
        ({"kind": "released"}, "lacks"),
        ({"kind": ["cleared"]}, "no kind"),
        ({"extra": 1}, "exactly"),
        ({"id": "01a2"}, "no UUID"),
        ({"id": str(uuid.uuid4())}, "version 7"),
        ({"id": 5}, "expected text"),
        ({"time": -1}, "milliseconds"),
        ({"time": "now"}, "expected an integer"),
        ({"time": True}, "expected an integer"),
        ({"deployment": "a/b"}, "cannot name"),
        ({"tenant": ""}, "cannot name"),
        ({"attempt": 1}, "expected text"),
        ({"attempt": "../../etc"}, "attempt .* is no UUID"),
        ({"body": []}, "no object"),
        ({"body": {}}, "lacks"),
    ],
)
def test_a_record_that_is_not_one_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(RecordInvalid, match=message):
        Record.parse(changed(**fields))


def test_an_upper_case_id_is_refused() -> None:
    with pytest.raises(RecordInvalid, match="lower case"):
        Record.parse(changed(id=a_record().id.upper()))


def test_a_field_of_the_body_with_the_wrong_type_is_named() -> None:
    body = to_json(cleared_body("clip-1", 7))
    body["geometry"]["width"] = "320"

    with pytest.raises(RecordInvalid, match=r"body\.geometry\.width is str; expected int"):
        Record.parse(changed(body=body))


def test_a_boolean_is_no_integer() -> None:
    body = to_json(released_body("clip-1", 7, 0)) | {"bytes": True}

    with pytest.raises(RecordInvalid, match="bytes is bool"):
        from_json(Released, body)


def test_a_digest_is_64_lower_case_digits() -> None:
    with pytest.raises(RecordInvalid, match="file_sha256"):
        Released("clip", "AB" * 32, 1, "urn:c2pa:1", "ef" * 32, 0)


def test_a_mark_id_has_16_digits() -> None:
    with pytest.raises(RecordInvalid, match=r"mark\.id"):
        MarkBody("12", "tile-1", "key-1")


def test_a_verdict_can_come_as_a_plain_dictionary() -> None:
    plain = to_json(verdict("block"))

    built = from_json(VerdictBody, plain)

    assert built == verdict("block")
    assert plain["findings"][0]["category"] == "violence"


def test_a_record_over_32_kib_is_refused() -> None:
    body = deployment_body()
    long = type(body)(body.origin, body.log_key, body.software, "x" * RECORD_BYTES_LIMIT)

    with pytest.raises(RecordInvalid, match="at most 32768"):
        Record.of(long, scope=SCOPE, now=START)
    with pytest.raises(RecordInvalid, match="at most 32768"):
        Record.parse(b" " * (RECORD_BYTES_LIMIT + 1))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(RecordInvalid, match="no time zone"):
        Record.of(deployment_body(), scope=SCOPE, now=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_uuid7_sorts_by_time() -> None:
    early, late = uuid7(START), uuid7(datetime(2027, 1, 1, tzinfo=UTC))

    assert early < late
    assert uuid.UUID(early).version == 7
    assert uuid.UUID(early).variant == uuid.RFC_4122


def test_a_scope_is_the_origin() -> None:
    assert str(Scope("silver.example", "press_1")) == "silver.example/press_1"
