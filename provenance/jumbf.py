"""The superboxes of a C2PA manifest store: JUMBF, ISO 19566-5, as far as C2PA uses it.

A tree of places: each superbox knows its byte range, its label and how its description was written,
so that whoever asks can say which bytes of the store nobody signed. Depth and count are limited;
the sizes of the children must tile their parent exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 8  # store, manifest, assertion store, assertion, and some to spare
MAX_BOXES = 20_000

_HEADER = 8
_UUID = 16
_LABEL_PRESENT, _PRIVATE_PRESENT = 0x02, 0x10
PLAIN_TOGGLES = 0x03
"""Requestable, with a label, nothing else: what every box of a store has but for salted ones."""

UUID_SUFFIX = bytes.fromhex("00110010800000aa00389b71")
"""What follows the four letters in the content types of C2PA and JUMBF."""


class MalformedStore(ValueError):
    """The bytes are no manifest store."""


@dataclass(frozen=True, slots=True)
class ContentBox:
    """A box with content: CBOR, JSON, an embedded file."""

    kind: str
    start: int
    end: int

    @property
    def body(self) -> int:
        """First byte of the content."""
        return self.start + _HEADER


@dataclass(frozen=True, slots=True)
class Superbox:
    """A labelled box of boxes, bytes [start, end) of the store."""

    label: str
    content_type: bytes
    toggles: int
    start: int
    description_end: int
    end: int
    children: tuple["Superbox", ...]
    contents: tuple[ContentBox, ...]

    @property
    def body(self) -> int:
        """First byte after the header; what a hashed reference to this box covers."""
        return self.start + _HEADER

    def child(self, label: str) -> "Superbox | None":
        """Return the only child of that label; two of a name count as none."""
        found = [child for child in self.children if child.label == label]
        return found[0] if len(found) == 1 else None

    def content_of(self, kind: str) -> ContentBox | None:
        """Return the only content box, if it is of that kind."""
        only = self.contents[0] if len(self.contents) == 1 else None
        return only if only is not None and only.kind == kind else None

    def is_plainly_described(self, content_type: bytes) -> bool:
        """Whether the description says nothing but this type and the label."""
        exact = self.body + _HEADER + _UUID + 1 + len(self.label.encode()) + 1
        return (
            self.content_type == content_type + UUID_SUFFIX
            and self.toggles == PLAIN_TOGGLES
            and self.description_end == exact
        )

    def walk(self) -> Iterator["Superbox"]:
        """Give this superbox and all within, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(store: bytes) -> Superbox:
    """Return the superbox at the beginning of `store`; it may end before the bytes do.

    Raises:
        MalformedStore: sizes or descriptions do not fit, or beyond the limits.
    """
    return _Parser(store).superbox(0, len(store), depth=0)


@dataclass(slots=True)
class _Parser:
    store: bytes
    boxes: int = 0

    def superbox(self, start: int, limit: int, depth: int) -> Superbox:
        kind, end = self._header(start, limit)
        if kind != "jumb" or depth > MAX_DEPTH:
            raise MalformedStore(f"no superbox at byte {start}, or nested deeper than {MAX_DEPTH}")
        described, at = self._header(start + _HEADER, end)
        if described != "jumd":
            raise MalformedStore(f"the superbox at byte {start} has no description")
        content_type, toggles, label = self._description(start + 2 * _HEADER, at)
        description_end = at
        children: list[Superbox] = []
        contents: list[ContentBox] = []
        while at < end:
            inner, inner_end = self._header(at, end)
            if inner == "jumb":
                children.append(self.superbox(at, end, depth + 1))
            else:
                contents.append(ContentBox(inner, at, inner_end))
            at = inner_end
        return Superbox(
            label=label,
            content_type=content_type,
            toggles=toggles,
            start=start,
            description_end=description_end,
            end=end,
            children=tuple(children),
            contents=tuple(contents),
        )

    def _header(self, start: int, limit: int) -> tuple[str, int]:
        self.boxes += 1
        if self.boxes > MAX_BOXES:
            raise MalformedStore(f"more than {MAX_BOXES} boxes")
        header = self.store[start : start + _HEADER]
        size = int.from_bytes(header[:4], "big")
        if len(header) < _HEADER or size < _HEADER or start + size > limit:
            raise MalformedStore(
                f"the box at byte {start} claims {size} bytes, {limit - start} fit"
            )
        return header[4:].decode("latin-1"), start + size

    def _description(self, start: int, end: int) -> tuple[bytes, int, str]:
        """Read type, toggles and label; a salt or an id may follow them."""
        content_type = self.store[start : start + _UUID]
        if start + _UUID + 1 > end:
            raise MalformedStore(f"the description at byte {start} is too short")
        toggles = self.store[start + _UUID]
        if not toggles & _LABEL_PRESENT:
            return content_type, toggles, ""
        label, terminator, _ = self.store[start + _UUID + 1 : end].partition(b"\0")
        if not terminator:
            raise MalformedStore(f"the label at byte {start} does not end")
        try:
            return content_type, toggles, label.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedStore(f"the label at byte {start} is not UTF-8") from error
