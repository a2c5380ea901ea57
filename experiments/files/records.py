"""Records of data files, each with its location; its methods return checked values by key."""

from dataclasses import dataclass
from typing import Any

from autoevol.experiments.files.json_text import HALVES
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a data file; its methods return checked values by key.

    Attributes:
        place: Its location, for messages, such as `seeds.jsonl:17`.
        identity: Name of the row, for messages; empty while it is not known.
    """

    place: str
    value: dict[str, Any]
    identity: str = ""

    def named(self, identity: str) -> "Record":
        """Return the record with a name for its messages."""
        return Record(self.place, self.value, identity)

    def text(self, key: str) -> str:
        """Return a text that must be present and not blank."""
        text = self.present_text(key)
        if not text.strip():
            raise self.error(key, "must be a text, is empty")
        return text

    def present_text(self, key: str) -> str:
        """Return a text whose key must be present; null becomes the empty text."""
        if key not in self.value:
            keys = ", ".join(map(str, self.value))
            raise ConfigError(self.place, f"has no key {key!r}; it has {keys}")
        return self.optional_text(key)

    def optional_text(self, key: str) -> str:
        """Return a text; null and a missing key become the empty text."""
        return self.checked(key, self.value.get(key))

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; null and a missing key become the empty list."""
        values = self.value.get(key)
        if not values:
            return []
        if not isinstance(values, list):
            raise self.error(key, f"must be a list of texts, is {_kind(values)}")
        return [self.checked(f"{key}[{number}]", text) for number, text in enumerate(values)]

    def whole_number(self, key: str, default: int | None = None) -> int:
        """Return a whole number in [0, 2^63), the range of Parquet's int64 columns."""
        value = self.value.get(key, default)
        # JSON's `true` is an int for Python.
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
            return value
        raise self.error(key, f"must be a whole number from 0, is {str(value)[:80]!r}")

    def name(self, key: str) -> str | None:
        """Return a text or a whole number that names something, as a text; None if it is missing.

        Raises:
            ConfigError: It is something else, or blank.
        """
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            raise ConfigError(
                self.place, f"{key} must be a text or a whole number, is {str(value)[:80]!r}"
            )
        return self.checked(key, str(value))

    def checked(self, key: str, value: Any) -> str:
        """Return a value as a text; null becomes the empty text.

        Control characters are taken, NUL included: they may be in a row that AutoEvol wrote.

        Raises:
            ConfigError: It is no text, or none that a file of UTF-8 can hold.
        """
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(key, f"must be a text or null, is {_kind(value)}")
        # Half of a pair is valid JSON ("\ud83d") without UTF-8: no file or request can hold it.
        if not value.isascii() and HALVES.search(value):
            raise self.error(key, "holds half of a surrogate pair; remove it")
        return value

    def error(self, key: str, problem: str) -> ConfigError:
        """Return an error that names the record and the key."""
        of = f" of {self.identity!r}" if self.identity else ""
        return ConfigError(self.place, f"{key}{of} {problem}")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that makes no row.

    Attributes:
        place: Its location, for messages, such as `seeds.jsonl:17`.
        problem: Why, naming the key where there is one.
        value: As far as it was read: the record, the values of a line, or the line itself.
    """

    place: str
    problem: str
    value: Any

    def as_dict(self) -> dict[str, Any]:
        """Return the record as a line of a file of rejected records."""
        return {"place": self.place, "problem": self.problem, "record": self.value}

    @property
    def error(self) -> ConfigError:
        """The error for readers that leave nothing out."""
        return ConfigError(self.place, self.problem)


Item = Record | Rejected


def item_of(place: str, value: Any) -> Item:
    """Return the record that a value makes; a text alone is an instruction."""
    if isinstance(value, str):
        value = {"instruction": value}
    if not isinstance(value, dict):
        return Rejected(place, f"must be an object, is {_kind(value)}", value)
    return Record(place, value)


def _kind(value: Any) -> str:
    return type(value).__name__
