"""The format of a run's folder: what it fixes, and what an older folder's config leaves unsaid.

A folder keeps the config that its run resolved. A key that AutoEvol learned later is not in it: the
run behaved as one value of that key, which need not be today's default. The format's number says
which, so that an old folder resumes as the run that it is.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from autoevol.experiments.config.loading import set_key
from autoevol.program.search.settings import PAPER

FORMAT = 8
"""Of the folders that this version writes."""


@dataclass(frozen=True, slots=True)
class FormatRules:
    """What a format fixes for the runs in its folders, beside the defaults of config keys.

    A killed run resumes under the rules that it began with: its ledger holds the calls that these
    rules led to.

    Attributes:
        row_ids: `dotted`: an evolved row's id is its parent's, a dot and the round, so seeds called
            `1` and `1.1` share ids. `unique`: see `program.row_ids.RowIds.unique_among`.
        has_suspicions: Whether F tells suspicion from evidence; where it does not, `strict` names
            the set of that time, and every broken rule fails its row.
        has_exam: Whether a judge takes the exam of `program.witnesses`; where it does not, it is
            tried on the twenty controls of that time, and `strict+judge` asks for `defects` alone.
        greedy_draws: Whether the ledger tells two draws apart at temperature 0, where both ask for
            the same reply.
        is_old_search: Whether a search's prompts name rules as they are called, and proposals may
            quote rows.
        first_number: What steps and candidates are numbered from in names, `step-01-candidate-1`,
            and in files, `methods/step-01.md`.
    """

    row_ids: Literal["dotted", "unique"]
    greedy_draws: bool
    has_suspicions: bool
    has_exam: bool
    is_old_search: bool = True
    first_number: int = 0


_RULES: Mapping[int, FormatRules] = {
    1: FormatRules("dotted", greedy_draws=True, has_suspicions=False, has_exam=False),
    2: FormatRules("unique", greedy_draws=False, has_suspicions=False, has_exam=False),
    3: FormatRules("unique", greedy_draws=False, has_suspicions=True, has_exam=False),
    4: FormatRules("unique", greedy_draws=False, has_suspicions=True, has_exam=True),
    5: FormatRules("unique", greedy_draws=False, has_suspicions=True, has_exam=True),
    6: FormatRules(
        "unique", greedy_draws=False, has_suspicions=True, has_exam=True, is_old_search=False
    ),
    **dict.fromkeys(
        (7, 8),
        FormatRules(
            "unique",
            greedy_draws=False,
            has_suspicions=True,
            has_exam=True,
            is_old_search=False,
            first_number=1,
        ),
    ),
}

IMPLIED: Mapping[int, Mapping[str, Any]] = {
    1: {},
    2: {},
    3: {},
    # A run read its seeds by the names of their columns alone, and left all other columns out. Its
    # sizes did not follow the number of rows, and it searched unless the config said no.
    4: {
        "optimizer.name": "auto_evol",
        "data.dev_size": 50,
        "data.heldout_size": 50,
        "data.format": "columns",
        "data.fields.system": None,
        "data.keep": [],
        "output.with_ids": False,
        "evolve.first_round": 1,
    },
    # A search learned what to try by TPE, changed one thing at a time, and promoted nothing without
    # a test.
    5: {
        "optimizer.policy": "learned",
        "optimizer.operators": [
            *("rewrite", "edit", "shorten", "merge"),
            *("safeguard", "add_demonstration", "drop_demonstration"),
        ],
        "optimizer.most_added": 1,
        "optimizer.boldness": ["sentence"],
        "optimizer.acceptance": "paired",
        "optimizer.fresh_level": 0.2,
    },
    # Steps and candidates were numbered from 0; that is no key of a config.
    6: {},
    # A bulk phase went through all seeds at once, with one ledger. `run.json` says so, no key.
    7: {},
}
"""For each format that was left behind: the keys, dotted, whose default the next format changed or
brought, with the value that a run of that format had. Each new format adds an entry and a fixture
in `tests/fixtures`; no entry changes later."""


def rules_of(number: int) -> FormatRules:
    """Return what a format fixes; `number` is 1 to `FORMAT`."""
    return _RULES[number]


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
            if not _has(completed, key) and not _is_preset(completed, key):
                set_key(completed, key, deepcopy(value), key)
    return completed


def _is_preset(tree: Mapping[str, Any], dotted: str) -> bool:
    """Return whether the optimizer's name sets the key to the same value in every format."""
    group, _, name = dotted.partition(".")
    search = tree.get(group)
    is_paper = isinstance(search, Mapping) and search.get("name") == "paper"
    return group == "optimizer" and is_paper and name in PAPER


def _has(tree: Any, dotted: str) -> bool:
    for key in dotted.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True
