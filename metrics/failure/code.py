"""Signs of code in a text, and whether code was asked for."""

import re

from autoevol.metrics.failure.cases import Case
from autoevol.metrics.text.languages import language_of

CODE_MARKS = re.compile(
    r"```|[{};=][ \t]*$"
    r"|^[ \t]*(?:def|class|for|while|print|return|INSERT|UPDATE|CREATE)\b[^\n]{0,80}[(:;=]"
    r"|^[ \t]*(?:import|SELECT)\b",
    re.MULTILINE,
)
"""Marks that code has and prose lacks."""


def answers_in_code(case: Case) -> bool:
    """Tell whether the stage's text is a response to a request for code."""
    language = language_of(case.before)
    wants_code = language is not None and language.wants_code.search(case.before)
    return bool(case.response and wants_code)
