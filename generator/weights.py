"""Which files a model folder holds, and whether they are the ones that were pinned.

A folder's identity is its *root digest*: SHA-256 over a canonical listing of the relative path,
size and SHA-256 of each file in it. One changed, added or missing byte gives another digest. `pin`
writes the listing beside the weights as `weights.json` (which is no part of itself), so that a
mismatch can name the file; what decides is the digest that the operator keeps in the settings, or
this package in its code.

Only regular files of the kinds in `generator.weight_rules` are taken, before anything is opened.
Loading reads the files a second time, so whoever loads asks `require_unchanged` afterwards: a file
that was exchanged between hashing and loading, or exchanged and put back, has another inode, size
or time. Its change time (ctime) is the kernel's: nobody sets it back without setting the clock.

    verified = verify_folder(Path("/models/wan2.2-t2v"), expected=settings.digest)
    pipeline = load(verified.folder)
    verified.require_unchanged()
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from generator.errors import ModelUnavailable
from generator.weight_rules import MAX_JSON_BYTES, refuse_json, refuse_name

MANIFEST_NAME = "weights.json"
FORMAT = "countermark-weights/1"
CHUNK_BYTES = 2**20
# A digest is remembered only for files whose hashing costs seconds.
REMEMBERED_BYTES = 64 * 2**20


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
                f"{MANIFEST_NAME} is not a listing ({error}); "
                "write it again with `countermark model pin`"
            ) from error
        manifest = cls(files)
        if manifest.canonical() != text:
            raise ModelUnavailable(
                f"{MANIFEST_NAME} is not in canonical form; "
                "write it again with `countermark model pin`"
            )
        return manifest


class DigestMemory:
    """Remembers digests of big files, so that 126 GB are not hashed at each start.

    An entry holds as long as path, size, inode and the times of modification and of change are the
    same. Whoever can set the clock or write to the disk below the file system can defeat it: use it
    where the folder is read-only to the service, and pass none to hash everything.
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
        seen = _Seen.of(status)
        return f"{path.resolve()} {seen.size} {seen.mtime_ns} {seen.ctime_ns} {seen.inode}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What tells a file from another one that is put in its place."""

    size: int
    mtime_ns: int
    ctime_ns: int  # a rename sets it too on most file systems, and nobody can set it back
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@dataclass(frozen=True, slots=True)
class VerifiedFolder:
    """A folder whose every file was hashed.

    Attributes:
        folder: without symbolic links; load from here.
        manifest: the listing.
        seen: by path inside the folder, what the files were when they were hashed.
    """

    folder: Path
    manifest: WeightsManifest
    seen: Mapping[str, _Seen]

    def require_unchanged(self) -> None:
        """Ask again after loading: were the files that were loaded those that were hashed?

        Raises:
            ModelUnavailable: a file was added, removed or exchanged since.
        """
        now = {name: _Seen.of(path.lstat()) for name, path in _files(self.folder).items()}
        changed = sorted(n for n in now.keys() | self.seen if now.get(n) != self.seen.get(n))
        if changed:
            raise ModelUnavailable(
                f"the model folder changed while it was loaded ({', '.join(changed[:5])}); "
                "nothing of it is used; start again when nobody writes to it"
            )


def list_folder(folder: Path, memory: DigestMemory | None = None) -> VerifiedFolder:
    """Hash a model folder.

    Raises:
        ModelUnavailable: it is missing, empty, or holds something that could run code.
    """
    if not folder.is_dir():
        raise ModelUnavailable(
            f"no model folder at {folder}; download the weights and name the folder in the settings"
        )
    root = folder.resolve()
    paths = _files(root)
    if not paths:
        raise ModelUnavailable(f"the model folder {folder} is empty; download the weights again")
    listed, seen = [], {}
    for name, path in paths.items():
        with _open_regular(path, name) as file:
            status = os.fstat(file.fileno())
            if name.endswith(".json"):
                _check_json(file, name, status.st_size, paths)
            listed.append(WeightFile(name, status.st_size, _digest(path, file, status, memory)))
            seen[name] = _Seen.of(status)
    return VerifiedFolder(root, WeightsManifest(tuple(sorted(listed))), seen)


def verify_folder(
    folder: Path, *, expected: str, memory: DigestMemory | None = None
) -> VerifiedFolder:
    """Return a folder whose root digest is the expected one.

    Raises:
        ModelUnavailable: it is missing, refused, or any byte of it differs.
    """
    found = list_folder(folder, memory)
    if found.manifest.root_digest != expected:
        raise ModelUnavailable(
            f"the model folder has the root digest {found.manifest.root_digest}, pinned is "
            f"{expected}{_difference(folder, found.manifest)}; restore the pinned files, or pin "
            "the folder again with `countermark model pin`"
        )
    return found


def pin(folder: Path) -> WeightsManifest:
    """Hash a folder afresh, write its listing into it and return it.

    Raises:
        ModelUnavailable: it is missing, refused, or cannot be written to.
    """
    manifest = list_folder(folder).manifest
    try:
        (folder / MANIFEST_NAME).write_bytes(manifest.canonical())
    except OSError as error:
        raise ModelUnavailable(
            f"{MANIFEST_NAME} could not be written into {folder} ({error.strerror}); "
            f"make the folder writable while you pin it"
        ) from error
    return manifest


def _files(root: Path) -> dict[str, Path]:
    """Return every file below by its path inside, all of them of a kind that is taken.

    Raises:
        ModelUnavailable: something is a link, a device or a pipe, or is refused by its name.
    """
    found = {}
    for path in sorted(root.rglob("*")):
        name, mode = path.relative_to(root).as_posix(), path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise ModelUnavailable(
                f"{name} is a symbolic link, which can change its target later; "
                f"copy the folder with its links resolved (cp -rL)"
            )
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            raise ModelUnavailable(f"{name} is not a regular file; take it out of the folder")
        if name == MANIFEST_NAME:
            continue
        refuse_name(name)
        found[name] = path
    return found


def _open_regular(path: Path, name: str) -> BinaryIO:
    """Open a file that may have been exchanged for a link or a pipe a moment ago."""
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody to write into it.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ModelUnavailable(
            f"{name} cannot be read ({error.strerror}); check who may read it, and download it "
            "again if the disk is damaged"
        ) from error
    file = os.fdopen(number, "rb")
    if not stat.S_ISREG(os.fstat(number).st_mode):
        file.close()
        raise ModelUnavailable(f"{name} is not a regular file; take it out of the folder")
    return file


def _check_json(file: BinaryIO, name: str, size: int, names: Mapping[str, Path]) -> None:
    if size > MAX_JSON_BYTES:
        raise ModelUnavailable(
            f"{name} is larger than any configuration; remove it from the folder"
        )
    refuse_json(name, file.read(), names)
    file.seek(0)


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


def _digest(path: Path, file: BinaryIO, status: os.stat_result, memory: DigestMemory | None) -> str:
    big = memory is not None and status.st_size >= REMEMBERED_BYTES
    if memory is not None and big and (known := memory.recall(path, status)):
        return known
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    if memory is not None and big:
        memory.remember(path, status, digest.hexdigest())
    return digest.hexdigest()
