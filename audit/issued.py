"""Do the tokens' rows say what the log's records say? Pure.

A row that nobody recorded is a door that somebody made for himself, and a revocation taken back in
the row alone is the same door opened again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from audit.bodies import RecordKind, Token, TokenAction
from audit.records import Record
from audit.shape import from_json


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as the log knows it: where it was issued, for what, until when, whether revoked."""

    index: int
    role: str
    expires_ms: int | None
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What the row of a token says of the same things."""

    role: str
    expires_ms: int | None
    revoked_ms: int | None


def note_token(found: dict[str, Issued], record: Record, index: int) -> None:
    """Add to `found` what a record says of a token, if it is about one."""
    if record.kind is not RecordKind.TOKEN:
        return
    body = from_json(Token, record.body)
    before = found.get(body.token_id)
    if body.action is TokenAction.REVOKED and before is not None:
        found[body.token_id] = replace(before, revoked_ms=record.time_ms)
    else:
        found[body.token_id] = Issued(index, body.role, body.expires)


def token_disagreements(
    issued: Mapping[str, Issued], rows: Mapping[str, TokenRow]
) -> Iterator[tuple[int | None, str]]:
    """Yield (index of the record, sentence) for whatever does not agree."""
    for token_id, known in issued.items():
        row = rows.get(token_id)
        if row is None:
            yield known.index, f"token {token_id} was issued and has no row"
            continue
        for name in ("role", "expires_ms", "revoked_ms"):
            in_row, in_log = getattr(row, name), getattr(known, name)
            if in_row != in_log:
                sentence = f"{name} of token {token_id} is {in_row!r}, its records say {in_log!r}"
                yield known.index, sentence
    for token_id in rows.keys() - issued.keys():
        yield None, f"token {token_id} has a row and was never issued"
