"""When two rows count as the same: equal texts but for case, white space and Unicode form."""

import hashlib
import unicodedata

from autoevol.experiments.data.formats.rows import RowDict

_BYTES = 16
"""128 bits: among 10^9 texts two fingerprints collide with probability 10^-21."""


def fingerprint(*texts: str) -> bytes:
    """Return bytes that are equal for equal texts, whatever their case, white space and form."""
    # `split` leaves no line break in a text, so that no text can hold the separator.
    normal = "\n".join(
        " ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in texts
    )
    return hashlib.blake2b(normal.encode(), digest_size=_BYTES).digest()


def row_fingerprint(row: RowDict) -> bytes:
    """Return bytes that are equal for rows with the same prompt; their responses may differ."""
    texts = (row["instruction"], row.get("input") or "", *(row.get("turns") or ()))
    # The same question is another task under another system prompt.
    return fingerprint(*texts, *([f"system: {row['system']}"] if row.get("system") else []))
