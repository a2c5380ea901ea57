"""Rows with whatever a text can hold, for property tests of readers and writers."""

from typing import Any

from hypothesis import strategies as st

from autoevol.program.records import Row

ODD_TEXTS = (
    *(
        "a\0b",
        "\0",
        "a\x1fb",
        "a\x1cb",
        "\x7f\x80\x85\x9f",
        "a\u2028b\u2029c",
        "\ufeffa",
        "a\ufeff",
    ),
    *("a\r\nb", "a\rb", "\x1b[31mred", "\\ud800", "\\u0000", '"', "'", "a,b;c\td", "</script>"),
    *(
        "\U0001f98a",
        "e\u0301",
        "\u202eabc",
        "\uffff",
        "NaN",
        "null",
        "---\na: b\n---",
    ),
    *("[[ ## completed ## ]]", "{instruction}", "<|im_end|>", "%s", "=1+1", "r4", "IDK."),
)

_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(ODD_TEXTS)
TEXTS = st.lists(_ANY, max_size=3).map("".join)
PRESENT = TEXTS.filter(lambda text: bool(text.strip()))
NUMBERS = st.floats() | st.integers() | st.sampled_from([10**30, -(2**63), 2**63])
CARRIED = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
"""What a column that is no row's may hold."""


@st.composite
def rows(draw: st.DrawFn, /, *, methods: st.SearchStrategy[str] = PRESENT) -> Row:
    """Return a row as a run may keep it; `methods` are the names in its trace."""
    turns, answers = draw(_conversation())
    trace = draw(st.lists(methods, max_size=3))
    identity = draw(PRESENT)
    return Row(
        id=identity,
        seed_id=draw(PRESENT),
        instruction=turns[0],
        parent_id=draw(st.none() | PRESENT),
        round=draw(st.integers(0, 5)),
        method=trace[-1] if trace else None,
        trace=tuple(trace),
        input="" if len(turns) > 1 else draw(TEXTS),
        thinking=draw(TEXTS),
        turns=tuple(turns) if len(turns) > 1 else (),
        answers=tuple(answers) if len(turns) > 1 else (),
        response=answers[0],
        origin=draw(PRESENT),
        root=draw(TEXTS),
        draw=draw(st.integers(0, 2**63 - 1)),
        scores=draw(st.dictionaries(PRESENT, st.floats(), max_size=3)),
        usage=draw(st.dictionaries(PRESENT, st.integers(0), max_size=3)),
        filtered_by=draw(st.none() | PRESENT),
    )


@st.composite
def _conversation(draw: st.DrawFn, /) -> tuple[list[str], list[str]]:
    turns = draw(st.lists(PRESENT, min_size=1, max_size=3))
    return turns, [draw(TEXTS) for _ in turns]


@st.composite
def row_lists(draw: st.DrawFn, /, **options: Any) -> list[Row]:
    """Return rows, each with an id of its own."""
    return draw(st.lists(rows(**options), min_size=1, max_size=4, unique_by=lambda row: row.id))
