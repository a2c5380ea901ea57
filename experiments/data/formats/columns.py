"""Records in columns that a config names, and the keys of other spellings that formats share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autoevol.experiments.data.formats.rows import Notes, RowDict, new_row, with_meta
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns that hold what a row needs; None: the file has no such column."""

    instruction: str = "instruction"
    input: str | None = "input"
    response: str | None = "response"
    id: str | None = "id"
    root: str | None = "root"
    turns: str | None = "turns"
    system: str | None = "system"

    @property
    def names(self) -> frozenset[str]:
        """The names of all columns."""
        values = (getattr(self, name) for name in self.__slots__)
        return frozenset(value for value in values if value)

    def read(self, record: Record, notes: Notes) -> RowDict:
        """Return the row of a record; other columns go to its `meta`.

        Raises:
            ConfigError: It has no column of instructions, or something else in one.
        """
        identity = record.name(self.id) if self.id else None
        record = record.named(identity or "")
        turns = record.texts(self.turns) if self.turns else []
        # A file of conversations need not have a column of instructions: the first turn is one.
        if len(turns) > 1:
            record = replace(record, value={**record.value, self.instruction: turns[0]})
        if self.instruction not in record.value:
            raise ConfigError(
                record.place,
                f"has no field {self.instruction!r}; set data.fields.instruction to one of "
                f"{', '.join(map(str, record.value))}",
            )
        texts = {"input": self.input, "response": self.response, "root": self.root}
        row = new_row(
            record.text(self.instruction),
            **{key: record.optional_text(name) for key, name in texts.items() if name},
            **({"turns": turns} if len(turns) > 1 else {}),
            id=identity or "",
        )
        system = record.optional_text(self.system) if self.system else ""
        row = {**row, **({"system": system} if system else {})}
        return with_meta(row, record, self.names)


class KeySpelling:
    """Gives records the keys of a format, where they are spelt as `Output` or ` input`.

    Args:
        own: The format's keys.
    """

    def __init__(self, own: frozenset[str]) -> None:
        self._own = own
        # By the keys of a record: a file has few sets of them, and many records.
        self._names: dict[tuple[str, ...], dict[str, str]] = {}

    def __call__(self, record: Record) -> Record:
        """Return the record with the format's keys; itself where it has them."""
        keys = tuple(record.value)
        if keys not in self._names:
            spelt = {_plain(key): key for key in keys}
            self._names[keys] = {
                spelt[key]: key for key in self._own if key in spelt and key not in record.value
            }
        names = self._names[keys]
        return replace(record, value=renamed(record.value, names)) if names else record


def with_plain_keys(record: Record) -> Record:
    """Return a record with its keys in small letters, without space around them."""
    return replace(record, value={_plain(key): value for key, value in record.value.items()})


def renamed(value: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    """Return an object whose keys have the new names that they are given."""
    return {names.get(key, key): item for key, item in value.items()}


def _plain(key: object) -> str:
    return str(key).strip().lower()
