"""What the detectors know of a language: one table each, nothing else is language-aware.

To add a language, write its table in a file beside `english.py`, and name it in `LANGUAGES`. A text
in a language without a table is still held against every rule that needs none (length, numbers,
scripts, repetition); the rules that do need one let it pass. Every pattern must match in linear time: no nested or adjacent
unbounded repeats (`tests/metrics/failure/test_detectors_hold.py` times them all).
"""

from functools import lru_cache

from autoevol.metrics.text.languages.english import ENGLISH
from autoevol.metrics.text.languages.korean import KOREAN
from autoevol.metrics.text.languages.table import Language
from autoevol.metrics.text.scripts import dominant_script

__all__ = ["LANGUAGES", "Language", "language_of"]

LANGUAGES: tuple[Language, ...] = (ENGLISH, KOREAN)
"""The known languages; at most one for each script other than Latin."""


@lru_cache(maxsize=512)
def language_of(text: str) -> Language | None:
    """Return the table for `text`, told by its script; None: there is none.

    Latin script means English here: `language_drift` alone tells Latin languages apart.
    """
    script = dominant_script(text) or "latin"
    return next((language for language in LANGUAGES if language.script == script), None)
