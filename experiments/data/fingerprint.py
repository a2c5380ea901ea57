"""When two rows are the same: equal texts but for case and white space."""

import hashlib
import unicodedata

from autoevol.experiments.data.formats.rows import RowDict

_BYTES = 16


def fingerprint(*texts: str) -> bytes:
    """Return what is equal for equal texts, whatever their case, white space and Unicode form."""
    told = "\0".join(
        " ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in texts
    )
    return hashlib.blake2b(told.encode(), digest_size=_BYTES).digest()


def row_fingerprint(row: RowDict) -> bytes:
    """Return what is equal for rows that ask the same; their responses may differ."""
    return fingerprint(row["instruction"], row.get("input") or "", *(row.get("turns") or ()))
