"""GET /v1/log/…: what anybody needs to check the log; hashes and signatures, no records."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, Response

from audit.api.access import LogDep
from audit.api.problems import documented
from audit.checkpoint import TlogProof
from audit.errors import NotFound
from audit.merkle import HASH_BYTES
from audit.tiles import TILE_WIDTH

router = APIRouter(prefix="/log", tags=["log"])

# L, then N in groups of three digits, all but the last with an x (C2SP tlog-tiles, "Tile paths").
_PLACE: Final = re.compile(
    r"(?P<n>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII
)
TILE_LIMIT: Final = 2**55  # tiles of the lowest level in a log of 2**63 records
MAX_SIZE: Final = 2**53  # what JSON carries exactly
SizeQuery = Annotated[int | None, Query(ge=1, le=MAX_SIZE)]


@router.get("/key", response_class=PlainTextResponse, responses=documented(404))
def key(ledger: LogDep) -> str:
    """Return the log's public key (C2SP vkey)."""
    return ledger.vkey + "\n"


@router.get("/checkpoint", response_class=PlainTextResponse, responses=documented(404, 503))
def checkpoint(ledger: LogDep) -> str:
    """Return the newest signed checkpoint (C2SP tlog-checkpoint)."""
    return ledger.latest_checkpoint().note


@router.get("/proof/{index}", response_class=PlainTextResponse, responses=documented(404, 422, 503))
def proof(index: Annotated[int, Path(ge=0, le=MAX_SIZE)], ledger: LogDep) -> str:
    """Return the proof that a record stands in the log (C2SP tlog-proof)."""
    signed = ledger.latest_checkpoint()
    if index >= signed.size:
        raise NotFound(f"{ledger.origin} has no record {index}; it has {signed.size}")
    return TlogProof(ledger.prove(index, signed.size), signed).text


@router.get("/consistency", responses=documented(404, 422, 503))
def consistency(
    ledger: LogDep, old: Annotated[int, Query(ge=1, le=MAX_SIZE)], new: SizeQuery = None
) -> dict[str, Any]:
    """Return the proof that the log of `new` records begins with that of `old`."""
    found = ledger.prove_consistency(old, new)
    return {
        "old_size": found.old_size,
        "size": found.size,
        "path": [each.hex() for each in found.path],
    }


@router.get("/tile/{level}/{place:path}", responses=documented(404, 422, 503))
def tile(level: Annotated[str, Path(pattern="^[0-7]$")], place: str, ledger: LogDep) -> Response:
    """Return one tile of hashes (C2SP tlog-tiles), full or, with `.p/W`, its first W hashes."""
    n, width = parse_place(place)
    hashes = ledger.tile(int(level), n)[: width * HASH_BYTES]
    if len(hashes) < width * HASH_BYTES:
        raise NotFound(f"tile {level}/{place} is not filled yet; ask for fewer of its hashes")
    return Response(hashes, media_type="application/octet-stream")


def parse_place(place: str) -> tuple[int, int]:
    """Return (n, number of hashes) of a tile's path, such as `x001/067` or `000.p/7`.

    A tile has one spelling: what a cache or a mirror has under another would be another file.

    Raises:
        NotFound: it is no such path, or names no tile that a log can have.
    """
    found = _PLACE.fullmatch(place)
    n = int(found["n"].replace("x", "").replace("/", "")) if found else TILE_LIMIT
    width = int(found["width"]) if found and found["width"] else TILE_WIDTH
    if n >= TILE_LIMIT or spell_place(n, width) != place:
        raise NotFound(f"{place[:40]!r} is no place of a tile; expected x001/067 or 000.p/7")
    return n, width


def spell_place(n: int, width: int) -> str:
    """Return the path of tile `n`, or of the first `width` hashes of it."""
    groups = [f"{n % 1000:03}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < TILE_WIDTH else "")
