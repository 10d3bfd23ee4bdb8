"""Does a JSON value have the shape that a body's dataclass declares? And back into the dataclass.

The dataclasses of `bodies.py` are the schema: their fields and annotations are read here, so that a
field is written down once. Only what bodies use is understood: text, integers, booleans, enums,
null, tuples, nested dataclasses and free objects.
"""

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, ClassVar, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from audit.canonical import JsonValue
from audit.errors import RecordInvalid

Shaped = TypeVar("Shaped")

Reader: TypeAlias = Callable[[JsonValue, str], object]
"""(value, its place for messages) -> the value as the annotation asks for it"""


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
    if not isinstance(found, Mapping):
        raise RecordInvalid(f"{place} is no object")
    readers = _readers(shape)  # type: ignore[arg-type]  # classes are hashable; mypy doubts type[T]
    if readers.keys() != found.keys():
        missing, unknown = readers.keys() - found.keys(), found.keys() - readers.keys()
        raise RecordInvalid(
            f"{place} lacks {sorted(missing)} and has unknown {sorted(unknown)}; a "
            f"{shape.__name__} has exactly {sorted(readers)}"
        )
    fields = {name: read(found[name], f"{place}.{name}") for name, read in readers.items()}
    return shape(**fields)


@lru_cache(maxsize=64)
def _readers(shape: Hashable) -> dict[str, Reader]:
    """Return what reads each field of a dataclass, worked out once from its annotations."""
    hints = get_type_hints(shape)
    return {name: _reader(hint) for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _reader(hint: Any) -> Reader:  # noqa: ANN401 - type hints have no type
    """Return what reads a value that the annotation `hint` describes."""
    if get_origin(hint) is types.UnionType:
        (inner,) = (each for each in get_args(hint) if each is not types.NoneType)
        return partial(_read_optional, _reader(inner))
    if get_origin(hint) is tuple:
        return partial(_read_list, _reader(get_args(hint)[0]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return partial(from_json, hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return partial(_read_enum, hint)
    return partial(_read_plain, Mapping if get_origin(hint) is not None else hint)


def _read_optional(inner: Reader, found: JsonValue, place: str) -> object:
    return None if found is None else inner(found, place)


def _read_list(item: Reader, found: JsonValue, place: str) -> object:
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise RecordInvalid(f"{place} is no list")
    return tuple(item(each, f"{place}[{at}]") for at, each in enumerate(found))


def _read_enum(shape: type[StrEnum], found: JsonValue, place: str) -> object:
    if found not in list(shape):
        raise RecordInvalid(f"{place} is {found!r}; expected one of {[*map(str, shape)]}")
    return shape(str(found))


def _read_plain(wanted: type, found: JsonValue, place: str) -> object:
    # A boolean is an int to Python and is not one in JSON.
    if not isinstance(found, wanted) or (wanted is int and isinstance(found, bool)):
        raise RecordInvalid(f"{place} is {type(found).__name__}; expected {wanted.__name__}")
    return found
