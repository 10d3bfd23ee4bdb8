"""The manifest of a clip: written from `Claims`, and read back from whatever a file holds.

`build` gives the definition that c2pa's Builder takes; docs/spec/manifest.md lists every assertion.
`facts` reads the other way and meets manifests of strangers: it believes no type and no length, and
what is missing or misshapen becomes None. Both are pure.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from provenance.claims import Claims, LogProof, MarkClaim, ModelIdentity, OriginKind

RECORD_LABEL = "org.countermark.record"
"""Our own assertion. C2PA drops a trailing `.v1`, so the version stands inside, as `v`."""

RECORD_VERSION = 1
PARENT_ID = "parent"
"""The label under which the caller adds the original of an opened clip as an ingredient."""

AI_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

# One signed note with several cosignatures stays far below; a longer text is no claim of ours.
MAX_TEXT = 16 * 2**10
MAX_ITEMS = 256  # actions, ingredients, proof hashes read from a stranger's manifest
_MAX_INTEGER = 2**53  # what JSON carries exactly

_NOT_ALLOWED = {"use": "notAllowed"}
_MINING_ENTRIES = (
    "cawg.ai_inference",
    "cawg.ai_generative_training",
    "cawg.ai_training",
    "cawg.data_mining",
)


@dataclass(frozen=True, slots=True)
class SoftBinding:
    """A mark or fingerprint by which the manifest can be found again."""

    algorithm: str
    value: str
    """As it stands in the manifest; base64 in manifests of ours."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Something the clip was made from."""

    title: str | None
    relationship: str | None
    """`parentOf`, `componentOf` or `inputTo`."""
    manifest_label: str | None
    """Its own manifest in the same store, where it has one."""


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What the active manifest states. Statements of its signer, whoever that is."""

    active_label: str
    title: str | None
    issuer: str | None
    """O of the signer's certificate."""
    signer: str | None
    """CN of the signer's certificate."""
    generator: str | None
    signed_at: str | None
    """Time of the time-stamp as the verifier gives it, RFC 3339; None without one."""
    digital_source_type: str | None
    actions: tuple[str, ...]
    software_agents: tuple[str, ...]
    ingredients: tuple[Ingredient, ...]
    soft_bindings: tuple[SoftBinding, ...]
    decision: str | None
    policy_name: str | None
    policy_digest: str | None
    mark: MarkClaim | None
    model: ModelIdentity | None
    generated_by: str | None
    log: LogProof | None
    unbound_sha256: str | None
    """Our commitment to the boxes that the hard binding leaves out (see `coverage`)."""

    @property
    def has_record(self) -> bool:
        """Whether the manifest carries an assertion of countermark that can be read."""
        return self.decision is not None and self.log is not None


def build(claims: Claims, *, unbound_sha256: str) -> dict[str, Any]:
    """Return the manifest definition for c2pa's Builder.

    An opened clip refers to an ingredient labelled `PARENT_ID`, which the signing step must add.

    Args:
        claims: what to state.
        unbound_sha256: `coverage.unbound_digest` of the clip to be signed, which closes what
            C2PA's own hash leaves open.
    """
    agent = claims.software_agent
    assertions = [
        _own("c2pa.actions.v2", {"actions": _actions(claims), "allActionsIncluded": True}),
        _own(RECORD_LABEL, _record(claims, unbound_sha256)),
        _own("cawg.training-mining", {"entries": dict.fromkeys(_MINING_ENTRIES, _NOT_ALLOWED)}),
    ]
    if claims.mark is not None:
        block = {"scope": {}, "value": _binding_value(claims.mark.mark_id_hex)}
        assertions.append(
            _own("c2pa.soft-binding", {"alg": claims.mark.algorithm, "blocks": [block]})
        )
    return {
        "title": claims.title,
        "format": "video/mp4",
        "claim_generator_info": [{"name": agent.name, "version": agent.version}],
        "assertions": assertions,
    }


def facts(store: Mapping[str, Any]) -> ManifestFacts | None:
    """Read the active manifest from c2pa's JSON report; None when it names none."""
    label = _text(store.get("active_manifest"))
    manifest = _mapping(_mapping(store.get("manifests")).get(label or ""))
    if label is None or not manifest:
        return None
    signature = _mapping(manifest.get("signature_info"))
    actions = list(_actions_found(manifest))
    record = _assertion(manifest, RECORD_LABEL)
    policy = _mapping(record.get("policy"))
    return ManifestFacts(
        active_label=label,
        title=_text(manifest.get("title")),
        issuer=_text(signature.get("issuer")),
        signer=_text(signature.get("common_name")),
        generator=_generator(manifest),
        signed_at=_text(signature.get("time")),
        digital_source_type=next(
            (kind for kind in map(_source_type, actions) if kind is not None), None
        ),
        actions=tuple(filter(None, (_text(action.get("action")) for action in actions))),
        software_agents=tuple(
            dict.fromkeys(filter(None, (_agent(a.get("softwareAgent")) for a in actions)))
        ),
        ingredients=tuple(_ingredients(manifest)),
        soft_bindings=tuple(_soft_bindings(manifest)),
        decision=_text(record.get("decision")),
        policy_name=_text(policy.get("name")),
        policy_digest=_text(policy.get("sha256")),
        mark=_mark(_mapping(record.get("mark"))),
        model=_model(_mapping(record.get("model"))),
        generated_by=_text(record.get("generated_by")),
        log=_log(_mapping(record.get("log"))),
        unbound_sha256=_text(record.get("unbound_sha256")),
    )


def mark_id_of(binding: SoftBinding) -> str | None:
    """Return the mark id (hex) in a soft binding of ours; None when it holds something else."""
    try:
        return base64.b64decode(binding.value, validate=True).hex() or None
    except (binascii.Error, ValueError):
        return None


def _own(label: str, content: dict[str, Any]) -> dict[str, Any]:
    """Make an assertion that the signer vouches for; c2pa calls others `gathered`."""
    return {"label": label, "data": content, "created": True}


def _actions(claims: Claims) -> list[dict[str, Any]]:
    when = claims.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    agent: dict[str, str] = {
        "name": claims.software_agent.name,
        "version": claims.software_agent.version,
    }
    if claims.origin is OriginKind.AI_GENERATED:
        made_by = (
            agent
            if claims.model is None
            else {"name": claims.model.name, "version": claims.model.digest[:16]}
        )
        first: dict[str, Any] = {
            "action": "c2pa.created",
            "when": when,
            "softwareAgent": made_by,
            "digitalSourceType": AI_SOURCE_TYPE,
        }
    else:
        first = {
            "action": "c2pa.opened",
            "when": when,
            "softwareAgent": agent,
            "parameters": {"ingredientIds": [PARENT_ID]},
        }
        if claims.generated_by is not None:
            first["digitalSourceType"] = AI_SOURCE_TYPE
            first["description"] = (
                f"The operator states that this was generated by {claims.generated_by}."
            )
    actions = [first]
    if claims.mark is not None:
        actions.append({"action": "c2pa.watermarked.bound", "when": when, "softwareAgent": agent})
    return actions


def _record(claims: Claims, unbound_sha256: str) -> dict[str, Any]:
    log = claims.log
    record: dict[str, Any] = {
        "v": RECORD_VERSION,
        "decision": claims.decision,
        "policy": {"name": claims.policy_name, "sha256": claims.policy_digest},
        "log": {
            "origin": log.origin,
            "index": log.index,
            "leaf": log.leaf_hash_hex,
            "proof": list(log.proof),
            "size": log.tree_size,
            "checkpoint": log.checkpoint,
        },
        "unbound_sha256": unbound_sha256,
    }
    if claims.mark is not None:
        record["mark"] = {
            "algorithm": claims.mark.algorithm,
            "id": claims.mark.mark_id_hex,
            "key_id": claims.mark.key_id,
        }
    if claims.model is not None:
        record["model"] = {"name": claims.model.name, "sha256": claims.model.digest}
    if claims.generated_by is not None:
        record["generated_by"] = claims.generated_by
    return record


def _binding_value(mark_id_hex: str) -> str:
    """Base64, because the Soft Binding Resolution API asks for the value in that form."""
    return base64.b64encode(bytes.fromhex(mark_id_hex)).decode("ascii")


# Reading: every value below comes from a file that anybody may have written.


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_TEXT else None


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < _MAX_INTEGER else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> Sequence[Any]:
    return value[:MAX_ITEMS] if isinstance(value, list) else []


def _assertions(manifest: Mapping[str, Any], label: str) -> Iterator[Mapping[str, Any]]:
    """Give the data of each assertion of that label, later copies (`__1`, `__2`) included."""
    for item in _items(manifest.get("assertions")):
        found = _text(_mapping(item).get("label")) or ""
        if found.partition("__")[0] == label:
            yield _mapping(_mapping(item).get("data"))


def _assertion(manifest: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    """Return the only assertion of that label; two of a kind count as none, or we would choose."""
    found = list(_assertions(manifest, label))
    return found[0] if len(found) == 1 else {}


def _actions_found(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for label in ("c2pa.actions.v2", "c2pa.actions"):
        for assertion in _assertions(manifest, label):
            yield from map(_mapping, _items(assertion.get("actions")))


def _source_type(action: Mapping[str, Any]) -> str | None:
    return _text(action.get("digitalSourceType"))


def _agent(value: object) -> str | None:
    """A softwareAgent is a text in version 1 of the actions and a map in version 2."""
    if isinstance(value, str):
        return _text(value)
    parts = (_text(_mapping(value).get("name")), _text(_mapping(value).get("version")))
    return " ".join(filter(None, parts)) or None


def _generator(manifest: Mapping[str, Any]) -> str | None:
    listed = _items(manifest.get("claim_generator_info"))
    return _agent(listed[0]) if listed else _text(manifest.get("claim_generator"))


def _ingredients(manifest: Mapping[str, Any]) -> Iterator[Ingredient]:
    for item in map(_mapping, _items(manifest.get("ingredients"))):
        yield Ingredient(
            title=_text(item.get("title")),
            relationship=_text(item.get("relationship")),
            manifest_label=_text(item.get("active_manifest")),
        )


def _soft_bindings(manifest: Mapping[str, Any]) -> Iterator[SoftBinding]:
    for assertion in _assertions(manifest, "c2pa.soft-binding"):
        algorithm = _text(assertion.get("alg"))
        for block in map(_mapping, _items(assertion.get("blocks"))):
            value = _text(block.get("value"))
            if algorithm is not None and value is not None:
                yield SoftBinding(algorithm, value)


def _mark(found: Mapping[str, Any]) -> MarkClaim | None:
    algorithm, mark_id = _text(found.get("algorithm")), _text(found.get("id"))
    key_id = _text(found.get("key_id"))
    if algorithm is None or mark_id is None or key_id is None:
        return None
    return MarkClaim(algorithm, mark_id, key_id)


def _model(found: Mapping[str, Any]) -> ModelIdentity | None:
    name, digest = _text(found.get("name")), _text(found.get("sha256"))
    return None if name is None or digest is None else ModelIdentity(name, digest)


def _log(found: Mapping[str, Any]) -> LogProof | None:
    origin, checkpoint = _text(found.get("origin")), _text(found.get("checkpoint"))
    leaf = _text(found.get("leaf"))
    index, size = _integer(found.get("index")), _integer(found.get("size"))
    path = found.get("proof")
    # An empty proof is right for a tree of one leaf, so a missing one must not turn into it.
    if not isinstance(path, list) or len(path) > MAX_ITEMS:
        return None
    proof = tuple(filter(None, map(_text, path)))
    if origin is None or checkpoint is None or leaf is None or index is None or size is None:
        return None
    if len(proof) != len(path):
        return None
    return LogProof(origin, index, leaf, proof, size, checkpoint)
