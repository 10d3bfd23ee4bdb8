"""Reports, records and checks as text for a terminal and as JSON. Pure."""

import json
from datetime import datetime
from typing import Any

from audit.access import StoredToken
from audit.integrity import CheckReport
from audit.reader import Entry, StoredRecord
from audit.report import Layer, LayerState, Report

LAYER_NAMES = {
    "content_credentials": "credentials",
    "watermark": "watermark",
    "fingerprint": "fingerprint",
    "log": "log",
}


def report_text(report: Report) -> str:
    """Return a report as a newsroom reads it: headline, layers, what was not checked."""
    lines = [f"{printable(report.name)}: {report.status.value}", f"  {report.sentence}"]
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


def record_json(stored: StoredRecord | Entry) -> dict[str, Any]:
    """Return a stored record as plain values."""
    record: dict[str, Any] = json.loads(stored.record.canonical)
    return {"index": stored.index, "leaf_hash": stored.leaf_hash.hex(), **record}


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
    """Return a check of the log as text, a sentence for each problem."""
    if not report.problems:
        return f"the log agrees with itself: {report.records} records, root {report.root.hex()}"
    return "\n".join(f"damaged: {printable(problem.sentence)}" for problem in report.problems)


def check_json(report: CheckReport) -> dict[str, Any]:
    """Return a check of the log as plain values."""
    return {
        "damaged": bool(report.problems),
        "records": report.records,
        "size": report.size,
        "root": report.root.hex(),
        "problems": [
            {"kind": p.kind.value, "index": p.index, "sentence": p.sentence}
            for p in report.problems
        ],
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


def printable(text: str) -> str:
    """Return text from outside with control characters escaped: a terminal obeys them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _layer(name: str, layer: Layer) -> str:
    words = layer.state.value.replace("_", " ")
    mark_id = layer.evidence.get("mark_id") if name == "watermark" else None
    detail = f" {mark_id}" if mark_id and layer.state is not LayerState.NOT_CHECKED else ""
    return f"{words}{detail}: {printable(layer.reason)}"
