"""The manifest: what is written from claims, and what is believed of a stranger's."""

from dataclasses import replace
from typing import Any

import pytest

from provenance.manifest import (
    AI_SOURCE_TYPE,
    PARENT_ID,
    RECORD_LABEL,
    build,
)
from provenance.manifest_facts import SoftBinding, facts, mark_id_of
from tests.support.pki import CLAIMS, opened

DIGEST = "ab" * 32


def assertion(definition: dict[str, Any], label: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        item["data"] for item in definition["assertions"] if item["label"] == label
    )
    return found


def stored(assertions: list[dict[str, Any]], **manifest: object) -> dict[str, Any]:
    return {
        "active_manifest": "urn:c2pa:1",
        "manifests": {"urn:c2pa:1": {"assertions": assertions, **manifest}},
    }


def test_a_generated_clip_is_created_by_its_model_as_ai() -> None:
    actions = assertion(build(CLAIMS, unbound_sha256=DIGEST), "c2pa.actions.v2")["actions"]

    assert actions[0]["action"] == "c2pa.created"
    assert actions[0]["digitalSourceType"] == AI_SOURCE_TYPE
    assert actions[0]["softwareAgent"]["name"] == "tiny"
    assert actions[0]["when"] == "2026-11-22T09:00:00Z"
    assert actions[1]["action"] == "c2pa.watermarked.bound"


def test_an_opened_clip_claims_no_origin_unless_the_operator_states_one() -> None:
    silent = assertion(build(opened(), unbound_sha256=DIGEST), "c2pa.actions.v2")["actions"][0]
    stated = assertion(
        build(opened(generated_by="a model"), unbound_sha256=DIGEST), "c2pa.actions.v2"
    )["actions"][0]

    assert silent["action"] == stated["action"] == "c2pa.opened"
    assert silent["parameters"] == {"ingredientIds": [PARENT_ID]}
    assert "digitalSourceType" not in silent
    assert stated["digitalSourceType"] == AI_SOURCE_TYPE
    assert "The operator states" in stated["description"]


def test_every_assertion_is_one_that_the_signer_vouches_for() -> None:
    definition = build(CLAIMS, unbound_sha256=DIGEST)

    assert all(item["created"] for item in definition["assertions"])


def test_the_metadata_assertion_that_other_verifiers_refuse_is_not_written() -> None:
    labels = {item["label"] for item in build(CLAIMS, unbound_sha256=DIGEST)["assertions"]}

    assert "c2pa.metadata" not in labels


def test_a_soft_binding_gives_the_mark_back() -> None:
    binding = assertion(build(CLAIMS, unbound_sha256=DIGEST), "c2pa.soft-binding")

    value = binding["blocks"][0]["value"]

    assert mark_id_of(SoftBinding(binding["alg"], value)) == "00112233445566ff"


@pytest.mark.parametrize("value", ["", "not base64!", "ÄÖ"])
def test_a_soft_binding_of_another_kind_is_no_mark_of_ours(value: str) -> None:
    assert mark_id_of(SoftBinding("com.example.1", value)) is None


def test_the_definition_reads_back_as_facts() -> None:
    definition = build(CLAIMS, unbound_sha256=DIGEST)

    found = facts(stored(definition["assertions"], title=definition["title"]))

    assert found is not None
    assert found.log == CLAIMS.log
    assert found.unbound_sha256 == DIGEST
    assert found.has_record


def test_two_records_count_as_none() -> None:
    record = {"label": RECORD_LABEL, "data": {"decision": "allow"}}
    other = {"label": f"{RECORD_LABEL}__1", "data": {"decision": "block"}}

    found = facts(stored([record, other]))

    assert found is not None
    assert found.decision is None


def test_an_empty_log_proof_stays_and_a_missing_one_does_not_turn_into_it() -> None:
    log = {
        "origin": "o",
        "index": 0,
        "leaf": "aa",
        "proof": [],
        "size": 1,
        "checkpoint": "c",
    }
    whole = facts(stored([{"label": RECORD_LABEL, "data": {"log": log}}]))
    without = {key: value for key, value in log.items() if key != "proof"}
    lacking = facts(stored([{"label": RECORD_LABEL, "data": {"log": without}}]))

    assert whole is not None
    assert lacking is not None
    assert whole.log is not None
    assert whole.log.proof == ()
    assert lacking.log is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"index": -1},
        {"index": True},
        {"index": 2**60},
        {"index": "3"},
        {"proof": "d2"},
        {"proof": [1]},
        {"proof": [""]},
        {"checkpoint": None},
        {"origin": ""},
        {"leaf": "x" * 20_000},
    ],
)
def test_a_misshapen_log_proof_is_none(wrong: dict[str, object]) -> None:
    definition = build(CLAIMS, unbound_sha256=DIGEST)
    record = assertion(definition, RECORD_LABEL)

    found = facts(
        stored([{"label": RECORD_LABEL, "data": {**record, "log": {**record["log"], **wrong}}}])
    )

    assert found is not None
    assert found.log is None


@pytest.mark.parametrize(
    "store",
    [
        {},
        {"active_manifest": None},
        {"active_manifest": "urn:c2pa:1"},
        {"active_manifest": "urn:c2pa:1", "manifests": []},
        {"active_manifest": ["x"], "manifests": {"x": {}}},
        {"active_manifest": "x", "manifests": {"x": "y"}},
    ],
)
def test_a_store_that_names_no_manifest_has_no_facts(store: dict[str, Any]) -> None:
    assert facts(store) is None


def test_old_actions_and_agents_are_read_too() -> None:
    action = {"action": "c2pa.created", "softwareAgent": "a program"}

    found = facts(stored([{"label": "c2pa.actions", "data": {"actions": [action]}}]))

    assert found is not None
    assert found.actions == ("c2pa.created",)
    assert found.software_agents == ("a program",)


def test_a_clip_without_mark_or_model_says_nothing_of_them() -> None:
    plain = replace(CLAIMS, mark=None, model=None)

    record = assertion(build(plain, unbound_sha256=DIGEST), RECORD_LABEL)

    assert not {"mark", "model", "generated_by"} & set(record)
