"""Does a text ask for something? Surface signs of a request, in English and in Korean.

To add a language, add its request endings to `_ASKS`; a text in a script without an entry is
taken to ask.
"""

import re

from metrics.scripts import dominant_script
from metrics.wording import sentences

_IMPERATIVES = """
    add adapt analyse analyze answer arrange assess build calculate categorise categorize
    change check choose cite classify combine compare complete compose compute consider
    construct convert correct count create debug decide define demonstrate derive describe
    design determine develop devise discuss draft draw edit estimate evaluate examine explain
    explore express extend extract fill find fix formulate generate give identify illustrate
    implement improve include interpret introduce invent investigate justify list make mention
    merge model modify name optimise optimize order organise organize outline paraphrase
    perform plan predict prepare present propose prove provide rank read recommend refactor
    reformulate replace report review revise rewrite select separate show simplify simulate
    sketch solve sort specify state suggest summarise summarize support tell think translate
    use using verify write
""".split()

_ASKS = {
    "latin": re.compile(
        r"\?|\bplease\b"
        rf"|(?:^|[.;:,!]\s+|\n|\b(?:then|and|also|first|next|finally|instead|but)\s+)"
        rf"(?:{'|'.join(_IMPERATIVES)})\b",
        re.IGNORECASE,
    ),
    "hangul": re.compile(
        r"[?？]|야 (?:합니다|한다|해요)"
        r"|(?:세요|십시오|시오|주라|하라|해라|봐라|까요|나요|가요|인가|는가|은가|을까|할까|하기|쓰기|줘|보자)"
        r"(?:[.!~\s\"')]|$)"
    ),
}


def asks(text: str) -> bool:
    """Tell whether `text` asks its reader for something (a question or a request)."""
    pattern = _ASKS.get(dominant_script(text) or "latin")
    return pattern is None or bool(pattern.search(text))


def last_statement(text: str) -> str:
    """Return the last sentence of `text`, as evidence for a text that asks for nothing."""
    return (sentences(text) or [text])[-1][:120]
