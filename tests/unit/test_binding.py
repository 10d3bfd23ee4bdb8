"""Which digests bind which boxes, on stores built by hand."""

import json

import pytest

from provenance.manifest_store import StoreFinding, inspect
from tests.support import stores
from tests.support.forgery import box, flipped

EARLIER = "urn:c2pa:earlier"
TOLD = stores.manifest(EARLIER, {"c2pa.actions.v2": stores.assertion("c2pa.actions.v2", {"a": 1})})
OTHER = stores.manifest(EARLIER, {"c2pa.actions.v2": stores.assertion("c2pa.actions.v2", {"a": 2})})


def inspected(
    reference: object, *, earlier: bytes = TOLD, claim: stores.Content | None = None
) -> StoreFinding:
    """Inspect a store whose active manifest refers to an earlier one like this."""
    ingredient = stores.assertion("c2pa.ingredient.v3", {"activeManifest": reference})
    active = stores.manifest("urn:c2pa:active", {"c2pa.ingredient.v3": ingredient}, claim=claim)
    return inspect(stores.store(earlier, active), timestamp_roots=())


def to(manifest: bytes) -> dict[str, object]:
    return stores.reference(f"self#jumbf=/c2pa/{EARLIER}", manifest)


def of_the_earlier(found: StoreFinding) -> tuple[list[str], list[str]]:
    """Return what is said of the earlier manifest: violations and deviations."""
    return (
        [text for text in found.violations if EARLIER in text],
        [text for text in found.deviations if EARLIER in text],
    )


def test_a_manifest_under_its_digest_is_bound_and_stands_in_the_history() -> None:
    found = inspected(to(TOLD))

    assert of_the_earlier(found) == ([], [])
    assert [step.label for step in found.history] == [EARLIER]


def test_a_digest_that_does_not_match_breaks_anybodys_file() -> None:
    violations, deviations = of_the_earlier(inspected(to(OTHER)))

    assert violations == [
        f"the ingredient's manifest {EARLIER} is not the one whose digest was signed"
    ]
    assert deviations == []
    assert inspected(to(OTHER)).history == ()


def test_one_flipped_bit_in_a_manifest_two_steps_back_is_seen() -> None:
    earlier = flipped(TOLD, len(TOLD) - 3, 0)

    assert of_the_earlier(inspected(to(TOLD), earlier=earlier))[0] != []


def test_a_reference_without_a_digest_says_nothing_against_it() -> None:
    violations, deviations = of_the_earlier(inspected({"url": f"self#jumbf=/c2pa/{EARLIER}"}))

    assert violations == []
    assert deviations == [f"no digest binds the ingredient's manifest {EARLIER}"]


def test_a_digest_that_we_cannot_compute_accuses_nobody() -> None:
    violations, deviations = of_the_earlier(inspected({**to(OTHER), "alg": "sha3-256"}))

    assert violations == []
    assert deviations != []


def test_a_manifest_that_nothing_refers_to_was_smuggled_in() -> None:
    violations, _ = of_the_earlier(inspected({"url": "self#jumbf=/c2pa/urn:c2pa:somewhere"}))

    assert violations == [
        f"the manifest {EARLIER} is in the store, but nothing signed refers to it"
    ]


def test_the_early_digest_over_the_claim_alone_binds_the_claim_and_is_honest() -> None:
    reference = {**to(TOLD), "hash": stores.claim_digest(TOLD)}

    violations, deviations = of_the_earlier(inspected(reference))

    assert violations == []
    assert deviations == [f"only the claim of the ingredient's manifest {EARLIER} is bound"]


def test_what_a_claim_says_it_took_out_of_an_earlier_manifest_does_not_break_it() -> None:
    redacted = {
        "redacted_assertions": [f"self#jumbf=/c2pa/{EARLIER}/c2pa.assertions/c2pa.actions.v2"]
    }

    violations, deviations = of_the_earlier(inspected(to(OTHER), claim=redacted))

    assert violations == []
    assert deviations != []


@pytest.mark.parametrize("label", ["c2pa.databoxes", "c2pa.credentials"])
def test_a_side_store_whose_contents_are_referred_to_is_not_remarked_upon(label: str) -> None:
    inner = stores.assertion("c2pa.data", {"a": 1})
    kind = {"c2pa.databoxes": b"c2db", "c2pa.credentials": b"c2vc"}[label]
    side = stores.superbox(label, kind, inner)
    pointing = stores.assertion(
        "c2pa.actions.v2", {"icon": stores.reference(f"self#jumbf={label}/c2pa.data", inner)}
    )

    bound = inspect(
        stores.store(stores.manifest("urn:c2pa:1", {"c2pa.actions.v2": pointing}, side)),
        timestamp_roots=(),
    )
    astray = inspect(stores.store(stores.manifest("urn:c2pa:1", {}, side)), timestamp_roots=())

    assert not any("refers" in text for text in bound.deviations)
    assert "nothing signed refers to the box 'c2pa.data'" in astray.deviations


def test_a_reference_in_json_binds_too() -> None:
    """Early assertions name the credentials of a person that way (schema.org CreativeWork)."""
    inner = stores.superbox("did:example:1", b"json", box(b"json", b"{}"))
    reference = stores.reference("self#jumbf=c2pa.credentials/did:example:1", inner)
    digest = reference["hash"]
    assert isinstance(digest, bytes)
    text = json.dumps({"credential": [{**reference, "hash": list(digest)}]}).encode()
    work = stores.superbox("stds.schema-org.CreativeWork", b"json", box(b"json", text))
    manifest = stores.manifest(
        "urn:c2pa:1",
        {"stds.schema-org.CreativeWork": work},
        stores.superbox("c2pa.credentials", b"c2vc", inner),
    )

    found = inspect(stores.store(manifest), timestamp_roots=())

    assert not any("refers" in text for text in found.deviations)
