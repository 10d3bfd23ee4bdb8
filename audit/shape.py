"""Does a JSON value have the shape that a body's dataclass declares? And back into the dataclass.

The dataclasses of `bodies.py` are the schema: their fields and annotations are read here, so that a
field is written down once. Only what bodies use is understood: text, integers, booleans, enums,
null, tuples, nested dataclasses and free objects.
"""

import dataclasses
import types
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from audit.canonical import JsonValue
from audit.errors import RecordInvalid

Shaped = TypeVar("Shaped")


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
    hints = _hints(shape)  # type: ignore[arg-type]  # a class is hashable; mypy doubts type[T]
    missing, unknown = hints.keys() - found.keys(), found.keys() - hints.keys()
    if missing or unknown:
        raise RecordInvalid(
            f"{place} lacks {sorted(missing)} and has unknown {sorted(unknown)}; a "
            f"{shape.__name__} has exactly {sorted(hints)}"
        )
    fields = {name: _read(hint, found[name], f"{place}.{name}") for name, hint in hints.items()}
    return shape(**fields)


@lru_cache(maxsize=64)
def _hints(shape: Hashable) -> dict[str, Any]:
    hints = get_type_hints(shape)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _read(hint: Any, found: JsonValue, place: str) -> Any:  # noqa: ANN401 - type hints have no type
    """Return `found` as the annotation `hint` asks for it."""
    if get_origin(hint) is types.UnionType:
        if found is None:
            return None
        (inner,) = (each for each in get_args(hint) if each is not types.NoneType)
        return _read(inner, found, place)
    if get_origin(hint) is tuple:
        if isinstance(found, str) or not isinstance(found, Sequence):
            raise RecordInvalid(f"{place} is no list")
        item = get_args(hint)[0]
        return tuple(_read(item, each, f"{place}[{at}]") for at, each in enumerate(found))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_json(hint, found, place)
    return _read_plain(hint, found, place)


def _read_plain(hint: Any, found: JsonValue, place: str) -> Any:  # noqa: ANN401 - as `_read`
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if found not in list(hint):
            raise RecordInvalid(f"{place} is {found!r}; expected one of {[*map(str, hint)]}")
        return hint(str(found))
    wanted = Mapping if get_origin(hint) is not None else hint
    # A boolean is an int to Python and is not one in JSON.
    if not isinstance(found, wanted) or (wanted is int and isinstance(found, bool)):
        raise RecordInvalid(
            f"{place} is {type(found).__name__}; expected {getattr(wanted, '__name__', wanted)}"
        )
    return found
