"""An attacker who disguises a prompt so that a reader of plain text does not see its words.

Each disguise names a view-changing trick that is seen in the wild. The attacker knows nothing of
`safety.normalize`: where a disguise needs letters that look alike it has its own table.
"""

# Letters that look like others are what is tested here.
# ruff: noqa: RUF001

import base64
import html
import random
from collections.abc import Callable, Mapping

_CYRILLIC = str.maketrans("aeopcxyi", "аеорсхуі")
_GREEK = str.maketrans("aoivk", "αοινκ")
_LEET = str.maketrans("aeiost", "43105" + "7")
_LEET_L = str.maketrans("lo", "10")
_SIGNS = str.maketrans("asi", "@$!")
_SMALL_CAPS = str.maketrans("abcdeghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ")


def _shifted(text: str, first: int) -> str:
    """Move a to z to another alphabet of Unicode."""
    return "".join(chr(first + ord(c) - ord("a")) if "a" <= c <= "z" else c for c in text)


def _each_word(text: str, change: Callable[[str], str]) -> str:
    return " ".join(change(word) for word in text.split(" "))


def _stacked(text: str) -> str:
    chance = random.Random(7)
    marks = [chr(code) for code in range(0x300, 0x315)]
    return "".join(c + "".join(chance.choices(marks, k=3)) if c.isalpha() else c for c in text)


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "cyrillic look-alikes": lambda text: text.translate(_CYRILLIC),
    "greek look-alikes": lambda text: text.translate(_GREEK),
    "leet": lambda text: text.translate(_LEET),
    "leet with l": lambda text: text.translate(_LEET_L),
    "signs for letters": lambda text: text.translate(_SIGNS),
    "full width": lambda text: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text
    ),
    "mathematical bold": lambda text: _shifted(text, 0x1D41A),
    "mathematical script": lambda text: _shifted(text, 0x1D4D0 + 26),
    "circled": lambda text: _shifted(text, 0x24D0),
    "small capitals": lambda text: text.translate(_SMALL_CAPS),
    "black squares": lambda text: _shifted(text, 0x1F170),
    "zero width space": "\u200b".join,
    "soft hyphen": "\u00ad".join,
    "word joiner": "\u2060".join,
    "right-to-left mark": "\u200f".join,
    "variation selector": "\ufe0f".join,
    "combining grapheme joiner": "\u034f".join,
    "stacked accents": _stacked,
    "struck through": lambda text: "".join(c + "\u0336" for c in text),
    "spaced letters": lambda text: "   ".join(" ".join(word) for word in text.split(" ")),
    "spaced letters, even gaps": lambda text: " ".join(text.replace(" ", "")),
    "dots": lambda text: _each_word(text, ".".join),
    "hyphens": lambda text: _each_word(text, "-".join),
    "underscores": lambda text: _each_word(text, "_".join),
    "one star inside": lambda text: _each_word(
        text, lambda word: f"{word[:2]}*{word[2:]}" if len(word) > 3 else word
    ),
    "decimal entities": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "entities, escaped twice": lambda text: html.escape("".join(f"&#x{ord(c):x};" for c in text)),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in a sentence": lambda text: (
        "please draw " + base64.b64encode(text.encode()).decode() + " at dawn"
    ),
    "url-safe base64, no padding": lambda text: (
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    ),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "leet in spaced letters": lambda text: "   ".join(
        " ".join(word.translate(_LEET)) for word in text.split(" ")
    ),
    "cyrillic and zero width": lambda text: "\u200b".join(text.translate(_CYRILLIC)),
    "full width leet": lambda text: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text.translate(_LEET)
    ),
}
