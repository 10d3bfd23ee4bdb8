"""Does a JSON value have the shape that a body's dataclass declares? And back into the dataclass.

The dataclasses of `bodies.py` are the schema: their fields and annotations are read here, so that a
field is written down once. Only what bodies use is understood: text, integers, booleans, enums,
null, tuples, nested dataclasses and free objects. Text may be annotated with its `Spelling`:

    Sha256 = Annotated[str, Spelling("[0-9a-f]{64}", "64 lower-case hexadecimal digits")]
"""

import dataclasses
import re
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache, partial
from typing import (
    Annotated,
    Any,
    ClassVar,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from audit.canonical import JsonValue
from audit.errors import RecordInvalid

Shaped = TypeVar("Shaped")

Reader: TypeAlias = Callable[[JsonValue], object]
"""Takes a JSON value and returns it as the annotation asks for it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """What a text may be: a regular expression that matches all of it, and the same in words."""

    pattern: str
    words: str


def to_json(value: object) -> Any:  # noqa: ANN401 - the nested union is checked by `encode`
    """Return a body as plain JSON: dataclasses as objects, enums as text, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value


def from_json(shape: type[Shaped], found: JsonValue, place: str = "body") -> Shaped:
    """Build `shape`, a dataclass, from the JSON value that `to_json` makes of it.

    Raises:
        RecordInvalid: a field is missing, unknown or of another type; the message names it.
    """
    try:
        return _build(shape, found)
    except _Unfit as error:
        raise RecordInvalid(f"{place}{error.place} {error.words}") from error


class _Unfit(Exception):
    """A value that does not fit; its place is put together on the way out, where one is needed."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.place = ""


def _build(shape: type[Shaped], found: JsonValue) -> Shaped:
    if not isinstance(found, dict | Mapping):  # a dict is told at once, a Mapping by its methods
        raise _Unfit("is no object")
    readers = _readers(shape)  # type: ignore[arg-type]  # classes are hashable; mypy doubts type[T]
    if readers.keys() != found.keys():
        missing, unknown = readers.keys() - found.keys(), found.keys() - readers.keys()
        raise _Unfit(
            f"lacks {sorted(missing)} and has unknown {sorted(unknown)}; a {shape.__name__} has "
            f"exactly {sorted(readers)}"
        )
    fields: dict[str, object] = {}
    for name, read in readers.items():
        try:
            fields[name] = read(found[name])
        except _Unfit as error:
            error.place = f".{name}{error.place}"
            raise
    return shape(**fields)


@lru_cache(maxsize=64)
def _readers(shape: Hashable) -> dict[str, Reader]:
    """Return what reads each field of a dataclass, worked out once from its annotations."""
    hints = get_type_hints(shape, include_extras=True)
    return {name: _reader(hint) for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _reader(hint: Any) -> Reader:  # noqa: ANN401 - type hints have no type
    """Return what reads a value that the annotation `hint` describes."""
    if get_origin(hint) is Annotated:
        _, spelling = get_args(hint)
        return partial(_read_spelt, re.compile(spelling.pattern).fullmatch, spelling.words)
    if get_origin(hint) in {types.UnionType, Union}:
        (inner,) = (each for each in get_args(hint) if each is not types.NoneType)
        return partial(_read_optional, _reader(inner))
    if get_origin(hint) is tuple:
        return partial(_read_list, _reader(get_args(hint)[0]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return partial(_build, hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return partial(_read_enum, {member.value: member for member in hint})
    return partial(_read_plain, (dict, Mapping) if get_origin(hint) is not None else (hint,))


def _read_optional(inner: Reader, found: JsonValue) -> object:
    return None if found is None else inner(found)


def _read_list(item: Reader, found: JsonValue) -> object:
    if isinstance(found, str) or not isinstance(found, list | Sequence):
        raise _Unfit("is no list")
    read: list[object] = []
    for each in found:
        try:
            read.append(item(each))
        except _Unfit as error:
            error.place = f"[{len(read)}]{error.place}"
            raise
    return tuple(read)


def _read_enum(members: Mapping[str, StrEnum], found: JsonValue) -> object:
    if not isinstance(found, str) or found not in members:
        raise _Unfit(f"is {found!r}; expected one of {[*members]}")
    return members[found]


def _read_spelt(matches: Callable[[str], object], words: str, found: JsonValue) -> object:
    if not isinstance(found, str):
        raise _Unfit(f"is {type(found).__name__}; expected {words}")
    if not matches(found):
        raise _Unfit(f"is {found[:80]!r}; expected {words}")
    return found


def _read_plain(wanted: tuple[type, ...], found: JsonValue) -> object:
    # A boolean is an int to Python and is not one in JSON.
    if not isinstance(found, wanted) or (isinstance(found, bool) and int in wanted):
        raise _Unfit(f"is {type(found).__name__}; expected {wanted[-1].__name__}")
    return found
