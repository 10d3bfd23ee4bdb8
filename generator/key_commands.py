"""`countermark keys`: which keys a home has, and a new one for the mark. No secret is printed."""

from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from audit.commands.printing import print_json
from audit.home import find_home
from audit.vocabulary import KeyPurpose
from generator.errors import RequestInvalid
from generator.keyring import KeyUse, KnownKey, known_keys, rotate_mark_key
from generator.settings import Settings

ID_DIGITS = 16  # of a key's id in a table; a certificate's has 64
USES = {
    KeyUse.IN_USE: "in use",
    KeyUse.LOOKED_FOR: "looked for",
    KeyUse.ABSENT: "not here",
}
HOW_TO_REPLACE = {
    KeyPurpose.LOG: "a log keeps its key; a new key begins a new log, in a new home",
    KeyPurpose.SIGNING: "put the new key and its chain in place, as docs/operating.md says",
    KeyPurpose.TIMESTAMP: "put the new key and its chain in place, as docs/operating.md says",
    KeyPurpose.SEALING: "what it sealed would be closed for good",
}


def list_keys(home: Path | None, *, as_json: bool) -> None:
    """Print the keys of a home, as its log tells of them."""
    found = find_home(home).required()
    keys = known_keys(found, Settings.load(found.settings))
    if as_json:
        print_json([_key_json(key) for key in keys])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "key", "use", "since", "file"):
        table.add_column(heading)
    for key in keys:
        since = "not in the log yet" if key.since is None else f"{key.since:%Y-%m-%d}"
        table.add_row(
            key.purpose.value, key.key_id[:ID_DIGITS], USES[key.use], since, key.file or ""
        )
    Console().print(table)


def rotate_key(home: Path | None, kind: str, *, as_json: bool) -> None:
    """Make a new key of a kind beside the old ones, and print what the log says of it.

    Raises:
        RequestInvalid: keys of this kind are not made by a command.
    """
    if kind != KeyPurpose.MARK:
        raise RequestInvalid(_refusal(kind))
    found = find_home(home).required()
    key = rotate_mark_key(found, Settings.load(found.settings))
    if as_json:
        print_json(_key_json(key))
        return
    typer.echo(f"mark       {key.key_id} marks from now on, record {key.record_index}")
    typer.echo(f"file       {key.file}; back it up, the clips that it marks are found by it alone")
    typer.echo("a process that is running already marks with the key that it began with")


def _refusal(kind: str) -> str:
    takes = "`countermark keys rotate` takes one kind, mark"
    if kind in set(KeyPurpose):
        return f"{takes}; of a {kind} key: {HOW_TO_REPLACE[KeyPurpose(kind)]}"
    return f"{kind[:80]!r} is no kind of key; {takes}"


def _key_json(key: KnownKey) -> dict[str, Any]:
    return {
        "kind": key.purpose.value,
        "key_id": key.key_id,
        "algorithm": key.algorithm,
        "use": key.use.value,
        "since": None if key.since is None else key.since.isoformat(),
        "record_index": key.record_index,
        "file": key.file,
    }
