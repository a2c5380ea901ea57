"""The format of a run's folder, and what a folder of an earlier format leaves unsaid.

A folder keeps the config that its run resolved. A key that AutoEvol learned later is not in it: the
run behaved as one value of that key, which need not be today's default. The format's number says
which, so that an old folder resumes as the run that it is.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from autoevol.experiments.config.loading import set_key

FORMAT = 1
"""Of the folders that this version writes."""

IMPLIED: Mapping[int, Mapping[str, Any]] = {}
"""For each format that was left behind: the keys, dotted, whose default the next format changed or
brought, with the value that a run of that format had. Each new format adds an entry and a fixture
in `tests/fixtures`; no entry changes later."""


def with_implied(tree: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return a config's keys with those that a format implies, where they are not set.

    Args:
        tree: Keys as in YAML; stays as it is.
        number: The format, 1 to `FORMAT`.

    Raises:
        ConfigError: A key on the way to an implied one is no group of keys.
    """
    completed = deepcopy(dict(tree))
    # The folder's own format first: a later one may imply another value of the same key.
    for earlier in range(number, FORMAT):
        for key, value in IMPLIED.get(earlier, {}).items():
            if not _has(completed, key):
                set_key(completed, key, deepcopy(value), key)
    return completed


def _has(tree: Any, dotted: str) -> bool:
    for key in dotted.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True
