"""Have the memory of freed pictures go back to the system at once.

glibc raises, with every large block that is freed, the size from which blocks are mapped apart
(mallopt(3), `M_MMAP_THRESHOLD`, up to 32 MiB). Decoded pictures of a long film then come from the
heap, and gaps between them stay: 100 MB more while a 1080p film is marked
(`benchmarks/streaming.py`). Set once, the size stays.
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # <malloc.h>
_LARGE_BYTES = 2**20  # a picture is larger, and what Python allocates in quantity is smaller
_ARENAS = 2  # each keeps gaps of its own


def return_freed_memory() -> None:
    """Tell the C library for the rest of this process; one that has no such setting needs none."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
    mallopt(_M_ARENA_MAX, _ARENAS)
