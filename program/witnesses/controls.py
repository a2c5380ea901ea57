"""Rewrites with a known verdict, which a judge must tell apart before its answers count."""

from typing import NamedTuple


class Control(NamedTuple):
    """An instruction and a rewrite of it with a known verdict."""

    original: str
    rewrite: str
    is_sound: bool


CONTROLS: tuple[Control, ...] = tuple(
    Control(original, rewrite, is_sound)
    for original, sound, broken in (
        (
            "A bus carries 40 people and 12 get off. How many are left?",
            "A bus carries 40 people, 12 get off and 5 get on. At the next stop a third of all get "
            "off. How many are left?",
            "A bus carries 40 people, of whom 55 are children, and 12 get off. How many are left?",
        ),
        (
            "Explain what a volcano is.",
            "Explain what a volcano is, compare two types, and say why only one of them explodes.",
            "A volcano is an opening in the ground through which lava and gas escape.",
        ),
        (
            "Write a function that adds two numbers.",
            "Write a function that adds two numbers given as strings, and rejects letters.",
            "Write a poem about two people who fall in love at a railway station.",
        ),
        (
            "Name three birds.",
            "Name three birds that cannot fly, and for each of them the country it lives in.",
            "Name three birds, such as the penguin, the ostrich and the kiwi.",
        ),
        (
            "사과 20개를 4명에게 나누면 한 명이 몇 개를 받나요?",
            "사과 20개 중 4개를 먹고 남은 것을 4명에게 똑같이 나누면 한 명이 몇 개를 받나요?",
            "사과 20개를 4명에게 나누면 한 명이 5개를 받습니다.",
        ),
        (
            "A rope of 12 m is cut into 4 equal parts. How long is a part?",
            "A rope of 12 m is cut into 4 equal parts, each of which loses 20 cm. How long "
            "is a part then?",
            "A rope of 12 m is cut into 4 equal parts. What is the length of one of the parts?",
        ),
        (
            "건강에 좋은 음식을 알려 주세요.",
            "건강에 좋은 음식 세 가지를 알려 주고, 각각의 효과와 주의할 점을 설명해 주세요.",
            "건강에 좋은 음식의 뜻을 가진 리스트를 곱한 뒤 물을 두 개 더 나누어 주세요.",
        ),
        (
            "Write a story about a lighthouse.",
            "Write a story about a lighthouse in under 200 words, told by the keeper's dog.",
            "Write a story about a lighthouse in exactly 50 words that has at least 400 words.",
        ),
        (
            "Give two reasons to learn to swim.",
            "Give two reasons to learn to swim for somebody over sixty, and answer an objection "
            "to each of them.",
            "Here is a harder version of the instruction, which I have rewritten as you asked.",
        ),
        (
            "이진 탐색을 설명해 주세요.",
            "이진 탐색을 설명하고, 정렬되지 않은 배열에 쓰면 왜 틀리는지 예를 들어 보여 주세요.",
            "김치찌개를 끓이는 방법을 설명해 주세요.",
        ),
    )
    for rewrite, is_sound in ((sound, True), (broken, False))
)
"""Ten instructions in English and Korean, each with a sound and a broken rewrite."""

# With ten controls of each kind a coin passes the first limit once in a hundred times, and a judge
# that flags everything never; one that flags nothing never passes the second.
MOST_FALSE_ALARMS = 1
"""Sound controls that a fit judge may flag."""

LEAST_HITS = 6
"""Broken controls that a fit judge flags."""
