"""Self-contained HTML pages from templates: everything is escaped, pictures are embedded."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from autoevol.experiments.report.plots import png

_TEMPLATES = Path(__file__).with_name("templates")


def page(template: str, **context: Any) -> str:
    """Render a page; all values are escaped.

    Args:
        template: Name of a file in `templates/`.
        context: Values by the names that the template uses.
    """
    return _environment().get_template(template).render(context)


def stylesheet() -> str:
    """Return the style of all pages, for one that does not embed it."""
    return (_TEMPLATES / "page.css").read_text("utf-8")


def embedded(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return figures as `data:` URLs of PNG, by name, without those that are None."""
    return {name: _data_url(png(figure)) for name, figure in figures.items() if figure}


def embedded_files(files: Mapping[str, Path]) -> dict[str, str]:
    """Return PNG files as `data:` URLs, by name."""
    return {name: _data_url(file.read_bytes()) for name, file in files.items()}


def _environment() -> jinja2.Environment:
    # Not `select_autoescape`, which goes by file endings and leaves `.html.j2` unescaped: the rows
    # come from models and may hold markup.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["number"] = _number
    return environment


def _percent(share: float) -> str:
    # A line must not break between number and sign.
    return f"{share:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def _number(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"


def _data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
