"""What was typed on the command line, checked before a command begins."""

from collections.abc import Callable, Sequence
from typing import Any

from autoevol.experiments.files.paths import local_path
from autoevol.program.errors import ConfigError

FIELD_NAMES = ("instruction", "input", "response", "id", "root", "turns", "system")


def path_of(name: str) -> Callable[[Any], Any]:
    """Return a check of an argument or option that is a path, or are several.

    The check returns the path with `~` expanded. It raises a ConfigError with the name where the
    system allows no such path.

    Args:
        name: Of the option, or of the argument as the command's usage has it.
    """

    def checked(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [local_path(path, name) for path in value]
        return None if value is None else local_path(value, name)

    return checked


def fields_of(options: Sequence[str]) -> dict[str, str]:
    """Return the columns that options `--field USE=COLUMN` name, by their use.

    Raises:
        ConfigError: An option has another form, or there is no such use.
    """
    fields = {}
    for option in options:
        use, sign, column = option.partition("=")
        if not sign or not column or use not in FIELD_NAMES:
            uses = ", ".join(FIELD_NAMES)
            raise ConfigError(f"--field {option}", f"write USE=COLUMN, with a USE of {uses}")
        fields[use] = column
    return fields
