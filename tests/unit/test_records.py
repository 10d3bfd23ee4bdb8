"""Records: the envelope, the bodies, and what a parser must not let pass."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.bodies import (
    BODIES,
    Attempt,
    Commitment,
    Deployment,
    MarkBody,
    PolicyText,
    Released,
    Token,
    VerdictBody,
)
from audit.canonical import encode
from audit.errors import RecordInvalid, RecordNewer
from audit.records import RECORD_BYTES_LIMIT, Record, RecordKind, Scope, uuid7
from audit.shape import from_json, to_json
from audit.vocabulary import Decision, PromptState, TokenAction
from tests.support.logs import (
    POLICY,
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
        ({"v": 0}, "version is 0"),
        ({"v": True}, "version is True"),
        ({"v": None}, "version is None"),
        ({"kind": "Cleared"}, "no kind"),
        ({"kind": "released"}, "lacks"),
        ({"kind": ["cleared"]}, "no kind"),
        ({"extra": 1}, "exactly"),
        ({"id": "01a2"}, "no UUID"),
        ({"id": str(uuid.uuid4())}, "version 7"),
        ({"id": 5}, "expected text"),
        ({"time": -1}, "milliseconds"),
        ({"time": 253_402_300_800_000}, "before the year 10,000"),
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
        Record.of(
            replace(released_body("clip-1", 7, 0), file_sha256="AB" * 32), scope=SCOPE, now=START
        )


@pytest.mark.parametrize("digits", [16, 32])
def test_a_mark_id_has_64_or_128_bits(digits: int) -> None:
    mark = MarkBody("1f" * (digits // 2), "tile-1", "key-1")

    assert from_json(MarkBody, to_json(mark)) == mark


@pytest.mark.parametrize("mark_id", ["12", "1F" * 8, "1f" * 12, "1f" * 17, ""])
def test_any_other_mark_id_is_refused(mark_id: str) -> None:
    with pytest.raises(RecordInvalid, match=r"body\.id is .*; expected 16 or 32"):
        from_json(MarkBody, to_json(MarkBody(mark_id, "tile-1", "key-1")))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("policy", "not a digest", r"body\.policy .* 64 lower-case"),
        ("media_digest", "AB" * 32, r"body\.media_digest .* 64 lower-case"),
        ("clip_id", "c" * 65, r"body\.clip_id .* 1 to 64 characters"),
        ("clip_id", "", r"body\.clip_id .* 1 to 64 characters"),
        ("clip_id", "a\0b", r"body\.clip_id .* control character"),
        ("output_verdict.decision", "perhaps", "expected one of .*'allow'"),
        ("output_verdict.stage", "nowhere", "expected one of .*'prompt'"),
        ("output_verdict.policy", "ab", r"body\.output_verdict\.policy"),
    ],
)
def test_a_text_in_another_spelling_is_named(place: str, value: str, message: str) -> None:
    body = to_json(cleared_body("clip-1", 7))
    *outer, name = place.split(".")
    part = body[outer[0]] if outer else body
    part[name] = value

    with pytest.raises(RecordInvalid, match=message):
        Record.parse(changed(body=body))


def test_a_commitment_of_another_scheme_is_refused() -> None:
    with pytest.raises(RecordInvalid, match=r"body\.scheme is 'md5'"):
        from_json(Commitment, {"scheme": "md5", "value": "12" * 32})


def test_a_policy_is_recorded_under_the_digest_of_its_text() -> None:
    with pytest.raises(RecordInvalid, match="the SHA-256 of its text"):
        PolicyText("tests", "0" * 64, "text that does not hash to it")


def test_a_log_begins_with_its_own_name_and_key() -> None:
    vkey = deployment_body().log_key

    with pytest.raises(RecordInvalid, match="no public key of a log"):
        Deployment(str(SCOPE), "no vkey", "countermark")
    with pytest.raises(RecordInvalid, match=r"the key of 'silver/press'; expected one of 'other/"):
        Deployment("other/log", vkey, "countermark")
    with pytest.raises(RecordInvalid, match="origin is 'silver/press'; expected 'silver/desk'"):
        Record.of(deployment_body(), scope=Scope("silver", "desk"), now=START)


def test_a_token_is_named_by_the_beginning_of_its_hash() -> None:
    with pytest.raises(RecordInvalid, match="token_id is '5f5f5f5f5f5f5f5f'; expected the begin"):
        Token(TokenAction.ISSUED, "auditor", "5f" * 8, "5e" * 32)


def test_the_last_moment_that_a_record_can_name_has_a_date() -> None:
    record = Record.parse(changed(time=253_402_300_799_999))

    assert record.time.isoformat(timespec="seconds") == "9999-12-31T23:59:59+00:00"


@pytest.mark.parametrize("fields", [{"v": 2}, {"kind": "cleaned"}, {"v": 2, "extra": 1}])
def test_what_a_later_version_wrote_is_newer_and_not_damaged(fields: dict[str, object]) -> None:
    with pytest.raises(RecordNewer, match="use the version of countermark that wrote it"):
        Record.parse(changed(**fields))


def test_a_verdict_can_come_as_a_plain_dictionary() -> None:
    plain = to_json(verdict(Decision.BLOCK))

    built = from_json(VerdictBody, plain)

    assert built == verdict(Decision.BLOCK)
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


@pytest.mark.parametrize(
    ("state", "prompt"),
    [(PromptState.GIVEN, None), (PromptState.NOT_AVAILABLE, Commitment("hmac-sha256", "12" * 32))],
)
def test_an_attempt_cannot_say_one_thing_of_its_prompt_and_hold_another(
    state: PromptState, prompt: Commitment | None
) -> None:
    with pytest.raises(RecordInvalid, match="prompt_state is"):
        Attempt("make", "clip", POLICY, {}, state, prompt=prompt)
