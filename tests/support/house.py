"""The house rules that no linter knows: `python -m tests.support.house [--numbers] [PATH ...]`.

Held: names of variables, methods a class, lines a function, modules a folder. Shown with
`--numbers`: lengths of functions, share of comments, lines of code.
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

PACKAGES = ("program", "metrics", "experiments")
"""`signatures` is prompts: what a model reads is not renamed for looks."""

READ_BY_MODELS = frozenset(("Evolver", "Responder", "InputEvolver", "ScoredEvolver"))
"""Classes whose source an optimiser shows to a model, which is why their names stay."""

PARTICIPLES = frozenset("told found given each known asked made".split())
"""They say that something was done, not what the variable holds."""

MOST_METHODS, MOST_LINES, MOST_MODULES, LONGEST_FILE = 10, 40, 14, 400
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(arguments: Sequence[str]) -> int:
    """Print what breaks a rule; return 1 if anything does."""
    paths = [Path(argument) for argument in arguments if not argument.startswith("-")]
    files = sorted(_files(paths or [Path(name) for name in PACKAGES]))
    offences = [offence for file in files for offence in offences_in(file)] + crowded(files)
    print(*offences, sep="\n", end="\n" if offences else "")
    if "--numbers" in arguments:
        print(*numbers(files), sep="\n")
    return 1 if offences else 0


def offences_in(file: Path) -> list[str]:
    """Return a line for each rule that a module breaks."""
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    long = [f"{file}: {n} lines, {LONGEST_FILE} at most"] if (n := text.count("\n")) > 400 else []
    return [*long, *_bad_names(tree, file), *_large_classes(tree, file), *_long(tree, file)]


def crowded(files: Iterable[Path]) -> list[str]:
    """Return a line for each folder with too many modules; `__init__` and `__main__` are none."""
    counts: dict[Path, int] = {}
    for file in files:
        if not file.name.startswith("__"):
            counts[file.parent] = counts.get(file.parent, 0) + 1
    return [
        f"{folder}: {count} modules, {MOST_MODULES} at most"
        for folder, count in counts.items()
        if count > MOST_MODULES
    ]


def numbers(files: Sequence[Path]) -> list[str]:
    """Return the figures of the house, a line each."""
    texts = [file.read_text("utf-8") for file in files]
    trees = [ast.parse(text) for text in texts]
    lengths = [body_lines(node) for tree in trees for node in _functions(tree)]
    lines = sum(text.count("\n") for text in texts)
    comments = sum(map(_comment_lines, texts))
    ninth = quantiles(lengths, n=10)[-1]
    return [
        f"modules {len(files)}, lines {lines}, lines of code {sum(map(code_lines, texts))}",
        f"function bodies: median {median(lengths):g}, p90 {ninth:g}, longest {max(lengths)} lines",
        f"comments: {comments} lines, {comments / lines:.1%}",
    ]


def body_lines(function: Function) -> int:
    """Return the lines of a body, its docstring aside."""
    body = function.body[1:] if _is_docstring(function.body[0]) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def code_lines(text: str) -> int:
    """Return the lines that hold code: no docstring, no comment, no blank."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and _is_docstring(node)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (*skipped, tokenize.ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from path.rglob("*.py") if path.is_dir() else [path]


def _functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _is_docstring(node: ast.stmt) -> bool:
    is_constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_constant and isinstance(node.value.value, str)  # type: ignore[attr-defined]


def _bad_names(tree: ast.Module, file: Path) -> Iterator[str]:
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    shown = [node for node in classes if node.name in READ_BY_MODELS]
    skipped = {id(inner) for node in shown for inner in ast.walk(node)}
    for node in ast.walk(tree):
        name = None if id(node) in skipped else _bound_name(node)
        if name in PARTICIPLES:
            yield f"{file}:{node.lineno}: variable {name!r}: name it by what it holds"  # type: ignore[attr-defined]


def _bound_name(node: ast.AST) -> str | None:
    """Return the name that a node binds: a variable's or a parameter's."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    return node.name if isinstance(node, ast.ExceptHandler) else None


def _large_classes(tree: ast.Module, file: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            count = sum(isinstance(statement, Function) for statement in node.body)
            if count > MOST_METHODS:
                yield f"{file}:{node.lineno}: {node.name} has {count} methods, {MOST_METHODS} at most"


def _long(tree: ast.Module, file: Path) -> Iterator[str]:
    for node in _functions(tree):
        if (count := body_lines(node)) > MOST_LINES:
            yield f"{file}:{node.lineno}: {node.name} has {count} lines, {MOST_LINES} at most"


def _comment_lines(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return len({token.start[0] for token in tokens if token.type == tokenize.COMMENT})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
