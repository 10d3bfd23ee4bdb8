"""Writes `tests/vectors/{record,merkle,note}.json`: `python -m tests.support.ledger_vectors`.

Run it when a body gains a field before the first release, and never again after: from then on a
vector that no longer holds means that old logs can no longer be read.
"""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from audit.bodies import Attempt, Body, Commitment, Erasure, Refused, Token, Withdrawn
from audit.checkpoint import Checkpoint, TlogProof, sign_checkpoint
from audit.merkle import EMPTY_ROOT, hash_leaf, prove_consistency, prove_inclusion, root
from audit.records import Record, to_ms
from audit.tiles import TiledTree
from audit.vocabulary import Decision, PromptState, Scheme, Stage, TokenAction
from tests.support.logs import (
    POLICY,
    SCOPE,
    START,
    cleared_body,
    deployment_body,
    fixed_signer,
    released_body,
    verdict,
)

FOLDER = Path(__file__).parent.parent / "vectors"
ATTEMPT = "01a20302-01e7-7806-9672-ba8b6d0fc9a1"
LEAVES = [b"leaf %d" % number for number in range(300)]

# A record is the first level, its body the second, this the third.
DEEPEST = {"levels": json.loads("[" * 13 + "]" * 13)}

Vectors = dict[str, object]


def record_vectors() -> Vectors:
    """Return valid records with their leaf hashes, and texts that are none."""
    bodies: list[tuple[str, Body]] = [
        ("the first record of a log", deployment_body()),
        (
            "an attempt, its prompt as a commitment",
            Attempt(
                "make",
                "clip-1",
                POLICY,
                {"width": 320, "height": 192, "frames": 17, "seed": 7},
                PromptState.GIVEN,
                prompt=Commitment(Scheme.HMAC_SHA256, "12" * 32),
            ),
        ),
        ("a clip that passed both gates", cleared_body("clip-1", 7)),
        ("the same clip, signed", released_body("clip-1", 7, 2)),
        ("a refusal", Refused(Stage.PROMPT, verdict(Decision.BLOCK))),
        ("text beyond ASCII", Withdrawn('caf\u00e9 \u0001\t"\\/ \u2028 \U0001f3ac \x7f')),
        ("an erasure", Erasure("user-1", "case 17", 3)),
        ("sixteen levels of nesting", replace(cleared_body("clip-1", 7), making=DEEPEST)),
        ("a token", Token(TokenAction.ISSUED, "auditor", "5e" * 8, "5e" * 32)),
    ]
    records = [
        Record.of(
            body,
            scope=SCOPE,
            now=START + timedelta(milliseconds=number),
            attempt=ATTEMPT,
            record_id=f"01a20302-01e7-7806-9672-{number:012x}",
        )
        for number, (_, body) in enumerate(bodies)
    ]
    return {
        "about": "Canonical records and their leaf hashes; docs/spec/record.md.",
        "valid": [
            {
                "name": name,
                "canonical": record.canonical.decode(),
                "leaf_hash": hash_leaf(record.canonical).hex(),
            }
            for (name, _), record in zip(bodies, records, strict=True)
        ],
        "invalid": _spoilt_records(records),
        "newer": _newer_records(records[5]),
    }


def _newer_records(record: Record) -> list[dict[str, str]]:
    good = record.canonical.decode()
    newer = {
        "a later version": good.replace('"v":1', '"v":2'),
        "a kind that came later": good.replace('"kind":"withdrawn"', '"kind":"cleaned"'),
    }
    return [{"name": name, "text": text} for name, text in newer.items()]


def _spoilt_records(records: list[Record]) -> list[dict[str, str]]:
    record = records[5]
    good, time = record.canonical.decode(), str(to_ms(record.time))
    first, refusal, deepest = (records[at].canonical.decode() for at in (0, 4, 7))
    spoilt = {
        "white space after a colon": good.replace('"v":1', '"v": 1'),
        "keys out of order": '{"v":1,' + good[1 : -len(',"v":1}')] + "}",
        "a key twice": good[:-1] + ',"v":1}',
        "a float": good.replace('"v":1', '"v":1.0'),
        "a version before the first": good.replace('"v":1', '"v":0'),
        "a kind that is no word": good.replace('"kind":"withdrawn"', '"kind":"Cleaned"'),
        "a time in the year 10,000": good.replace(time, "253402300800000"),
        "seventeen levels of nesting": deepest.replace("[[]]", "[[[]]]"),
        "a log that begins under another name": first.replace('"silver/press"', '"silver/desk"'),
        "a decision that is none": refusal.replace('"decision":"block"', '"decision":"perhaps"'),
        "a digest in capitals": refusal.replace("cd" * 32, "CD" * 32),
        "an unknown field": good[:-1] + ',"w":1}',
        "a missing field": good.replace('"actor":null,', ""),
        "a body of another kind": good.replace('"kind":"withdrawn"', '"kind":"failed"'),
        "an escape that is not needed": good.replace("caf", "\\u0063af"),
        "half a surrogate pair": good.replace("caf", "\\ud800"),
        "a key beyond ASCII": good[:-1] + ',"\u00e9":1}',
        "an integer of 2^53": good.replace(time, str(2**53)),
        "a negative zero": good.replace(time, "-0"),
        "a UUID of version 4": good.replace("-7806-", "-4806-", 1),
        "a newline at the end": good + "\n",
    }
    return [{"name": name, "text": text} for name, text in spoilt.items()]


def merkle_vectors(tree: TiledTree) -> Vectors:
    """Return roots and proofs at sizes around the borders of tiles."""
    inclusion = [(0, 1), (0, 2), (2, 3), (6, 7), (0, 9), (8, 9), (254, 255), (255, 256), (256, 257)]
    consistency = [(1, 1), (1, 2), (2, 3), (3, 7), (7, 8), (8, 9), (255, 256), (256, 257)]
    sizes = [1, 2, 3, 7, 8, 9, 255, 256, 257, 300]
    return {
        "about": "RFC 6962 trees over the leaves `leaf 0`, `leaf 1`, ...; hashes in hexadecimal.",
        "empty_root": EMPTY_ROOT.hex(),
        "roots": [{"size": size, "root": root(size, tree.subtree).hex()} for size in sizes],
        "inclusion": [
            {
                "index": index,
                "size": size,
                "leaf_hash": hash_leaf(LEAVES[index]).hex(),
                "path": _hex(prove_inclusion(index, size, tree.subtree).path),
            }
            for index, size in [*inclusion, (17, 300), (299, 300)]
        ],
        "consistency": [
            {
                "old_size": old,
                "size": size,
                "path": _hex(prove_consistency(old, size, tree.subtree).path),
            }
            for old, size in [*consistency, (3, 300), (257, 300)]
        ],
        "first_three_hashes_of_tile_1": tree.changed[0, 1][:96].hex(),
    }


def note_vectors(tree: TiledTree) -> Vectors:
    """Return a checkpoint and a proof file, and notes that are none."""
    signer = fixed_signer()
    signed = sign_checkpoint(Checkpoint(str(SCOPE), tree.size, tree.root()), signer)
    note = signed.note
    spoilt = {
        "line ends of another system": note.replace("\n", "\r\n"),
        "no newline at the end": note[:-1],
        "a hyphen for the em dash": note.replace("\u2014", "-"),
        "no padding": note.replace("=\n", "\n"),
        "the same signature twice": note + note.split("\n\n")[1],
        "a plus before the size": note.replace("\n300\n", "\n+300\n"),
        "a zero in front": note.replace("\n300\n", "\n0300\n"),
        "digit groups": note.replace("\n300\n", "\n3_00\n"),
        "Arabic digits": note.replace("\n300\n", "\n\u0663\u0660\u0660\n"),
        "spaces around the size": note.replace("\n300\n", "\n 300 \n"),
        "a negative size": note.replace("\n300\n", "\n-300\n"),
        "another size": note.replace("\n300\n", "\n301\n"),
        "another origin": note.replace("silver/press\n", "silver/other\n"),
        "no signature": signed.checkpoint.text,
    }
    return {
        "about": "A checkpoint and a proof over the leaves of merkle.json; docs/spec/ledger.md.",
        "seed": "01" * 32,
        "vkey": signer.verifier.vkey,
        "checkpoint": note,
        "leaf": LEAVES[17].decode(),
        "proof": TlogProof(prove_inclusion(17, tree.size, tree.subtree), signed).text,
        "invalid": [{"name": name, "note": text} for name, text in spoilt.items()],
    }


def _hex(path: tuple[bytes, ...]) -> list[str]:
    return [each.hex() for each in path]


def main() -> None:
    """Write the three files."""
    tree = TiledTree(0, lambda _level, _n: None)
    tree.append([hash_leaf(leaf) for leaf in LEAVES])
    found = {
        "record": record_vectors(),
        "merkle": merkle_vectors(tree),
        "note": note_vectors(tree),
    }
    for name, vectors in found.items():
        text = json.dumps(vectors, indent=1) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
