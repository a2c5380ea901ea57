"""Self-contained pages: one look, one way to escape, pictures within the file."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from autoevol.experiments.report.plots import png

_TEMPLATES = Path(__file__).with_name("templates")


def page(template: str, **told: Any) -> str:
    """Return a page; whatever is told is escaped.

    Args:
        template: A file in `templates/`.
        told: What the template names.
    """
    return _environment().get_template(template).render(told)


def embedded(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return pictures as `data:` addresses, by name; figures that are None are left out."""
    return {name: _address(png(figure)) for name, figure in figures.items() if figure}


def embedded_files(files: Mapping[str, Path]) -> dict[str, str]:
    """Return PNG files as `data:` addresses, by name."""
    return {name: _address(file.read_bytes()) for name, file in files.items()}


def _environment() -> jinja2.Environment:
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
    return f"{share:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def _number(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"


def _address(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
