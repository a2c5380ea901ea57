"""What Monty runs has Python's result; all else it calls unsupported."""

import asyncio
import json
import random
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.sandbox import open_sandbox
from autoevol.experiments.sandbox.monty import MontySandbox
from autoevol.experiments.sandbox.regex import UnsupportedPatternError, rust_pattern
from autoevol.program.sandbox import Call, CallResult

VERIFIERS = [
    json.loads(line)
    for line in (Path(__file__).parent / "verifiers.jsonl").read_text("utf-8").split("\n")
    if line
]
"""230 verifiers in the styles of language models, odd ones among them, with 1,293 inputs."""


def _calls(verifier: dict[str, Any]) -> list[Call]:
    return [Call("evaluate", [text]) for text in verifier["inputs"]]


async def _in_python() -> list[list[CallResult]]:
    async with open_sandbox("none", allow_unsandboxed=True) as python:
        runs = [python.run(verifier["code"], _calls(verifier)) for verifier in VERIFIERS]
        return list(await asyncio.gather(*runs))


async def _in(name: Any) -> list[list[CallResult]]:
    async with open_sandbox(name) as sandbox:
        return [await sandbox.run(v["code"], _calls(v)) for v in VERIFIERS]


@pytest.fixture(scope="module")
def expected() -> list[list[CallResult]]:
    return asyncio.run(_in_python())


def _same(one: CallResult, other: CallResult) -> bool:
    return one.ending == other.ending and json.dumps(one.value) == json.dumps(other.value)


def test_no_result_of_monty_differs_from_pythons(expected: list[list[CallResult]]) -> None:
    supported = total = 0
    for verifier, results, true in zip(VERIFIERS, asyncio.run(_in("monty")), expected, strict=True):
        for text, result, python in zip(verifier["inputs"], results, true, strict=True):
            total += 1
            if result.ending != "unsupported":
                supported += 1
                assert _same(result, python), (verifier["name"], text, result, python)
    assert supported / total > 0.8


def test_with_bubblewrap_all_results_are_pythons(expected: list[list[CallResult]]) -> None:
    for verifier, results, true in zip(VERIFIERS, asyncio.run(_in("auto")), expected, strict=True):
        for text, result, python in zip(verifier["inputs"], results, true, strict=True):
            assert _same(result, python), (verifier["name"], text, result, python)


MATCHING = """
import re
def evaluate(pattern, text, flags):
    compiled = re.compile(pattern, flags)
    match = compiled.search(text)
    one = [list(match.span()), list(match.groups()), match.groupdict()] if match else None
    return [one, bool(compiled.match(text)), bool(compiled.fullmatch(text))]
def each(pattern, text, flags):
    compiled = re.compile(pattern, flags)
    return [
        [list(match.span()) for match in compiled.finditer(text)],
        compiled.findall(text),
        compiled.split(text),
        re.sub(pattern, "<\\\\g<0>>", text, flags=flags),
        re.sub(pattern, lambda match: match.group().upper(), text, 2, flags),
        list(compiled.subn("-", text)),
    ]
"""
PARTS = (
    r"a b A . \w \W \d \D \s \S \b \B ^ $ \A \Z [a-c] [^a] [\w-] [^\W\d] [\s.] [&&a] [[a] [a~~b] "
    r"[-a] []a] 가 [가-힣] é (a) (?:ab) (?P<x>b) (?i:a) (?=a) (?!b) (?<=a) (?<!b) \. \n \x41 "
    r"\u00e9 | ; { } [\d.,] \t ß ſ İ i ı"
).split(" ")
REPEATS = ["", "", "", *"* + ? *? +? ?? {2} {1,2} {,2} {0,}".split(" ")]
CHARACTERS = [*"abcAB 1.,-;&~[]{}\n\t_가힣éßſIiıİ٣²½ा😀", "e\u0301", "\u200d", "\x1c", "\u00a0"]


def _patterns(seed: int, count: int) -> Iterator[tuple[str, str, int]]:
    """Yield patterns that Python takes, each with a text and flags."""
    rng = random.Random(seed)
    while count:
        parts = [rng.choice(PARTS) + rng.choice(REPEATS) for _ in range(rng.randint(1, 5))]
        pattern = "".join(parts) + rng.choice(["", "", "", r"\1", "(?P=x)"])
        flags = rng.choice([0, 0, 0, re.I, re.M, re.S, re.I | re.M, re.X, re.A])
        text = "".join(rng.choice(CHARACTERS) for _ in range(rng.randint(0, 12)))
        try:
            re.compile(pattern, flags)
        except re.error:
            continue
        yield pattern, text, int(flags)
        count -= 1


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("function", ["evaluate", "each"])
def test_patterns_match_what_they_match_in_python(function: str) -> None:
    scope: dict[str, Any] = {}
    exec(MATCHING, scope)
    cases = list(_patterns(20, 600))
    sandbox = MontySandbox(1)
    results = asyncio.run(sandbox.run(MATCHING, [Call(function, [p, t, f]) for p, t, f in cases]))
    sandbox.close()
    supported = 0
    for case, result in zip(cases, results, strict=True):
        if result.ending != "unsupported":
            supported += 1
            expected = json.loads(json.dumps(scope[function](*case)))
            assert result.value == expected, case
    assert supported > len(cases) / 3


@pytest.mark.parametrize(
    ("pattern", "flags", "why"),
    [
        (r"(a)?(?(1)b|c)", 0, "groupref_exists"),
        ("(", 0, "error"),
        (r"\p{L}", 0, "error"),
        ("a" * 3000, 0, "characters"),
        ("(" * 900 + ")" * 900, 0, "RecursionError"),
        ("a", re.A | re.I, "ASCII"),
        (r"(?P<x>a)(b)\2", 0, "named groups"),
        ("ı", re.I, "Turkish"),
    ],
)
def test_patterns_without_a_counterpart(pattern: str, flags: int, why: str) -> None:
    with pytest.raises(UnsupportedPatternError, match=why):
        rust_pattern(pattern, int(flags))


def test_the_parser_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rust_pattern("[[a&&b]", 0)


SUPPLIED = {
    "string": "return [string.punctuation, string.printable, string.capwords('a bC')]",
    "statistics": (
        "return [statistics.mean([1, 2, 6]), statistics.mean([1, 2]), statistics.median([3, 1]), "
        "statistics.mode('aab'), statistics.fmean([1, 2])]"
    ),
    "textwrap": (
        "return [textwrap.dedent('  a\\n    b\\n\\n  c'), textwrap.dedent(' \\ta\\n \\n'), "
        "textwrap.indent('a\\n\\nb\\n', '> ')]"
    ),
}


@pytest.mark.parametrize("module", SUPPLIED)
def test_supplied_modules_are_pythons(module: str) -> None:
    code = f"import {module}\ndef evaluate():\n    {SUPPLIED[module]}"
    scope: dict[str, Any] = {}
    exec(code, scope)
    assert _monty(code) == [scope["evaluate"]()]


def _monty(code: str, texts: Sequence[Any] = ()) -> list[Any]:
    sandbox = MontySandbox(1)
    calls = [Call("evaluate", [text]) for text in texts] or [Call("evaluate")]
    results = asyncio.run(sandbox.run(code, calls))
    sandbox.close()
    return [result.value if result.ending == "value" else result.ending for result in results]


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    return text.no_such_method()\nexcept Exception:\n    return False",
        "try:\n    return text.no_such_method()\nexcept:\n    return False",
        "try:\n    return int(text)\nexcept ValueError:\n    return False",
        "return hasattr(text, 'translate')",
        "try:\n    return 1 / 0\nfinally:\n    return False",
        "import datetime\nreturn datetime.datetime.strptime(text, '%Y').year",
    ],
)
def test_an_error_that_monty_alone_might_raise_is_never_swallowed(body: str) -> None:
    code = "def evaluate(text):\n    " + body.replace("\n", "\n    ")
    assert _monty(code, ["٣"]) == ["unsupported"]


def test_errors_that_are_pythons_are_caught() -> None:
    body = "try:\n    return re.match('z', text).group()\nexcept AttributeError:\n    return 'none'"
    code = "import re\ndef evaluate(text):\n    " + body.replace("\n", "\n    ")
    assert _monty(code, ["a", "z"]) == ["none", "z"]
    body = "try:\n    return int(text)\nexcept ValueError:\n    return 'no'"
    code = "def evaluate(text):\n    " + body.replace("\n", "\n    ")
    assert _monty(code, ["x", "3"]) == ["no", 3]


def test_text_that_is_no_unicode_is_unsupported() -> None:
    assert _monty("def evaluate(text):\n    return len(text)", ["\ud800"]) == ["unsupported"]


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("def evaluate(text):\n    return bool(re.search('a', text))", "error"),
        ("def evaluate(text):\n    return nothing", "error"),
        ("def evaluate(text):\n    return memoryview(b'a')", "unsupported"),
        ("def evaluate(text):\n    if text: del text\n    return text", "unsupported"),
        ("def evaluate(text):\n    return later\nif False: later = 1", "unsupported"),
        (
            "def evaluate(text):\n    try:\n        return re\n    except NameError:\n        return 1",
            "unsupported",
        ),
    ],
)
def test_a_forgotten_import_is_an_error_in_both(code: str, ending: str) -> None:
    assert _monty(code, ["a"]) == [ending]


# Iterators are lists in Monty, numbers round otherwise, and a program is the main one.
DIFFERENT = {
    "any stops": ("return any(int(w) > 3 for w in text.split())", ["5 apples", "1 2"]),
    "any stops in a try": (
        "try:\n    return any(int(w) > 3 for w in text.split())\nexcept ValueError:\n    return False",
        ["5 apples", "1 2"],
    ),
    "a function that stops": (
        "def big():\n    return any(int(w) > 3 for w in text.split())\n"
        "try:\n    return big()\nexcept ValueError:\n    return False",
        ["5 apples"],
    ),
    "a generator is true": ("found = (w for w in text.split())\nreturn not found", ["a", ""]),
    "matches are true": ("import re\nreturn bool(re.finditer('a', text))", ["a", "b"]),
    "used up": (
        "sizes = map(len, text.split())\nreturn max(sizes) < 9 and sum(sizes) > 3",
        ["ab cd"],
    ),
    "pairs": (
        "pairs = zip(text, text[1:])\nreturn len(list(pairs)) > 1 and all(a != b for a, b in pairs)",
        ["aab"],
    ),
    "length": ("return len(w for w in text)", ["a"]),
    "endless": ("import itertools\nreturn any(i > 5 for i in itertools.count())", ["a"]),
    "chain": (
        "from itertools import chain\nboth = chain(text, text)\nreturn bool(both)",
        ["", "a"],
    ),
    "round": ("return [round(x, 2) for x in (2.675, 5.565, 1.005, 2.5)]", ["a"]),
    "round halves": ("return [round(0.5), round(1.5), round(2.15, 1), round(7, 2)]", ["a"]),
    "mean": ("import statistics\nreturn statistics.mean([0.1, 0.1, 0.1]) == 0.1", ["a"]),
    "variance": ("import statistics\nreturn statistics.variance([1, 2, 3])", ["a"]),
    "truth of an object": (
        "class V:\n    def __bool__(self):\n        return False\nreturn bool(V())",
        ["a"],
    ),
    "identity": ("return len(text) is 3", ["abc"]),
    "maketrans": ("return text.translate(str.maketrans('ab', 'c'))", ["ab"]),
    "default table": (
        "from collections import defaultdict\nreturn text.translate(defaultdict(lambda: 'x'))",
        ["ab"],
    ),
    "count below 0": ("import re\nreturn re.sub('a', 'b', text, -1)", ["aa"]),
    "bad template": ("import re\nreturn re.sub('z', r'\\q', text)", ["aa"]),
    "flags": ("import re\nreturn re.compile('a').flags", ["a"]),
    "half a surrogate": ("return len('\\ud83d')", ["a"]),
    "debug": ("import re\nreturn bool(re.search('a', text, 128))", ["a"]),
    "many patterns": (
        "import re\nreturn all(re.findall(r'\\b' + re.escape(w) + r'\\b', text) for w in text.split())",
        [" ".join(f"w{n}" for n in range(300))],
    ),
    "early and sound": ("return all(w[0].isupper() for w in text.split())", ["A B", "a B", ""]),
    "iterators that are consumed": (
        "words = list(map(str.lower, text.split()))\nfirst, second = zip('ab', 'cd')\n"
        "return [words, sorted(reversed(words)), ' '.join(w for w in words), dict(enumerate(words)), "
        "max(len(w) for w in words), [*filter(None, words)], list(first)]",
        ["A b"],
    ),
}


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("name", DIFFERENT)
def test_what_monty_does_otherwise_is_unsupported(name: str) -> None:
    body, texts = DIFFERENT[name]
    code = "def evaluate(text):\n    " + body.replace("\n", "\n    ")

    async def run() -> tuple[list[CallResult], list[CallResult]]:
        calls = [Call("evaluate", [text]) for text in texts]
        sandbox = MontySandbox(1)
        results = await sandbox.run(code, calls)
        sandbox.close()
        async with open_sandbox("none", allow_unsandboxed=True) as python:
            return results, await python.run(code, calls)

    for result, python in zip(*asyncio.run(run()), strict=True):
        assert result.ending == "unsupported" or _same(result, python), (result, python)


@pytest.mark.parametrize(
    "name", ["early and sound", "iterators that are consumed", "round", "flags"]
)
def test_common_forms_stay_supported(name: str) -> None:
    body, texts = DIFFERENT[name]
    assert "unsupported" not in _monty(
        "def evaluate(text):\n    " + body.replace("\n", "\n    "), texts
    )


def test_a_main_block_is_not_run() -> None:
    code = "def evaluate(text):\n    return 'a' in text\nif __name__ == '__main__':\n    assert evaluate('b')"
    assert _monty(code, ["a"]) == [True]


def test_a_dead_session_ends_its_calls() -> None:
    code = "def evaluate(text):\n    return len(('a ' * 10**8).split()) > 1"
    assert _monty(code, ["a", "b"]) == ["memory", "memory"]


def test_the_parser_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    _monty(
        "import re\ndef evaluate(text):\n    return bool(re.search('go+d', text, 128))", ["good"]
    )
    assert capfd.readouterr().out == ""
