"""Constraints on lists, headings and other marks of Markdown. A sandbox runs this file's source."""

import re

_BOLD = r"(?<![\w*])\*\*(?=[^\s*])(?:[^*\n]|\*(?!\*))+\*\*"
"""A passage in bold; not the power of `x**2`."""


def _bullets(text: str) -> list[str]:
    return re.findall(r"(?m)^[ \t]*[-*+•·][ \t]+(\S.*)$", text)


def _numbered(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(?m)^[ \t]*(\d+)[.)][ \t]+(\S.*)$", text)


def bullets_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many bullet points."""
    return len(_bullets(response)) == count


def numbered_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many numbered points, counted from 1."""
    numbers = [int(number) for number, _ in _numbered(response)]
    return numbers == list(range(1, count + 1))


def headings_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many headings with #, those in code left out."""
    text = re.sub(r"(?s)```.*?```", "", response)
    return len(re.findall(r"(?m)^#{1,6}[ \t]+\S", text)) == count


def bold_at_least(response: str, count: int) -> bool:
    """Return whether at least so many passages are bold, as in **this**."""
    return len(re.findall(_BOLD, response)) >= count


def no_markdown(response: str) -> bool:
    """Return whether there are no headings, lists, bold passages and code blocks."""
    marks = r"(?m)^#{1,6}[ \t]|^[ \t]*[-*+][ \t]|^[ \t]*\d{1,2}[.)][ \t]|```"
    is_marked = re.search(marks, response) or re.search(_BOLD, response)
    return bool(response.strip()) and not is_marked


def sections(response: str, divider: str, count: int) -> bool:
    """Return whether a line that holds only the divider makes exactly so many parts, none empty."""
    parts = [[]]  # type: list[list[str]]
    for line in response.strip().splitlines():
        if line.strip() == divider:
            parts.append([])
        else:
            parts[-1].append(line)
    return len(parts) == count and all("".join(part).strip() for part in parts)


def titled(response: str) -> bool:
    """Return whether the first line is a title in double angle brackets, as in <<title>>."""
    lines = response.strip().splitlines()
    return bool(lines) and re.fullmatch(r"<<[^<>]+>>", lines[0].strip()) is not None


def postscript(response: str) -> bool:
    """Return whether the last paragraph begins with P.S."""
    paragraphs = [part for part in re.split(r"\n\s*\n", response.strip()) if part.strip()]
    return len(paragraphs) > 1 and re.match(r"P\.\s?S\.", paragraphs[-1].strip()) is not None


def table_columns(response: str, count: int) -> bool:
    """Return whether there is a Markdown table with so many columns in each of its rows."""
    rows = [line.strip() for line in response.splitlines() if line.strip().startswith("|")]
    widths = [len(row.strip("|").split("|")) for row in rows]
    is_table = len(rows) >= 3 and re.fullmatch(r"[|:\- ]+", rows[1]) is not None
    return is_table and all(width == count for width in widths)


def code_block(response: str, language: str) -> bool:
    """Return whether there is a closed block of code that names its language."""
    text = response.replace("\r\n", "\n")
    fence = r"(?ms)^[ \t]*```" + re.escape(language) + r"[ \t]*\n.+?^[ \t]*```[ \t]*$"
    return re.search(fence, text) is not None
