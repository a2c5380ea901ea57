"""A page as a tree of elements, read by the standard library's parser."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from autoevol.experiments.report.words import FILES

_EMPTY = {"meta", "img", "br", "wbr", "hr", "input", "link"}


@dataclass
class Node:
    """An element with its text and its children."""

    tag: str
    attributes: dict[str, str]
    children: "list[Node | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, white space collapsed."""
        return " ".join(self._raw().split())

    def all(self, tag: str, kind: str | None = None) -> "list[Node]":
        """Return the elements of a tag in it (and of a class), in order."""
        matches = []
        for child in self.children:
            if isinstance(child, Node):
                is_kind = kind is None or kind in child.attributes.get("class", "").split()
                matches += [child] if child.tag == tag and is_kind else []
                matches += child.all(tag, kind)
        return matches

    def by_id(self, identity: str) -> "Node":
        """Return the element of an id."""
        (node_of_id,) = [node for node in self._nodes() if node.attributes.get("id") == identity]
        return node_of_id

    def _raw(self) -> str:
        return "".join(c if isinstance(c, str) else f" {c._raw()} " for c in self.children)

    def _nodes(self) -> "list[Node]":
        inner = [c for c in self.children if isinstance(c, Node)]
        return [self, *(node for child in inner for node in child._nodes())]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _EMPTY:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(file: Path) -> Node:
    """Return a page as a tree; elements that are not closed in order are an error."""
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    reader.close()
    assert len(reader.open) == 1
    page = reader.open[0]
    assert_self_contained(page)
    return page


def assert_self_contained(page: Node) -> None:
    """Check that a page loads and runs nothing; links lead to its own ids or the run's files."""
    assert not any(page.all(tag) for tag in ("script", "link", "iframe", "object"))
    assert all(image.attributes["src"].startswith("data:image/png;") for image in page.all("img"))
    assert not any("@import" in style.text or "url(" in style.text for style in page.all("style"))
    ids = Counter(node.attributes["id"] for node in page._nodes() if "id" in node.attributes)
    assert all(count == 1 for count in ids.values()), ids
    assert {a.attributes["href"] for a in page.all("a")} <= {
        *(f"#{name}" for name in ids),
        *FILES,
    }
