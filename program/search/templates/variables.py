"""What a template is filled in with: `{{variables}}`, and the tags of its control flow."""

import re

_VARIABLE = re.compile(r"\{\{\s*([a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*)*)\s*\}\}")
_CONTROL = re.compile(r"\{%.*?%\}", re.DOTALL)


def variables_in(text: str) -> list[str]:
    """Return the names of a template's variables, each once, in their order."""
    return [*dict.fromkeys(_VARIABLE.findall(text))]


def variable_flaw(text: str, original: str) -> str | None:
    """Return why a template cannot be filled in as the original is; None: it can.

    Args:
        text: Of a proposal.
        original: The template that it would replace.
    """
    own, needed = variables_in(text), variables_in(original)
    lost = [name for name in needed if name not in own]
    # The program has no value for a variable that it does not know.
    new = [name for name in own if name not in needed]
    if lost:
        return f"loses {_shown(lost)}"
    if new:
        return f"adds {_shown(new)}, which the program does not fill in"
    if _CONTROL.findall(text) != _CONTROL.findall(original):
        return "changes the tags {% … %}"
    return None


def _shown(names: list[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)
