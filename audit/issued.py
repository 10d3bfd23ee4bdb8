"""Do the tokens' rows say what the log's records say? Pure.

A row that nobody recorded is a door that somebody made for himself, and a revocation taken back in
the row alone is the same door opened again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from audit.bodies import Token
from audit.records import Record
from audit.shape import from_json
from audit.vocabulary import RecordKind, TokenAction


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What there is to say of a token: by its row, or by the records of its issue and revocation.

    Attributes:
        token_id: which token.
        sha256: of the token, in hexadecimal: whoever holds a text with this hash is let in.
        role: what it may do.
        created_ms: when it was issued.
        expires_ms: until when it holds; None for ever.
        revoked_ms: since when it holds no longer.
    """

    token_id: str
    sha256: str
    role: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None = None

    @classmethod
    def of(cls, row: Any) -> "TokenRow":  # noqa: ANN401 - a row of `tables.token`
        """Take a row; SQLite stores anything in a hash's place."""
        sha256 = row.hash.hex() if isinstance(row.hash, bytes) else repr(row.hash)
        return cls(row.token_id, sha256, row.role, row.created_ms, row.expires_ms, row.revoked_ms)


class IssuedTokens:
    """Follows the records of tokens in the log's order."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, TokenRow]] = {}

    def see(self, index: int, record: Record) -> None:
        """Take one record in."""
        if record.kind is not RecordKind.TOKEN:
            return
        body = from_json(Token, record.body)
        before = self._known.get(body.token_id)
        if body.action is TokenAction.REVOKED and before is not None:
            at, row = before
            self._known[body.token_id] = at, replace(row, revoked_ms=record.time_ms)
        else:
            row = TokenRow(body.token_id, body.sha256, body.role, record.time_ms, body.expires)
            self._known[body.token_id] = index, row

    def disagreements(self, rows: Iterable[TokenRow]) -> Iterator[tuple[int | None, str]]:
        """Yield (index of the record, sentence) for whatever the rows say otherwise."""
        stored = {row.token_id: row for row in rows}
        for token_id, (index, known) in self._known.items():
            row = stored.get(token_id)
            if row is None:
                yield index, f"token {token_id} was issued and has no row"
                continue
            for name in (field.name for field in fields(TokenRow)):
                in_row, in_log = getattr(row, name), getattr(known, name)
                if in_row != in_log:
                    yield (
                        index,
                        f"{name} of token {token_id} is {in_row!r}, its records say {in_log!r}",
                    )
        for token_id in stored.keys() - self._known.keys():
            yield None, f"token {token_id} has a row and was never issued"
