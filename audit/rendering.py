"""Reports, records and checks as text for a terminal and as JSON. Pure."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.access import StoredToken
from audit.errors import LedgerDamaged
from audit.integrity import CheckReport, Problem, ProblemKind
from audit.reader import Entry, StoredRecord
from audit.report import Layer, LayerState, Report

LAYER_NAMES = {
    "content_credentials": "credentials",
    "watermark": "watermark",
    "fingerprint": "fingerprint",
    "log": "log",
}


def report_text(path: Path, report: Report) -> str:
    """Return a report as a newsroom reads it: headline, layers, what was not checked."""
    lines = [f"{printable(path_text(path))}: {report.status.value}", f"  {report.sentence}"]
    if report.why not in report.sentence:
        lines.append(f"  Because {report.why}.")
    for name, layer in report.layers:
        lines.append(f"  {LAYER_NAMES[name]:<12} {_layer(name, layer)}")
    if report.records:
        places = ", ".join(f"{line.index} {line.kind}" for line in report.records)
        lines.append(f"  {'records':<12} {places}")
    if report.sha256 is not None:
        lines.append(f"  {'sha256':<12} {report.sha256}")
    lines += [f"  not checked  {printable(gap)}" for gap in report.gaps]
    return "\n".join(lines)


def report_json(path: Path, report: Report) -> dict[str, Any]:
    """Return a report as plain values, under the path that was asked about."""
    return {"path": path_text(path), **report.to_json(), "name": path_text(Path(path.name))}


def failure_text(path: Path, sentence: str) -> str:
    """Return the line of a file that could not be examined."""
    return f"{printable(path_text(path))}: not examined\n  {printable(sentence)}"


def failure_json(path: Path, sentence: str) -> dict[str, Any]:
    """Return the same as plain values: no status, because nothing was looked at."""
    return {"path": path_text(path), "error": sentence}


def record_json(stored: StoredRecord | Entry) -> dict[str, Any]:
    """Return a stored record as plain values."""
    return {
        "index": stored.index,
        "leaf_hash": stored.leaf_hash.hex(),
        "record": json.loads(stored.record.canonical),
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return a record with all that proves it: the bytes its leaf hashes, as text, and the proof.

    `leaf_hash` is SHA-256 over 0x00 and the UTF-8 bytes of `canonical`.
    """
    return {
        **record_json(entry),
        "canonical": entry.record.canonical.decode(),
        "tlog_proof": entry.tlog_proof,
    }


def record_row(stored: StoredRecord) -> tuple[str, str, str, str, str]:
    """Return a stored record as a table row."""
    record = stored.record
    body = record.body
    verdict = body.get("verdict") or body.get("output_verdict")
    decision = str(verdict["decision"]) if isinstance(verdict, dict) else ""
    what = body.get("clip_id") or body.get("stage") or body.get("name") or body.get("purpose")
    return (
        str(stored.index),
        f"{record.time:%Y-%m-%d %H:%M:%S}",
        record.kind.value,
        decision,
        printable(str(what or record.attempt or "")),
    )


def check_text(report: CheckReport) -> str:
    """Return a check of the log as text, a sentence for each problem and each warning."""
    lines = [f"damaged: {printable(problem.sentence)}" for problem in report.problems]
    if not lines:
        lines = [f"the log agrees with itself: {report.records} records, root {report.root.hex()}"]
    lines += [f"warning: {printable(warning.sentence)}" for warning in report.warnings]
    return "\n".join(lines)


def check_json(report: CheckReport) -> dict[str, Any]:
    """Return a check of the log as plain values."""
    return {
        "damaged": bool(report.problems),
        "records": report.records,
        "size": report.size,
        "root": report.root.hex(),
        "problems": [_problem_json(problem) for problem in report.problems],
        "warnings": [_problem_json(warning) for warning in report.warnings],
    }


def damage_json(error: LedgerDamaged) -> dict[str, Any]:
    """Return a log that could not even be read as the check that it failed."""
    return {
        "damaged": True,
        "records": None,
        "size": None,
        "root": None,
        "problems": [_problem_json(Problem(ProblemKind.FILE, None, str(error)))],
        "warnings": [],
    }


def token_json(token: StoredToken) -> dict[str, Any]:
    """Return a token's description as plain values."""
    return {
        "id": token.token_id,
        "name": token.name,
        "role": token.role.value,
        "created": token.created.isoformat(),
        "expires": None if token.expires is None else token.expires.isoformat(),
        "revoked": None if token.revoked is None else token.revoked.isoformat(),
    }


def token_row(token: StoredToken, now: datetime) -> tuple[str, str, str, str, str]:
    """Return a token's description as a table row."""
    expired = token.expires is not None and now >= token.expires
    state = "revoked" if token.revoked else "expired" if expired else "usable"
    until = "" if token.expires is None else f"{token.expires:%Y-%m-%d}"
    return token.token_id, printable(token.name), token.role.value, until, state


def path_text(path: Path) -> str:
    """Return a path as UTF-8 can carry it: of other bytes in a name the code is shown."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """Return text from outside with control characters escaped: a terminal obeys them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {"kind": problem.kind.value, "index": problem.index, "sentence": problem.sentence}


def _layer(name: str, layer: Layer) -> str:
    words = layer.state.value.replace("_", " ")
    mark_id = layer.evidence.get("mark_id") if name == "watermark" else None
    detail = f" {mark_id}" if mark_id and layer.state is not LayerState.NOT_CHECKED else ""
    return f"{words}{detail}: {printable(layer.reason)}"
