"""What was typed on the command line, checked before a command begins."""

from collections.abc import Callable
from typing import Any

from autoevol.experiments.files.paths import local_path


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
