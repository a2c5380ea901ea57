"""The whole search for better templates, from texts and rows to the best texts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import dspy

from autoevol.metrics.text.wording import words
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation
from autoevol.program.roles import Role
from autoevol.program.search.optimizer import Search
from autoevol.program.search.programs.compiler import CallCounter, sampling
from autoevol.program.search.rows import SearchRows
from autoevol.program.search.settings import SearchSettings
from autoevol.program.search.templates.operators import TEMPLATE_OPERATORS
from autoevol.program.search.templates.subject import RunRows, TemplateBench, TemplateSubject
from autoevol.program.search.templates.texts import TemplateTexts

_ROOM = 1.5
"""A new text may have so many times the words of the longest one, where that is more than
`max_method_words`."""


@dataclass(frozen=True, slots=True)
class TemplateResult:
    """What a search for templates ended with.

    Attributes:
        templates: The best ones, by name; the given ones where none was better.
        initial: The given ones, on the rows of `rows`.
        best: The best ones on the same rows.
        rows: `fresh` rows, which had no part in the choice, or `dev` rows, which flatter it.
    """

    templates: Mapping[str, str]
    initial: Evaluation
    best: Evaluation
    rows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSearch:
    """A search for templates: its settings, and who runs and who writes.

    Attributes:
        run: Runs rows with templates and scores them.
        optimizer: The model that writes proposals.
        settings: Operators that a template does not have are left out; only the failure rate
            decides.
        listeners: Get phases, rows, steps and the choice.
        passes: A row fails if its score is below this; in (0, 1].
    """

    run: RunRows
    optimizer: Any
    settings: SearchSettings
    listeners: Listeners
    passes: float = 1.0

    async def improve(self, templates: Mapping[str, str], rows: SearchRows) -> TemplateResult:
        """Return the best templates.

        Args:
            templates: By name; a chat prompt as JSON.
            rows: Train, dev and fresh rows, and their texts.

        Raises:
            ConfigError: There is no text to change, or no operator that could change one.
            StoppedError: Not one dev row could be scored.
            LMError: A call of the optimizer model failed in a way that affects every proposal.
        """
        texts, counter = TemplateTexts(templates), CallCounter()
        bench = TemplateBench(self.run, self.passes, counter.calls, self.listeners)
        optimizer = Role(sampling(self.optimizer), "optimizer")
        settings = _settings(self.settings, texts)
        callbacks = [*(dspy.settings.get("callbacks") or ()), counter]
        with dspy.context(callbacks=callbacks):
            subject = TemplateSubject(texts, bench, optimizer, settings)
            search = Search(subject, settings, self.listeners, rows, counter.calls)
            best = (await search.run()).method
        for name, own in (("fresh", rows.fresh), ("dev", rows.dev)):
            initial, final = subject.measured(texts.method, own), subject.measured(best, own)
            if own and initial and final:
                return TemplateResult(texts.filled(best), initial, final, name)
        raise AssertionError("the search has measured the best method on all dev rows")


def _settings(settings: SearchSettings, texts: TemplateTexts) -> SearchSettings:
    if not set(settings.operators) & set(TEMPLATE_OPERATORS):
        names = ", ".join(settings.operators)
        raise ConfigError("settings.operators", f"no prompt template has {names}")
    longest = max(len(words(part.instructions)) for part in texts.method.parts)
    most = max(settings.max_method_words, int(_ROOM * longest))
    return replace(settings, tie_break=False, max_method_words=most)
