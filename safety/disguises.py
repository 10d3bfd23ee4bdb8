"""How prompts are disguised, and the edits that take each disguise off.

Each function reads a text and returns the stretches to replace, in order, or none. Nothing here
knows of views or classifiers; `safety.normalize` applies the edits and keeps the way back to the
original.

What must survive, because people write it in good faith: mp4, h264, 4k, 1940s, U.S.A., Russian,
Hindi, joined emoji (measured damage of an earlier normaliser).
"""

import base64
import binascii
import html
import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in place of characters `start` to `end`, `end` excluded.

    Attributes:
        start: first character replaced.
        end: one past the last; above `start` unless `text` is empty.
        text: what stands there instead.
        glued: whether `text` was brought together from spaced letters.
    """

    start: int
    end: int
    text: str
    glued: bool = False


# --- encodings -----------------------------------------------------------------------------------

# A chain such as &amp;amp;amp; is one ampersand: taken at once, or each round would undo one link.
_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#0{0,64}38|#[xX]0{0,64}26)(?![a-zA-Z0-9]);?)+")
# Digits are bounded, because Python refuses to read a number of more than 4300.
_ENTITY = re.compile(r"&(?:#0{0,64}\d{1,7};?|#[xX]0{0,64}[0-9a-fA-F]{1,6};?|[a-zA-Z]\w{1,31};?)")
# Sixteen letters are more than nearly every word; with padding eight are enough.
_BASE64 = re.compile(
    r"(?<![\w+/=-])(?:[A-Za-z0-9+/_-]{16,}={0,2}|[A-Za-z0-9+/_-]{6,}={1,2})(?![\w+/=-])"
)
_MIN_READABLE = 0.85  # share of letters and spaces in a decoded text; chance leaves far fewer
_URL_SAFE = str.maketrans("-_", "+/")


def encoding_edits(text: str) -> list[Edit]:
    """Decode HTML entities; where there are none, decode base64 segments."""
    if "&" in text:
        chains = [Edit(*found.span(), "&") for found in _AMPERSANDS.finditer(text)]
        if chains:
            return chains
        entities = [
            Edit(*found.span(), letters)
            for found in _ENTITY.finditer(text)
            if (letters := html.unescape(found.group())) != found.group()
        ]
        if entities:
            return entities
    return [
        Edit(*found.span(), plain)
        for found in _BASE64.finditer(text)
        if (plain := _decode_base64(found.group())) is not None
    ]


def _decode_base64(segment: str) -> str | None:
    """Return the readable text inside, or None where there is none."""
    letters = segment.rstrip("=").translate(_URL_SAFE)
    padded = letters + "=" * (-len(letters) % 4)
    try:
        plain = base64.b64decode(padded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    readable = sum(character.isalpha() or character.isspace() for character in plain)
    is_text = len(plain) > 1 and readable >= _MIN_READABLE * len(plain)
    return plain if is_text or _BASE64.fullmatch(plain) else None


# --- compatibility forms -------------------------------------------------------------------------


def nfkc_edits(text: str) -> list[Edit]:
    """Bring the text to NFKC, cluster by cluster, so that each piece knows its source."""
    if text.isascii() or unicodedata.is_normalized("NFKC", text):
        return []
    edits = []
    for start, end in _clusters(text):
        piece = text[start:end]
        normal = unicodedata.normalize("NFKC", piece)
        if normal != piece:
            edits.append(Edit(start, end, normal))
    return edits


def _clusters(text: str) -> list[tuple[int, int]]:
    """Cut the text where normalisation cannot reach across.

    A cut before a combining mark is never safe. Before a starter it is, unless the starter composes
    with what stands before it, as the parts of a Korean syllable do (Unicode Standard Annex 15).
    """
    cuts = [0]
    for index in range(1, len(text)):
        character = text[index]
        if character.isascii():
            cuts.append(index)
            continue
        first = unicodedata.normalize("NFKD", character)[0]
        if unicodedata.combining(first):
            continue
        before = text[cuts[-1] : index]
        apart = unicodedata.normalize("NFKC", before) + unicodedata.normalize("NFKC", character)
        if unicodedata.normalize("NFKC", before + character) == apart:
            cuts.append(index)
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


# --- dashes --------------------------------------------------------------------------------------

# Hyphens, dashes and the minus sign that NFKC leaves alone.
_DASHES = re.compile("[\u2010-\u2015\u2043\u2212\u2e3a\u2e3b]")


def dash_edits(text: str) -> list[Edit]:
    """Write every dash as the one on the keyboard."""
    if text.isascii():
        return []
    return [Edit(*found.span(), "-") for found in _DASHES.finditer(text)]


# --- what cannot be seen -------------------------------------------------------------------------

# Not of category Cf, yet drawn as nothing: Hangul fillers, combining grapheme joiner, braille
# blank, Khmer and Mongolian vowel carriers.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")
_MARKED_SCRIPTS = frozenset({"LATIN", "GREEK", "CYRILLIC", "DIGIT"})


def invisible_edits(text: str) -> list[Edit]:
    """Drop invisible characters everywhere, and stacked accents on Latin, Greek and Cyrillic.

    The two joiners stay beside the letters that need them: Arabic, Indic scripts, emoji. Marks stay
    on every other script, where they are vowels.
    """
    if text.isascii():
        return []
    edits = []
    base = ""  # the last character that is kept and is not a mark
    for index, character in enumerate(text):
        if _is_dropped(character, base):
            edits.append(Edit(index, index + 1, ""))
        elif not unicodedata.combining(character):
            base = character
    return edits


def _is_dropped(character: str, base: str) -> bool:
    if character.isascii():
        return False
    if character in _JOINERS:
        return not base or base.isspace() or script(base) in _MARKED_SCRIPTS or is_han(base)
    if character in _BLANK or unicodedata.category(character) == "Cf":
        return True
    return (
        unicodedata.category(character) in {"Mn", "Me"}
        and bool(base)
        and script(base) in _MARKED_SCRIPTS
    )


def script(character: str) -> str:
    """Return the first word of the character's Unicode name, such as `LATIN` or `DIGIT`."""
    return unicodedata.name(character, "UNNAMED").partition(" ")[0]


def is_han(character: str) -> bool:
    """Tell whether the character is a Chinese one (the unified block, its extension A)."""
    return "\u3400" <= character <= "\u9fff"


# --- spacing -------------------------------------------------------------------------------------

# Single letters (or digits read as letters) with the same separator between each two of them. A
# wider gap ends the run, so that words stay apart where the writer kept them apart.
_SPACED = re.compile(
    r"(?<![\w@$])[^\W_](?=(?P<gap>\s?[^\w\s]\s?|[ _]))(?:(?P=gap)(?:[^\W_]|[@$])(?![\w@$])){2,}"
)
_SPACED_UNDERSCORE = re.compile(r"(?<![^\W_])[^\W_](?:_[^\W_](?![^\W_])){2,}")
_INNER_SIGN = re.compile(r"(?<=[^\W\d_]{2})[*.·~|_-](?=[^\W\d_]{2})")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])[\s*._·/|~-]+(?=[\u3400-\u9fff])")
_MIN_LETTERS = 2  # "1 2 3" counts; it does not spell


def joining_edits(text: str) -> list[Edit]:
    """Bring together spaced letters; then words cut by a sign, and parted Chinese characters."""
    runs = [
        Edit(*found.span(), letters, glued=True)
        for pattern in (_SPACED, _SPACED_UNDERSCORE)
        for found in pattern.finditer(text)
        if (letters := _spelled(found.group())) is not None
    ]
    if runs:
        return _without_overlap(runs)
    signs = [
        Edit(*found.span(), "")
        for pattern in (_INNER_SIGN, _BETWEEN_HAN)
        for found in pattern.finditer(text)
    ]
    return _without_overlap(signs)


def _spelled(run: str) -> str | None:
    """Return the letters of a run that spells something, or None for U.S.A. and its like."""
    letters = "".join(character for character in run if character.isalnum() or character in "@$")
    if sum(letter.isalpha() for letter in letters) < _MIN_LETTERS:
        return None
    if "." in run and letters.isupper():  # U.S.A.
        return None
    codes = [ord(letter) for letter in letters]
    if codes == list(range(codes[0], codes[0] + len(codes))):  # a-b-c-d
        return None
    return letters


def _without_overlap(edits: list[Edit]) -> list[Edit]:
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


# --- leet ----------------------------------------------------------------------------------------

_LEET = {"0": "o", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
_LEET |= {"@": "a", "$": "s", "€": "e", "£": "l", "¢": "c", "+": "t"}
_ONES = "1!|"
_LEET_WORD = re.compile(r"[\w@$€£¢!|+]+")
# 4k, 3d, 80s, 1940s, 10th, 16mm, 720p: numbers with a unit. Not any short ending: that would hide
# words.
_MEASURE = re.compile(
    r"\d+(?:k|d|s|m|x|p|i|g|h|v|w|cm|mm|km|ft|kg|gb|mb|fps|hz|st|nd|rd|th|am|pm|yo|min|sec|px)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"[^\W\d_]{1,2}\d|[^\W\d_]+\d{2,}|[^\W\d_]+[!|+]+"
)  # mp4, h264, iphone15, run!


def leet_i_edits(text: str) -> list[Edit]:
    """Read digits and signs inside words as letters, with 1 as i."""
    return _leet_edits(text, _LEET | dict.fromkeys(_ONES, "i"))


def leet_l_edits(text: str) -> list[Edit]:
    """Read digits and signs inside words as letters, with 1 as l."""
    return _leet_edits(text, _LEET | dict.fromkeys(_ONES, "l"))


def _leet_edits(text: str, table: dict[str, str]) -> list[Edit]:
    edits = []
    for found in _LEET_WORD.finditer(text):
        word = found.group().rstrip("!|+")  # at the end of a word they are punctuation
        if not any(character.isascii() and character.isalpha() for character in word):
            continue
        if _MEASURE.fullmatch(word) or _NUMBERED.fullmatch(word):
            continue
        edits += [
            Edit(found.start() + offset, found.start() + offset + 1, table[character])
            for offset, character in enumerate(word)
            if character in table
        ]
    return edits
