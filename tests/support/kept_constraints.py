"""Responses that keep or break each shipped constraint, by construction.

`CASES` has for each kind its options, responses that keep it and responses that break it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Case(NamedTuple):
    options: Mapping[str, Any]
    keeps: Sequence[str]
    breaks: Sequence[str]


def words(count: int, word: str = "word") -> str:
    return " ".join([word] * count)


_KOREAN = "서울은 아름다운 도시입니다."
_TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |"

CASES: dict[str, Case] = {
    "words_at_most": Case(
        {"count": 5}, ["one two", words(5), "한 단어"], ["", words(6), "a\nb c d e f"]
    ),
    "words_at_least": Case({"count": 5}, [words(5), words(9)], ["", words(4), "a b"]),
    "words_between": Case({"least": 3, "most": 5}, [words(3), words(5)], [words(2), words(6), ""]),
    "characters_at_most": Case(
        {"count": 5}, ["abcde", " abc \n", "가나다라마"], ["", "abcdef", "가나다라마바"]
    ),
    "sentences_exactly": Case(
        {"count": 2},
        [
            "Dr. Kim went home. He slept.",
            "Fruit, e.g. apples, is good. Eat it.",
            "Well... it rains. We stay.",
            "1. One.\n2. Two.",
            "one ends. two ends.",
            "One. Two.",
            "One!\nTwo?",
            "좋아요. 그래요!",
            "이것은 책이다。저것은 꽃이다。",
            "It costs 3.5 euros. Good.",
        ],
        ["One.", "One. Two. Three.", "", "No end"],
    ),
    "sentences_at_most": Case({"count": 2}, ["One.", "One. Two."], ["One. Two. Three.", "", "..."]),
    "words_a_sentence": Case(
        {"count": 3},
        ["One two three. Four.", "하나 둘 셋."],
        ["One two three four.", "", "A. b c d e."],
    ),
    "paragraphs_exactly": Case(
        {"count": 2}, ["a\n\nb", "a\nb\n \nc\n"], ["a", "a\nb", "a\n\nb\n\nc", ""]
    ),
    "lines_exactly": Case({"count": 2}, ["a\nb", "a\n\nb\n"], ["a", "a\nb\nc", ""]),
    "includes_all": Case(
        {"words": ["cost", "time"]},
        ["Time is cost.", "cost, time", "COST of time"],
        ["times and costs", "cost alone", ""],
    ),
    "includes_korean": Case(
        {"words": ["먼저", "마지막"]},
        ["먼저 물을 끓이고 마지막으로 넣어요."],
        ["먼저 물을 끓여요.", ""],
    ),
    "excludes_all": Case(
        {"words": ["very", "really"]},
        ["Every day is fine."],
        ["_very_ good", "It is very good.", "REALLY?", ""],
    ),
    "word_times": Case(
        {"word": "because", "count": 2},
        ["_because_ and **because**", "Because of rain, and because of wind."],
        ["because", "because because because", ""],
    ),
    "word_at_least": Case(
        {"word": "also", "count": 2}, ["Also this, also that, also more."], ["also", ""]
    ),
    "starts_with": Case(
        {"text": "In short,"}, ["In short, yes.", "\nIn short, no"], ["in short, a", ""]
    ),
    "ends_with": Case({"text": "THE END"}, ["Well. THE END", "THE END\n"], ["The end", "THE END."]),
    "letter_times": Case({"letter": "k", "count": 3}, ["Kick back", "kkk"], ["kick", "", "book"]),
    "without_letter": Case({"letter": "z"}, ["Nothing here."], ["Zebra", "pizza", ""]),
    "lower_case": Case({}, ["all small.", "é à 1"], ["Not small", "", "123"]),
    "upper_case": Case({}, ["ALL BIG 1"], ["Not BIG", "", "123"]),
    "capital_words_at_most": Case(
        {"count": 1}, ["The NASA is far.", "I am A"], ["NASA and ESA", ""]
    ),
    "no_commas": Case({}, ["No comma here."], ["a, b", "그래, 좋아", "一，二", ""]),
    "no_exclamation": Case({}, ["Calm."], ["Wow!", "好！", ""]),
    "no_digits": Case({}, ["three birds"], ["3 birds", "٣", ""]),
    "numbers_at_least": Case({"count": 2}, ["1 and 2", "3.5 of 1,000"], ["1,000", "one two", ""]),
    "questions_exactly": Case({"count": 1}, ["Why?", "왜？ 그냥."], ["Why? How?", "No.", ""]),
    "quoted": Case(
        {},
        ['"All of it."', "“Yes, all”", "「全部」"],
        ['"Hi," she said. "Bye."', '"Part" only', '"', ""],
    ),
    "placeholders_at_least": Case(
        {"count": 2},
        ["Dear [name], at [place]"],
        ["- [ ] milk\n- [x] tea", "[name]", "[a](b) [c](d)", ""],
    ),
    "parentheses_at_least": Case(
        {"count": 1}, ["a (b)", "가（나）"], ["[a](link)", "a ()", "(open", ""]
    ),
    "bullets_exactly": Case(
        {"count": 2}, ["- a\n- b", "Text\n* a\n  * b"], ["- a", "- a\n- b\n- c", "-a\n-b", ""]
    ),
    "numbered_exactly": Case(
        {"count": 2}, ["1. a\n2. b", "Text:\n1) a\n2) b"], ["1. a", "2. a\n3. b", "1. a\n1. b", ""]
    ),
    "headings_exactly": Case(
        {"count": 2}, ["# A\n\nx\n\n## B", "# A\n```\n# no\n```\n# B"], ["# A", "#A\n#B", ""]
    ),
    "bold_at_least": Case(
        {"count": 2},
        ["**a *b* c** and **d**", "**a** and **b**"],
        ["x**2 + y**2 + z**2", "**a**", "*a* *b*", ""],
    ),
    "no_markdown": Case(
        {},
        ["2024. 5. 3. 행사", "2**3 is 8", "Plain text.\nAnd 2.5 more."],
        ["# A", "- a", "**a**", "1. a", "```", ""],
    ),
    "sections": Case(
        {"divider": "***", "count": 2},
        ["a\n***\nb", "a\nb\n\n ***\nc"],
        ["a", "a\n***", "a***b", ""],
    ),
    "titled": Case({}, ["<<A title>>\ntext"], ["text\n<<late>>", "<<a>> text", "<title>", ""]),
    "postscript": Case(
        {}, ["Text.\n\nP.S. More.", "a\n\nP. S. b"], ["P.S. only", "Text. P.S. no", ""]
    ),
    "table_columns": Case(
        {"count": 2},
        [_TABLE, "See:\n\n" + _TABLE],
        ["| a |\n|---|\n| 1 |", "a | b", "| a | b |", ""],
    ),
    "code_block": Case(
        {"language": "python"},
        [
            "```python\r\nx = 1\r\n```",
            "1. Do\n   ```python\n   x\n   ```",
            "```python\nx = 1\n```",
            "Text\n```python\nx\n```\nmore",
        ],
        ["```\nx\n```", "```python\nx", "```pythonic\nx\n```", ""],
    ),
    "json_keys": Case(
        {"keys": ["a", "b"]},
        ['```JSON\n{"a": 1, "b": 2}\n```', '{"a": 1, "b": []}', '```json\n{"b": 1, "a": 2}\n```'],
        ['{"a": 1}', '{"a": 1, "b": 2, "c": 3}', "a b", "[]", ""],
    ),
    "json_texts": Case(
        {"keys": ["a"]},
        ['{"a": "x"}', '{"a": "x", "more": 1}'],
        ['{"a": ""}', '{"a": 1}', '{"b": "x"}', '"a"', ""],
    ),
    "json_items": Case({"count": 2}, ["[1, 2]", "```\n[1, {}]\n```"], ["[1]", "[1, 2", "{}", ""]),
    "csv_columns": Case(
        {"columns": ["a", "b"]},
        ["a,b\n1,2", "```csv\na, b\n1,2\n3,4\n```"],
        ["a,b", "a,b\n1", "b,a\n1,2", '"a",b\n1,2', ""],
    ),
    "points_alphabetical": Case(
        {},
        [
            "- Tea: a\n- Tea tree: b",
            "- Apple\n- Éclair\n- Fig",
            "- apple\n- Bear\n- cat",
            "1. **a**\n2. b",
        ],
        ["- b\n- a", "- a", "a\nb", ""],
    ),
    "first_words_differ": Case(
        {}, ["One is. Two is.", "가 다. 나 라."], ["The a. The b.", "One.", ""]
    ),
    "sentences_start_with": Case(
        {"letter": "s"},
        ["1. Snow falls.\n2. So what?", "Snow falls. So what?"],
        ["Snow falls. It melts.", "", "..."],
    ),
    "numbers_ascending": Case(
        {},
        ["500, then 1,000, then 2,000", "from -5 to 3", "From 1 to 2.5 to 30", "1. a 5\n2. b 6"],
        ["2 then 1", "3 and 3", "only 1", ""],
    ),
    "no_word_twice_in_a_row": Case(
        {}, ["Version 3.3 says bye-bye", "one two one"], ["The the", "아주 아주 좋다", ""]
    ),
    "repeats_first_sentence": Case(
        {}, ["We rest. It rains. We rest."], ["We rest. We rest.", "We rest. It rains.", ""]
    ),
    "in_korean": Case(
        {"script": "hangul", "share": 0.9},
        ["서울", _KOREAN, "서울 2024"],
        ["Seoul", "서울 is a city", "", "1"],
    ),
    "without_latin": Case({"script": "latin"}, [_KOREAN], ["서울 city", "é", ""]),
    "korean_endings": Case(
        {"style": "polite"},
        ["좋아요. 그렇죠?", "가요\n와요."],
        ["좋아요. This is English.", "좋습니다.", "좋아요. 간다.", "fine", ""],
    ),
}
