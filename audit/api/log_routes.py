"""GET /v1/log/…: what anybody needs to check the log; hashes and signatures, no records."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, Response

from audit.api.access import ServedDep
from audit.checkpoint import TlogProof
from audit.errors import NotFound
from audit.merkle import HASH_BYTES
from audit.tiles import TILE_WIDTH

router = APIRouter(prefix="/log", tags=["log"])

# N in groups of three digits, all but the last with an x (C2SP tlog-tiles, "Tile paths").
_PLACE = re.compile(r"(?P<n>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII)
MAX_PLACE = 40
MAX_SIZE = 2**53  # what JSON carries exactly
SizeQuery = Annotated[int | None, Query(ge=1, le=MAX_SIZE)]


@router.get("/key", response_class=PlainTextResponse)
def key(shared: ServedDep) -> str:
    """Return the log's public key (C2SP vkey)."""
    return shared.ledger.vkey + "\n"


@router.get("/checkpoint", response_class=PlainTextResponse)
def checkpoint(shared: ServedDep) -> str:
    """Return the newest signed checkpoint (C2SP tlog-checkpoint)."""
    return shared.ledger.latest_checkpoint().note


@router.get("/proof/{index}", response_class=PlainTextResponse)
def proof(index: Annotated[int, Path(ge=0, le=MAX_SIZE)], shared: ServedDep) -> str:
    """Return the proof that a record stands in the log (C2SP tlog-proof)."""
    signed = shared.ledger.latest_checkpoint()
    if index >= signed.size:
        raise NotFound(f"{shared.ledger.origin} has no record {index}; it has {signed.size}")
    return TlogProof(shared.ledger.prove(index, signed.size), signed).text


@router.get("/consistency")
def consistency(
    shared: ServedDep, old: Annotated[int, Query(ge=1, le=MAX_SIZE)], new: SizeQuery = None
) -> dict[str, Any]:
    """Return the proof that the log of `new` records begins with that of `old`."""
    found = shared.ledger.prove_consistency(old, new)
    return {
        "old_size": found.old_size,
        "size": found.size,
        "path": [each.hex() for each in found.path],
    }


@router.get("/tile/{level}/{place:path}")
def tile(level: Annotated[int, Path(ge=0, le=7)], place: str, shared: ServedDep) -> Response:
    """Return one tile of hashes (C2SP tlog-tiles), full or, with `.p/W`, its first W hashes."""
    n, width = parse_place(place)
    hashes = shared.ledger.tile(level, n)[: width * HASH_BYTES]
    if len(hashes) < width * HASH_BYTES:
        raise NotFound(f"tile {level}/{place} is not filled yet; ask for fewer of its hashes")
    return Response(hashes, media_type="application/octet-stream")


def parse_place(place: str) -> tuple[int, int]:
    """Return (n, number of hashes) of a tile's path, such as `x001/067` or `000.p/7`.

    Raises:
        NotFound: it is no such path.
    """
    found = _PLACE.fullmatch(place)
    width = int(found["width"]) if found and found["width"] else TILE_WIDTH
    if found is None or not 0 < width <= TILE_WIDTH or len(place) > MAX_PLACE:
        raise NotFound(f"{place[:40]!r} is no place of a tile; expected x001/067 or 000.p/7")
    return int(found["n"].replace("x", "").replace("/", "")), width
