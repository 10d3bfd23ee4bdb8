"""Letters of other scripts, and signs, that read as Latin letters. After Unicode Standard 39."""

import re

from safety.disguises import Edit, script

# Our own short table after the idea of Unicode Technical Standard 39: what reads as a Latin letter
# in common fonts. Upper case follows by itself.
_LOOK_ALIKES = (
    ("аеорсхуіѕјһԁԛԝѵӏкмтвнгєԍ", "aeopcxyisjhdqwvlkmtbhreg"),
    ("αορνικυχετηωβϲϳ", "aopvikuxetnwbcj"),
    ("օսոհյզց", "ounhjqg"),
)
# Latin already, or signs that stand for one letter: folded wherever they are.
_LATIN_VARIANTS = (
    ("ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ", "abcdeghijklmnoprtuvwyz"),
    ("ɑɡıɩɾʋⱱƅɓƈɗɖəɛɣƙɱɲƞøƥʠʂƭʈɯʍƶł", "agiirvvbbcddeeykmnnopqsttmwzl"),
)
_OTHER_SCRIPTS = frozenset({"CYRILLIC", "GREEK", "ARMENIAN"})
_WORD = re.compile(r"[^\W\d_]+")
# A to Z in white on a black circle or square.
_SQUARED = re.compile("[\U0001f150-\U0001f169\U0001f170-\U0001f189]")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]{3,}")  # two are a flag; three or more spell


def _table(rows: tuple[tuple[str, str], ...]) -> dict[str, str]:
    pairs = [pair for odd, plain in rows for pair in zip(odd, plain, strict=True)]
    upper = [
        (odd.upper(), plain.upper())
        for odd, plain in pairs
        if len(odd.upper()) == 1 and not odd.upper().isascii()
    ]
    return dict([*upper, *pairs])


# An upper-case letter may look like another one than its lower case does: N for the Greek nu.
_UPPER_EXCEPTIONS = {
    "\N{GREEK CAPITAL LETTER ETA}": "H",
    "\N{GREEK CAPITAL LETTER NU}": "N",
    "\N{GREEK CAPITAL LETTER RHO}": "P",
    "\N{GREEK CAPITAL LETTER UPSILON}": "Y",
    "\N{GREEK CAPITAL LETTER GAMMA}": "r",
    "\N{CYRILLIC CAPITAL LETTER GHE}": "r",
}
_CONFUSABLE = _table(_LOOK_ALIKES) | _UPPER_EXCEPTIONS
_VARIANT = _table(_LATIN_VARIANTS)


def confusable_edits(text: str) -> list[Edit]:
    """Fold look-alikes to Latin, where Latin is what the reader would take them for.

    A word of another script is left alone unless it also holds Latin letters, or all of it looks
    Latin and the text around it is Latin with no honest word of that script.
    """
    if text.isascii():
        return []
    edits = [
        Edit(index, index + 1, _VARIANT[character])
        for index, character in enumerate(text)
        if character in _VARIANT
    ]
    edits += [
        Edit(*found.span(), _sign_letters(found.group())) for found in _SQUARED.finditer(text)
    ]
    edits += [
        Edit(*found.span(), _sign_letters(found.group())) for found in _FLAG_LETTERS.finditer(text)
    ]
    words = [(found.start(), found.group()) for found in _WORD.finditer(text)]
    honest = any(_is_honest(word) for _, word in words)
    latin = any(script(letter) == "LATIN" for _, word in words for letter in word)
    for start, word in words:
        if _is_mixed(word) or (latin and not honest and _looks_latin(word)):
            edits += [
                Edit(start + offset, start + offset + 1, _CONFUSABLE[letter])
                for offset, letter in enumerate(word)
                if letter in _CONFUSABLE
            ]
    return sorted(edits, key=lambda edit: edit.start)


def _is_mixed(word: str) -> bool:
    scripts = {script(letter) for letter in word}
    return "LATIN" in scripts and not scripts.isdisjoint(_OTHER_SCRIPTS)


def _is_honest(word: str) -> bool:
    """Tell whether a word of another script could not be misread as a Latin one."""
    scripts = {script(letter) for letter in word}
    return scripts <= _OTHER_SCRIPTS and not _looks_latin(word)


def _looks_latin(word: str) -> bool:
    return all(letter in _CONFUSABLE for letter in word)


def _sign_letters(signs: str) -> str:
    firsts = (0x1F150, 0x1F170, 0x1F1E6)
    letters = []
    for sign in signs:
        first = max(start for start in firsts if start <= ord(sign))
        letters.append(chr(ord("A") + ord(sign) - first))
    return "".join(letters)
