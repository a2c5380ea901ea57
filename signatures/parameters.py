"""Parameters of a method: named values that stand in its text as placeholders.

A method of the library says `Write the new instruction in {language}.` and gives each placeholder a
default in its front matter. Only placeholders of declared parameters are filled in; other braces
are code and stay as they are.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

LANGUAGES = {
    **{"ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German"},
    **{"el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish"},
    **{"fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian"},
    **{"it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish"},
    **{"pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "sw": "Swahili"},
    **{"th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese"},
}
"""English names of languages by their ISO 639-1 codes."""

_RANGE = re.compile(r"([1-9]\d*)(?:\s*(?:-|–|to)\s*([1-9]\d*))?")

Demonstration = tuple[str, str]
"""An instruction and its evolved instruction."""


@dataclass(frozen=True, slots=True)
class Template:
    """A method's text with its placeholders, and the values that are filled in.

    Attributes:
        text: The instructions; a parameter called x stands in them as {x}.
        demonstrations: All of them, each with the values of parameters that it was made for.
        defaults: The parameters and their values as the method is shipped.
        given: Other values, by parameter.

    Raises:
        ValueError: A parameter stands nowhere in the text, or a demonstration was made for the
            value of something that is no parameter.
    """

    text: str
    demonstrations: tuple[tuple[Demonstration, Mapping[str, str]], ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.defaults:
            if f"{{{name}}}" not in self.text:
                raise ValueError(f"parameters: {{{name}}} does not stand in the instructions")
        for name in (name for _, marks in self.demonstrations for name in marks):
            if name not in self.defaults:
                raise ValueError(f"demonstrations: {name!r} is no parameter of the method")

    @property
    def values(self) -> dict[str, str]:
        """What stands in the text, by parameter."""
        return {**self.defaults, **self.given}

    @property
    def instructions(self) -> str:
        """The text with the values in it."""
        text = self.text
        for name, value in self.values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    @property
    def shown(self) -> tuple[Demonstration, ...]:
        """The demonstrations that were not made for other values than the given ones."""
        return tuple(
            pair
            for pair, marks in self.demonstrations
            if all(self.given.get(name, value) == value for name, value in marks.items())
        )

    def with_values(self, given: Mapping[str, object]) -> "Template":
        """Return the template with other values; a value that is not given stays.

        Raises:
            ValueError: There is no such parameter, or the value does not fit it.
        """
        for name in given:
            if name not in self.defaults:
                there_is = ", ".join(self.defaults) or "none"
                raise ValueError(f"no parameter {name!r}; there is {there_is}")
        changed = {**self.given, **given}
        kept = {k: v for k, v in changed.items() if v != self.defaults[k]}
        return replace(self, given={name: checked(name, value) for name, value in kept.items()})


def language_name(given: str) -> str:
    """Return the English name of a language that is given by name or by ISO 639-1 code.

    Raises:
        ValueError: The language is not in the table.
    """
    name = LANGUAGES.get(given.casefold(), given.capitalize())
    if name not in LANGUAGES.values():
        known = ", ".join(f"{code} {each}" for code, each in LANGUAGES.items())
        raise ValueError(f"unknown language {given[:40]!r}; known are {known}")
    return name


def checked(name: str, value: object) -> str:
    """Return a parameter's value as it stands in the text.

    Raises:
        ValueError: The value does not fit the parameter.
    """
    check = _CHECKS.get(name)
    return check(str(value).strip()) if check else str(value)


def _range(given: str) -> str:
    match = _RANGE.fullmatch(given)
    if not match or int(match[2] or match[1]) < int(match[1]):
        raise ValueError(f"words must be a number or a range such as 10 to 20, got {given[:40]!r}")
    return f"{match[1]} to {match[2]}" if match[2] else match[1]


def _count(given: str) -> str:
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"constraints must be a whole number from 1, got {given[:40]!r}")
    return given


_CHECKS: dict[str, Callable[[str], str]] = {
    "language": language_name,
    "words": _range,
    "constraints": _count,
}
