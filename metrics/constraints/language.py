"""Constraints on script and style of a language. A sandbox runs this file's source."""

import re
import unicodedata

_SCRIPTS = {
    "hangul": "[가-힣]",
    "latin": "[A-Za-zÀ-ÖØ-öø-ÿ]",
    "kana": "[ぁ-んァ-ヶ]",
    "han": "[一-鿿]",
    "cyrillic": "[А-Яа-яЁё]",
}


def script_share(response: str, script: str, share: float) -> bool:
    """Return whether at least this share of the letters, in [0, 1], is of a script."""
    text = unicodedata.normalize("NFC", response)
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and len(re.findall(_SCRIPTS[script], text)) >= share * len(letters)


def without_script(response: str, script: str) -> bool:
    """Return whether there is no letter of a script."""
    return bool(response.strip()) and re.search(_SCRIPTS[script], response) is None


def korean_endings(response: str, style: str) -> bool:
    """Return whether all Korean sentences end in a style: formal -니다, polite -요, plain -다."""
    parts = re.split(r"(?<=[.!?。])\s+|\n+", response)
    # A sentence in another language has no Korean ending at all.
    if any(re.search(r"[A-Za-z]", part) and not re.search(r"[가-힣]", part) for part in parts):
        return False
    ends = [re.sub(r"[^가-힣]+$", "", part) for part in parts]
    ends = [end for end in ends if end]
    formal = [end.endswith(("니다", "니까", "시오")) for end in ends]
    if style == "plain":
        return bool(ends) and not any(formal) and all(end.endswith("다") for end in ends)
    fits = formal if style == "formal" else [end.endswith(("요", "죠")) for end in ends]
    return bool(ends) and all(fits)
