"""What a manifest states, read from whatever a file holds.

It may be a stranger's: no type and no length is believed, and what is missing or misshapen becomes
None. `misread` compares what was read with what we meant to write. Pure.
"""

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provenance.claims import Claims, LogProof, MarkClaim, ModelIdentity, OriginKind
from provenance.manifest import AI_SOURCE_TYPE, RECORD_LABEL, binding_value

# One signed note with several cosignatures stays far below; a longer text is no claim of ours.
MAX_TEXT = 16 * 2**10
MAX_ITEMS = 256  # actions, ingredients, proof hashes read from a stranger's manifest
_SERIAL = re.compile(r"[0-9]{1,64}")  # 20 bytes have 49 digits (RFC 5280, section 4.1.2.2)
_MAX_INTEGER = 2**53  # what JSON carries exactly


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
class SignedStep:
    """One manifest of the store, as c2pa-rs tells of its signature."""

    label: str
    serial_hex: str | None
    """Serial number of the signer's certificate."""


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What the active manifest states. Statements of its signer, whoever that is."""

    active_label: str
    title: str | None
    issuer: str | None
    """O of the signer's certificate."""
    signer: str | None
    """CN of the signer's certificate."""
    serial_hex: str | None
    """Serial number of the signer's certificate."""
    generator: str | None
    signed_at: str | None
    """Time of the time-stamp as the verifier gives it, RFC 3339; None without one."""
    digital_source_type: str | None
    actions: tuple[str, ...]
    software_agents: tuple[str, ...]
    ingredients: tuple[Ingredient, ...]
    history: tuple[SignedStep, ...]
    """The manifests of earlier steps, as far as ingredients lead to them."""
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
        serial_hex=_serial(signature),
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
        history=tuple(_history(_mapping(store.get("manifests")), label)),
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


def misread(claims: Claims, found: ManifestFacts) -> Iterator[str]:
    """Say where a manifest does not state what was claimed; nothing means that it does."""
    made_by_ai = claims.origin is OriginKind.AI_GENERATED or claims.generated_by is not None
    mark = claims.mark
    binding = mark and SoftBinding(mark.algorithm, binding_value(mark.mark_id_hex))
    for name, claimed, stated in (
        ("title", claims.title, found.title),
        ("decision", claims.decision, found.decision),
        ("policy", claims.policy_name, found.policy_name),
        ("policy digest", claims.policy_digest, found.policy_digest),
        ("mark", mark, found.mark),
        ("soft binding", (binding,) if binding else (), found.soft_bindings),
        ("model", claims.model, found.model),
        ("log proof", claims.log, found.log),
        ("generated_by", claims.generated_by, found.generated_by),
        ("source type", AI_SOURCE_TYPE if made_by_ai else None, found.digital_source_type),
    ):
        if claimed != stated:
            yield f"its {name} reads {stated!r}, {claimed!r} was claimed"


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


def _history(manifests: Mapping[str, Any], active: str) -> Iterator[SignedStep]:
    """Give each manifest that ingredients lead to, once."""
    seen, waiting = {active}, deque([active])
    while waiting and len(seen) <= MAX_ITEMS:
        for ingredient in _ingredients(_mapping(manifests.get(waiting.popleft()))):
            label = ingredient.manifest_label
            earlier = _mapping(manifests.get(label or ""))
            if label is None or label in seen or not earlier:
                continue
            seen.add(label)
            waiting.append(label)
            yield SignedStep(label, _serial(_mapping(earlier.get("signature_info"))))


def _serial(signature: Mapping[str, Any]) -> str | None:
    """Return the serial number, which c2pa-rs writes in decimal."""
    number = _text(signature.get("cert_serial_number"))
    return f"{int(number):x}" if number is not None and _SERIAL.fullmatch(number) else None


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
