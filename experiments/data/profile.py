"""What a data set looks like: rows, languages, domains, lengths, and which columns it has."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.data.formats.account import Recognised
from autoevol.experiments.data.formats.columns import Columns
from autoevol.experiments.data.formats.rows import RowDict
from autoevol.experiments.data.formats.source import FIELD_HINT, ReadOptions, open_source
from autoevol.experiments.files.data_sets import Location
from autoevol.metrics.text.languages import code_in_use
from autoevol.metrics.text.scripts import dominant_script

_SAMPLE = 500
"""Rows whose language and domain are looked at, spread over the set."""

_TOGETHER = 5

_CODE = re.compile(
    r"```|\b(?:python|javascript|typescript|java|sql|bash|html|css|rust|golang|kotlin|c\+\+|regex)\b"
    r"|파이썬|자바|코드|프로그램|함수를",
    re.IGNORECASE,
)
_MATHS = re.compile(r"\d\D+\d|\\(?:frac|sum|sqrt|int)|\$[^$]+\$|[=√∑∫]")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a data set looks like.

    Attributes:
        recognised: What the reader recognised.
        fields: Names of its columns that are not the usual ones; empty: it is in a known format.
        languages: Share of the sampled rows by ISO 639-1 code, the commonest first.
        domains: Share of the sampled rows that ask for code, for calculation, or for neither.
        words: Shortest, median and longest instruction, in words split at white space.
        has_turns: Whether it holds conversations.
    """

    recognised: Recognised
    fields: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, float] = field(default_factory=dict)
    domains: Mapping[str, float] = field(default_factory=dict)
    words: tuple[int, int, int] = (0, 0, 0)
    has_turns: bool = False

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.recognised.rows

    @property
    def sentence(self) -> str:
        """Languages, domains and lengths in a line."""
        low, median, high = self.words
        lengths = f"{low} to {high} words, median {median}"
        return f"{_shares(self.languages)}; {_shares(self.domains)}; {lengths}"


def profile_of(path: str, where: str, fields: Mapping[str, str] | None = None) -> Profile:
    """Return what a data set looks like; records that make no row are counted.

    Args:
        path: A file, a folder, a pattern or a name of the hub.
        where: For messages.
        fields: Names of its columns; None: they are told by format or by their usual names.

    Raises:
        ConfigError: It cannot be read, holds no row that can be used, or no column of instructions
            can be told.
    """
    columns = Columns(**fields) if fields else None
    options = ReadOptions(columns=columns, invalid="skip", hint=FIELD_HINT)
    source = open_source(Location(path, where), options)
    rows = list(source.rows)
    # Where a file mixes forms, columns for all would be wrong for the others: each tells its own.
    is_one = len(source.recognised.forms) == 1
    fields = fields or (source.recognised.columns_named if is_one else {})
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    lengths = sorted(len(row["instruction"].split()) for row in rows)
    return Profile(
        source.recognised,
        fields,
        _counted(_languages(sample)),
        _counted([_domain(row) for row in sample]),
        (lengths[0], lengths[len(lengths) // 2], lengths[-1]),
        any(len(row["turns"]) > 1 for row in rows),
    )


def _counted(labels: Sequence[str]) -> dict[str, float]:
    return {label: count / len(labels) for label, count in Counter(labels).most_common()}


def _languages(rows: Sequence[RowDict]) -> list[str]:
    """Return the language of each row, told by a few together: one alone is often too short."""
    texts = [row["instruction"] for row in rows]
    codes = []
    for first in range(0, len(texts), _TOGETHER):
        group = texts[first : first + _TOGETHER]
        together = code_in_use("\n".join(group))
        scripts = {dominant_script(text) for text in group}
        codes += [together if len(scripts) == 1 else code_in_use(text) for text in group]
    return codes


def _domain(row: RowDict) -> str:
    text = f"{row['instruction']}\n{row['input']}"
    if _CODE.search(text):
        return "code"
    return "maths" if _MATHS.search(text) else "general"


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:4])


def name_of(path: str) -> str:
    """Return a name for a run on a data set: that of its file, as a run's name may be spelt."""
    stem = Path(path.rstrip("/")).stem
    return re.sub(r"[^\w.+-]+", "-", stem).strip("-.") or "my-run"
