"""The encoding of a text file that somebody brings: UTF-8, UTF-16, or what Excel writes instead."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from autoevol.program.errors import ConfigError

UTF_8 = "utf-8-sig"
"""UTF-8; a byte order mark, which Excel puts first, is no part of the text."""

LEGACY = ("cp949", "cp1252")
"""Korean and Western European Windows."""

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
"""Bytes by which an older encoding is told."""

_MOSTLY = 0.9
"""Share of Hangul among the letters of a Korean text that are not ASCII."""

_GARBLED = re.compile(
    r"[^\W\d_][¡-´¶-¿×÷][^\W\d_]|[ÐÝÞðýþ]|[^\W\d_][‚ƒ„†‡ˆ‰‹]|[a-z][ŠŒŽŸÀ-Þ]"
    r"|[ŠŒŽšœžŸÀ-ÿ]{3}"
)
"""What no Western European text has: a mark within a word (Polish), letters of Iceland (Turkish), a
low quote or a capital behind a small letter (DOS, old Macs), three letters with marks in a row
(Cyrillic)."""

_FREQUENT = frozenset(
    "이다는을를의에가고하은로지기사어한인대리도해서시자나수정라요"
    "그아장있보일부면원주제스전중니여만것"
)
"""The commonest syllables of Korean: half of a text, and a fortieth of any other read as Hangul."""

_LEAST_FREQUENT = 0.15

_MARKS = (
    # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_encoding(file: Path) -> str:
    """Return the name of a file's encoding, `UTF_8` where it is that.

    Raises:
        ConfigError: It is none of those that are known, or UTF-8 with a damaged line.
        OSError: It cannot be read.
    """
    with file.open("rb") as lines:
        head = lines.read(_CHUNK)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return marked or _unmarked_utf_16(head) or _read_through(file)


def _unmarked_utf_16(head: bytes) -> str | None:
    """Return UTF-16 where half of the bytes are NULs, as in a text of mostly ASCII."""
    pairs = len(head) // 2
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        nuls = head[start::2].count(0)
        if pairs and nuls > pairs / 2 and not head[1 - start :: 2].count(0):
            return name
    return None


def _read_through(file: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with file.open("rb") as chunks:
            while chunk := chunks.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _legacy(file)
    return UTF_8


def _legacy(file: Path) -> str:
    sample, damaged = bytearray(), 0
    for number, line in _foreign_lines(file):
        if _is_utf_8(line):
            # An older encoding hardly ever looks like UTF-8 by chance. So this file is UTF-8, and
            # read in an older encoding all its other letters would be garbled.
            damaged = damaged or _first_damaged(file)
            raise ConfigError(f"{file}:{damaged}", "is not valid UTF-8; see the letters there")
        damaged = damaged or number
        if len(sample) < _SAMPLE:
            sample += line
    for encoding in LEGACY:
        if _is_likely(_decoded(bytes(sample), encoding), encoding):
            return encoding
    raise ConfigError(
        f"{file}:{damaged}",
        "is in an encoding that is not recognised (neither UTF-8, UTF-16, CP949 nor "
        "Windows-1252); save the file as UTF-8",
    )


def _decoded(sample: bytes, encoding: str) -> str:
    """Return a sample's text; "": it is not in the encoding."""
    try:
        return sample.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _is_likely(text: str, encoding: str) -> bool:
    """Tell whether a text is what its encoding is for: common Hangul, or Western European.

    A text in another encoding may fit as well, and then reads as rare Hangul, or as marks and
    Icelandic letters within words.
    """
    letters = [letter for letter in text if letter.isalpha() and not letter.isascii()]
    if not text:
        return False
    if encoding == "cp949":
        common = sum(map(_is_common_hangul, letters))
        frequent = sum(letter in _FREQUENT for letter in letters)
        return common >= _MOSTLY * len(letters) > 0 and frequent >= _LEAST_FREQUENT * len(letters)
    is_garbled = _GARBLED.search(text) is not None
    return not is_garbled and len(letters) <= sum(map(str.isascii, text))


def _is_common_hangul(letter: str) -> bool:
    # EUC-KR writes its own 2,350 syllables in two bytes, and any other in eight or not at all.
    return "\uac00" <= letter <= "\ud7a3" and len(letter.encode("euc_kr", "ignore")) == 2


def _foreign_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not ASCII alone, each with its number."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.isascii():
                yield number, line


def _first_damaged(file: Path) -> int:
    return next(number for number, line in _foreign_lines(file) if not _is_utf_8(line))


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
