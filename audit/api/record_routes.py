"""GET /v1/records: what the log says, for tokens with the right to read it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from audit.api.access import ReadableLogDep
from audit.api.problems import documented
from audit.queries import PAGE_LIMIT, RecordFilter, list_records
from audit.rendering import entry_json, record_json
from audit.vocabulary import Decision, RecordKind

router = APIRouter(prefix="/records", tags=["records"])

MAX_INDEX = 2**53  # what JSON carries exactly


@router.get("", responses=documented(401, 403, 404, 422, 503))
def records(  # noqa: PLR0913, PLR0917 - one query parameter each
    ledger: ReadableLogDep,
    kind: Annotated[list[RecordKind] | None, Query()] = None,
    decision: Decision | None = None,
    clip: Annotated[str | None, Query(max_length=64)] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    after: Annotated[int | None, Query(ge=0, le=MAX_INDEX)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> dict[str, Any]:
    """Return a page of records, the newest first, and the checkpoint it was read under."""
    wanted = RecordFilter(
        kinds=frozenset(kind or ()), decision=decision, clip_id=clip, since=since, until=until
    )
    page = list_records(ledger, wanted, after=after, limit=limit)
    return {
        "records": [record_json(stored) for stored in page.records],
        "next_after": page.next_after,
        "checkpoint": None if page.checkpoint is None else page.checkpoint.note,
    }


@router.get("/{index}", responses=documented(401, 403, 404, 422, 503))
def record(
    index: Annotated[int, Path(ge=0, le=MAX_INDEX)], ledger: ReadableLogDep
) -> dict[str, Any]:
    """Return one record, the exact bytes that its leaf hashes (as text), and its proof."""
    return entry_json(ledger.get(index))
