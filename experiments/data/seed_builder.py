"""`autoevol seeds`: a seed file from several data sets, with quotas, without duplicates.

Which rows are drawn is a function of the seed and of their texts alone: neither the order of a
file nor another source changes the draw.
"""

import hashlib
import heapq
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.config.seed_builder import SeedsConfig, SourceConfig, load_seeds_config
from autoevol.experiments.data.fingerprint import fingerprint
from autoevol.experiments.files.atomic import refuse_existing, whole_file
from autoevol.experiments.files.records import Record, existing_path, read_records
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Seed:
    """A row that may become a seed.

    Attributes:
        root: Name of the data set, and of the subset behind a slash where there is one.
    """

    instruction: str
    input: str
    response: str
    root: str

    def lot(self, seed: int, purpose: str) -> int:
        """Return the row's number in a lottery; the lowest win."""
        told = json.dumps([seed, purpose, self.instruction, self.input]).encode()
        return int.from_bytes(hashlib.blake2b(told, digest_size=16).digest())


@dataclass
class Account:
    """Where the rows of a source went: read = excluded + duplicate + left + taken."""

    name: str
    read: int = 0
    excluded: int = 0
    duplicate: int = 0
    taken: int = 0

    @property
    def left(self) -> int:
        """Rows that were not drawn."""
        return self.read - self.excluded - self.duplicate - self.taken


def build_seeds(file: Path, target: Path) -> list[Account]:
    """Draw seeds as a config says, write them to a new file, and return the accounts.

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
    ordered = sorted(drawn, key=lambda pair: pair[1].lot(config.seed, "order"))[: config.total]
    if not ordered:
        raise ConfigError(f"{file}: sources", "nothing is left to take")
    for number, _ in ordered:
        accounts[number].taken += 1
    _write(target, (seed for _, seed in ordered))
    return accounts


def _write(target: Path, seeds: Iterable[Seed]) -> None:
    with whole_file(target) as out:
        for number, seed in enumerate(seeds, start=1):
            row = {
                "id": f"seed-{number:06d}",
                "instruction": seed.instruction,
                "input": seed.input,
                "response": seed.response,
                "root": seed.root,
            }
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def _drawn(config: SeedsConfig, file: Path) -> tuple[list[tuple[int, Seed]], list[Account]]:
    """Return the rows that the quotas allow, each with its source's number, and the accounts."""
    draw = _Draw(config.seed, _patterns(config))
    drawn: list[tuple[int, Seed]] = []
    accounts = []
    for number, source in enumerate(config.sources):
        account = Account(source.name or _name(source.path))
        where = f"{file}: sources.{number}.path"
        seeds = _candidates(source, account.name, where, file.parent)
        drawn += [(number, seed) for seed in draw.winners(seeds, source, account)]
        accounts.append(account)
    return drawn, accounts


@dataclass
class _Draw:
    """What all sources share: the lottery's seed, the excluded phrases, the texts seen so far."""

    seed: int
    patterns: list[re.Pattern[str]]
    known: set[bytes] = field(default_factory=set)

    def winners(
        self, seeds: Iterable[Seed], source: SourceConfig, account: Account
    ) -> Iterator[Seed]:
        """Yield the rows of a source that its quota allows, and fill its account."""
        pools: dict[str, _Pool] = {}
        for seed in seeds:
            account.read += 1
            mark = fingerprint(seed.instruction, seed.input)
            if any(pattern.search(seed.instruction) for pattern in self.patterns):
                account.excluded += 1
            elif mark in self.known:
                account.duplicate += 1
            else:
                self.known.add(mark)
                pool = pools.setdefault(seed.root, _Pool(source.quota, source.whole_below))
                pool.add(seed, seed.lot(self.seed, "draw"))
        for pool in pools.values():
            yield from pool.winners()


@dataclass
class _Pool:
    """The rows of one subset; no more of them are held than may be taken."""

    quota: int | None
    whole_below: int
    seen: int = 0
    _held: list[tuple[int, int, Seed]] = field(default_factory=list)

    def add(self, seed: Seed, lot: int) -> None:
        """Let a row take part in the draw."""
        self.seen += 1
        entry = (-lot, self.seen, seed)
        if self.quota is None or len(self._held) < max(self.quota, self.whole_below):
            heapq.heappush(self._held, entry)
        else:
            heapq.heappushpop(self._held, entry)

    def winners(self) -> list[Seed]:
        """Return the rows that are taken: a small subset whole, else the lowest lots."""
        is_whole = self.quota is None or self.seen < self.whole_below
        held = sorted(self._held, reverse=True)
        return [seed for _, _, seed in (held if is_whole else held[: self.quota])]


def _patterns(config: SeedsConfig) -> list[re.Pattern[str]]:
    return [re.compile(p) for p in (*map(re.escape, config.exclude), *config.exclude_patterns)]


def _name(path: str) -> str:
    return Path(path).stem if Path(path).suffix else path


def _candidates(source: SourceConfig, name: str, where: str, beside: Path) -> Iterator[Seed]:
    """Yield the rows of a source."""
    for subset in _subsets(source, where, beside):
        records = read_records(source.path, where, beside=beside, split=source.split, subset=subset)
        for record in records:
            given = subset or _subset(record, source.subset_column)
            yield _seed(record, source, f"{name}/{given}" if given else name)


def _subset(record: Record, column: str | None) -> str:
    found = record.name(column) if column else ""
    if column and not found:
        raise record.wrong(column, "must name the row's subset, is missing")
    return found or ""


def _subsets(source: SourceConfig, where: str, beside: Path) -> list[str | None]:
    """Return the configurations to read; None is the only one, or a file."""
    if not source.subsets:
        return [None]
    if existing_path(source.path, where, beside=beside):
        raise ConfigError(
            where, "is a file or a folder; subsets are a hub data set's, use subset_column"
        )
    return [*source.subsets] if source.subsets != "all" else [*_configurations(source.path, where)]


def _configurations(name: str, where: str) -> list[str]:
    import datasets

    try:
        return list(datasets.get_dataset_config_names(name))
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(where, f"no data set {name} on the hub: {reason}") from error


def _seed(record: Record, source: SourceConfig, root: str) -> Seed:
    fields = source.fields
    return Seed(
        instruction=record.text(fields.instruction),
        input=record.present_text(fields.input) if fields.input else "",
        response=record.present_text(fields.response) if fields.response else "",
        root=root,
    )
