"""`autoevol seeds`: a seed file from several data sets, with quotas, without duplicates.

Rows are drawn by the smallest hashes of seed and text (bottom-k sampling): neither the order of a
file nor another source changes the draw, and a source is read once, however large it is.
"""

import hashlib
import heapq
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from autoevol.experiments.config.seed_builder import SeedsConfig, SourceConfig, load_seeds_config
from autoevol.experiments.data.fingerprint import row_fingerprint
from autoevol.experiments.data.formats.catalogue import NUMBERED
from autoevol.experiments.data.formats.columns import Columns
from autoevol.experiments.data.formats.rows import META, RowDict
from autoevol.experiments.data.formats.source import ReadOptions, open_source
from autoevol.experiments.data.seeds import check_row
from autoevol.experiments.files.atomic import refuse_existing, whole_file
from autoevol.experiments.files.data_sets import Location, existing_path
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Seed:
    """A row that may become a seed.

    Attributes:
        row: With `root`, the name of the data set; where there is a subset, a slash and its name
            follow.
    """

    row: RowDict

    @property
    def root(self) -> str:
        """Name of the data set and of the subset."""
        return str(self.row["root"])

    def sampling_key(self, seed: int, purpose: str) -> int:
        """Return a hash in [0, 2^128); the rows with the lowest are drawn."""
        text = json.dumps([seed, purpose, self.row["instruction"], self.row["input"]]).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest())

    def as_dict(self, number: int) -> RowDict:
        """Return a line of the seed file."""
        kept = {key: self.row[key] for key in ("instruction", "input", "response", "root")}
        others = {key: self.row.get(key) for key in ("system", "turns", "answers", META)}
        if not NUMBERED.fullmatch(self.row["id"]):
            others[META] = {"source_id": self.row["id"], **(others[META] or {})}
        present = {key: value for key, value in others.items() if value}
        return {"id": f"seed-{number:06d}", **kept, **present}


@dataclass
class Account:
    """What became of a source's rows: read = excluded + duplicate + left + taken.

    Attributes:
        rejected: Records that make no row, and are not among those that were read.
    """

    name: str
    read: int = 0
    rejected: int = 0
    excluded: int = 0
    duplicate: int = 0
    taken: int = 0

    @property
    def left(self) -> int:
        """Rows that were not drawn."""
        return self.read - self.excluded - self.duplicate - self.taken


def build_seeds(file: Path, target: Path) -> list[Account]:
    """Draw the seeds of a config, write them to a new file, and return an account of each source.

    Args:
        file: The config.
        target: JSON Lines with `id`, `instruction`, `input`, `response`, `root`.

    Raises:
        ConfigError: Names the file and the key, or the data file and the row.
    """
    config = load_seeds_config(file)
    if target.suffix != ".jsonl":
        raise ConfigError(str(target), "seeds are written to a file that ends in .jsonl")
    refuse_existing(target)
    drawn, accounts = _drawn(config, file)
    # Not the hash of the draw: the rows drawn from a large subset have the lowest of those, and
    # `total` would leave out the rows of small subsets.
    ordered = sorted(drawn, key=lambda pair: pair[1].sampling_key(config.seed, "order"))[
        : config.total
    ]
    if not ordered:
        raise ConfigError(f"{file}: sources", "no rows are left; see exclude and exclude_patterns")
    for number, _ in ordered:
        accounts[number].taken += 1
    _write(target, (seed for _, seed in ordered))
    return accounts


def _write(target: Path, seeds: Iterable[Seed]) -> None:
    with whole_file(target) as out:
        for number, seed in enumerate(seeds, start=1):
            out.write(as_json(seed.as_dict(number)) + "\n")


def _drawn(config: SeedsConfig, file: Path) -> tuple[list[tuple[int, Seed]], list[Account]]:
    """Return the rows that the quotas allow, each with its source's number, and the accounts."""
    sampler = _Sampler(config.seed, _patterns(config))
    drawn: list[tuple[int, Seed]] = []
    accounts = []
    for number, source in enumerate(config.sources):
        account = Account(source.name or _name(source.path))
        where = f"{file}: sources.{number}.path"
        seeds = _candidates(source, account, where, file.parent)
        drawn += [(number, seed) for seed in sampler.drawn(seeds, source, account)]
        accounts.append(account)
    return drawn, accounts


@dataclass
class _Sampler:
    """What all sources share: the seed, the excluded phrases, the rows so far.

    Attributes:
        texts: Fingerprints of the rows so far, of all sources.
    """

    seed: int
    patterns: list[re.Pattern[str]]
    texts: set[bytes] = field(default_factory=set)

    def drawn(
        self, seeds: Iterable[Seed], source: SourceConfig, account: Account
    ) -> Iterator[Seed]:
        """Yield the rows of a source that its quota allows, and fill in its account."""
        samples: dict[str, _SubsetSample] = {}
        for seed in seeds:
            account.read += 1
            text = row_fingerprint(seed.row)
            # Before the draw: rows that cannot be used must not take up a part of the quota.
            if any(pattern.search(seed.row["instruction"]) for pattern in self.patterns):
                account.excluded += 1
            elif text in self.texts:
                account.duplicate += 1
            else:
                self.texts.add(text)
                new = _SubsetSample(source.quota, source.whole_below)
                samples.setdefault(seed.root, new).add(seed, seed.sampling_key(self.seed, "draw"))
        for sample in samples.values():
            yield from sample.rows()


@dataclass
class _SubsetSample:
    """The rows drawn from one subset; at most as many are held in memory as may be taken."""

    quota: int | None
    whole_below: int
    seen: int = 0
    _held: list[tuple[int, int, Seed]] = field(default_factory=list)

    def add(self, seed: Seed, key: int) -> None:
        """Let a row take part in the draw."""
        self.seen += 1
        # heapq pops the smallest: with negated keys that is the row that loses its place.
        # Of equal keys `seen` decides: seeds have no order, and comparing them would be an error.
        entry = (-key, self.seen, seed)
        # Only the end of a subset tells that it is small, so `whole_below` rows must be held.
        if self.quota is None or len(self._held) < max(self.quota, self.whole_below):
            heapq.heappush(self._held, entry)
        else:
            heapq.heappushpop(self._held, entry)

    def rows(self) -> list[Seed]:
        """Return the rows that are taken: a small subset whole, else those with the lowest keys."""
        is_whole = self.quota is None or self.seen < self.whole_below
        held = sorted(self._held, reverse=True)
        return [seed for _, _, seed in (held if is_whole else held[: self.quota])]


def _patterns(config: SeedsConfig) -> list[re.Pattern[str]]:
    return [re.compile(p) for p in (*map(re.escape, config.exclude), *config.exclude_patterns)]


def _name(path: str) -> str:
    return Path(path).stem if Path(path).suffix else path


def _candidates(source: SourceConfig, account: Account, where: str, beside: Path) -> Iterator[Seed]:
    """Yield the rows of a source."""
    options = ReadOptions(
        columns=_columns(source),
        invalid=source.invalid,
        hint="invalid: skip in the source leaves them out",
        check=partial(_check, source),
    )
    for subset in _subsets(source, where, beside):
        location = Location(source.path, where, beside, source.split, subset)
        opened = open_source(location, options)
        for place, row in opened.located:
            part = subset or _subset(row, place, source.subset_column)
            yield Seed({**row, "root": f"{account.name}/{part}" if part else account.name})
        account.rejected += len(opened.recognised.rejected)


def _check(source: SourceConfig, record: Record, row: RowDict) -> None:
    """Check that a row has the columns that are named, and texts that can be sent."""
    for name in (source.fields.input, source.fields.response):
        if name:
            record.present_text(name)
    check_row(record, row)


def _columns(source: SourceConfig) -> Columns | None:
    """Return the columns that a source names; None: the records tell their format."""
    if source.fields == type(source.fields)():
        return None
    fields = source.fields
    return Columns(fields.instruction, fields.input, fields.response, None, None, None)


def _subset(row: RowDict, place: str, column: str | None) -> str:
    if not column:
        return ""
    subset = str((row.get(META) or {}).get(column) or row.get(column) or "")
    if not subset.strip():
        raise ConfigError(place, f"{column} must name the row's subset, is missing")
    return subset


def _subsets(source: SourceConfig, where: str, beside: Path) -> list[str | None]:
    """Return the configurations to read; None stands for a file, or for the only one."""
    if not source.subsets:
        return [None]
    if existing_path(source.path, where, beside=beside):
        raise ConfigError(
            where, "is a file or a folder; only hub data sets have subsets, use subset_column"
        )
    return [*source.subsets] if source.subsets != "all" else [*_configurations(source.path, where)]


def _configurations(name: str, where: str) -> list[str]:
    import datasets

    try:
        return list(datasets.get_dataset_config_names(name))
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(where, f"no data set {name} on the hub: {reason}") from error
