"""Which files a model folder holds, and whether they are the ones that were pinned.

A folder's identity is its *root digest*: SHA-256 over a canonical listing of the relative path,
size and SHA-256 of each file in it. One changed, added or missing byte gives another digest. `pin`
writes the listing beside the weights as `weights.json` (which is no part of itself), so that a
mismatch can name the file; what decides is the digest that the operator keeps in the settings, or
this package in its code.

Files that can carry code are refused before anything is opened: diffusers by default still loads
pickles, and a model index that names a local module has run foreign code (CVE-2026-44513).

    manifest = verify_folder(Path("/models/wan2.2-t2v"), expected=settings.digest)
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from generator.errors import ModelUnavailable

MANIFEST_NAME = "weights.json"
FORMAT = "countermark-weights/1"
CHUNK_BYTES = 2**20
# A digest is remembered only for files whose hashing costs seconds.
REMEMBERED_BYTES = 64 * 2**20
# Pickles, code and archives: from_pretrained would load some of these, and none belongs here.
REFUSED_SUFFIXES = frozenset(
    {
        ".bin",
        ".ckpt",
        ".dll",
        ".dylib",
        ".h5",
        ".joblib",
        ".msgpack",
        ".npy",
        ".npz",
        ".pickle",
        ".pkl",
    }
    | {".pt", ".pth", ".pyc", ".py", ".pyd", ".sh", ".so", ".tar", ".zip"}
)
# Libraries whose classes a model index may name; anything else is a module to import.
ALLOWED_LIBRARIES = frozenset({"diffusers", "transformers"})
REFUSED_KEYS = frozenset({"auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code"})
MAX_JSON_BYTES = 64 * 2**20  # UMT5's tokenizer.json has 17 MB


@dataclass(frozen=True, slots=True, order=True)
class WeightFile:
    """One file: its path inside the folder (with `/`), size in bytes and SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WeightsManifest:
    """The listing of a folder, sorted by path."""

    files: tuple[WeightFile, ...]

    def canonical(self) -> bytes:
        """Return the listing as canonical JSON: sorted keys, no spaces, ASCII."""
        listing = {
            "files": [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in self.files],
            "format": FORMAT,
        }
        return json.dumps(listing, sort_keys=True, separators=(",", ":")).encode("ascii")

    @property
    def root_digest(self) -> str:
        """Return SHA-256 of the canonical listing, in hex: the model's identity."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a listing.

        Raises:
            ModelUnavailable: it is not a listing in canonical form.
        """
        try:
            listing = json.loads(text)
            files = tuple(
                WeightFile(str(f["path"]), int(f["size"]), str(f["sha256"]))
                for f in listing["files"]
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelUnavailable(
                f"{MANIFEST_NAME} is not a listing ({error}); write it again with `model pin`"
            ) from error
        manifest = cls(files)
        if manifest.canonical() != text:
            raise ModelUnavailable(
                f"{MANIFEST_NAME} is not in canonical form; write it again with `model pin`"
            )
        return manifest


class DigestMemory:
    """Remembers digests of big files, so that 126 GB are not hashed at each start.

    An entry holds as long as path, size, modification time and inode are the same. Whoever can
    write the weights and set their times back can defeat it: use it where the folder is read-only
    to the service, and pass none to hash everything.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            entries = json.loads(path.read_bytes())
        except (OSError, ValueError):
            entries = {}  # a lost memory only costs time
        self._entries: dict[str, str] = entries if isinstance(entries, dict) else {}

    def recall(self, path: Path, status: os.stat_result) -> str | None:
        """Return the digest of an unchanged file, or None."""
        return self._entries.get(self._key(path, status))

    def remember(self, path: Path, status: os.stat_result, sha256: str) -> None:
        """Keep a digest and write the memory to disk."""
        self._entries[self._key(path, status)] = sha256
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._entries, sort_keys=True, indent=0))
        fresh.replace(self._path)

    @staticmethod
    def _key(path: Path, status: os.stat_result) -> str:
        return f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


def list_folder(folder: Path, memory: DigestMemory | None = None) -> WeightsManifest:
    """Hash a model folder.

    Raises:
        ModelUnavailable: it is missing, empty, or holds something that could run code.
    """
    if not folder.is_dir():
        raise ModelUnavailable(
            f"no model folder at {folder}; download the weights and name the folder in the settings"
        )
    files = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise ModelUnavailable(
                f"{name} is a symbolic link, which can change its target later; "
                f"copy the folder with its links resolved (cp -rL)"
            )
        if path.is_dir() or name == MANIFEST_NAME:
            continue
        _refuse_code(path, name)
        files.append(WeightFile(name, path.stat().st_size, _digest(path, memory)))
    if not files:
        raise ModelUnavailable(f"the model folder {folder} is empty; download the weights again")
    return WeightsManifest(tuple(sorted(files)))


def verify_folder(
    folder: Path, *, expected: str, memory: DigestMemory | None = None
) -> WeightsManifest:
    """Return the listing of a folder whose root digest is the expected one.

    Raises:
        ModelUnavailable: it is missing, refused, or any byte of it differs.
    """
    found = list_folder(folder, memory)
    if found.root_digest != expected:
        raise ModelUnavailable(
            f"the model folder has the root digest {found.root_digest}, pinned is {expected}"
            f"{_difference(folder, found)}; restore the pinned files, or pin the folder again"
        )
    return found


def pin(folder: Path) -> WeightsManifest:
    """Hash a folder afresh, write its listing into it and return it.

    Raises:
        ModelUnavailable: it is missing, refused, or cannot be written to.
    """
    manifest = list_folder(folder)
    try:
        (folder / MANIFEST_NAME).write_bytes(manifest.canonical())
    except OSError as error:
        raise ModelUnavailable(
            f"{MANIFEST_NAME} could not be written into {folder} ({error.strerror}); "
            f"make the folder writable while you pin it"
        ) from error
    return manifest


def _difference(folder: Path, found: WeightsManifest) -> str:
    """Say which file differs from the listing that lies in the folder, if one does."""
    path = folder / MANIFEST_NAME
    if not path.is_file():
        return ""
    listed = {file.path: file for file in WeightsManifest.parse(path.read_bytes()).files}
    present = {file.path: file for file in found.files}
    changed = sorted(
        name for name in listed.keys() | present if listed.get(name) != present.get(name)
    )
    return f" (differs from {MANIFEST_NAME}: {', '.join(changed[:5])})" if changed else ""


def _digest(path: Path, memory: DigestMemory | None) -> str:
    status = path.stat()
    big = memory is not None and status.st_size >= REMEMBERED_BYTES
    if memory is not None and big and (known := memory.recall(path, status)):
        return known
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    if memory is not None and big:
        memory.remember(path, status, digest.hexdigest())
    return digest.hexdigest()


def _refuse_code(path: Path, name: str) -> None:
    """Raise on a file that from_pretrained, or a person, could run."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in REFUSED_SUFFIXES:
        raise ModelUnavailable(
            f"{name} can carry code and is refused; keep only safetensors, JSON and tokenizer files"
        )
    if suffix != ".json":
        return
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ModelUnavailable(
            f"{name} is larger than any configuration; remove it from the folder"
        )
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{name} is not JSON ({error}); download it again") from error
    if found := REFUSED_KEYS & _keys(content):
        raise ModelUnavailable(
            f"{name} asks for foreign code ({', '.join(sorted(found))}); use the plain weights"
        )
    if name == "model_index.json":
        _refuse_foreign_classes(content)


def _refuse_foreign_classes(index: object) -> None:
    """Raise unless each component of a model index is a class of diffusers or transformers."""
    if not isinstance(index, dict):
        raise ModelUnavailable("model_index.json is not an object; download it again")
    for part, value in index.items():
        named = isinstance(value, list) and len(value) == 2
        if named and value[0] is not None and value[0] not in ALLOWED_LIBRARIES:
            raise ModelUnavailable(
                f"model_index.json takes {part} from {value[0]!r}, expected one of "
                f"{', '.join(sorted(ALLOWED_LIBRARIES))}; use the plain weights"
            )


def _keys(content: object) -> set[str]:
    """Return every key at any depth."""
    found: set[str] = set()
    open_ = [content]
    while open_:
        value = open_.pop()
        if isinstance(value, dict):
            found |= value.keys()
            open_ += value.values()
        elif isinstance(value, list):
            open_ += value
    return found
