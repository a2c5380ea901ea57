"""Rewrites by strong models with every operator of the field; none may be called a failure."""

import pytest

from tests.support.rules_broken import rules_broken

SOUND = {
    "constraints": (
        "Write a story about a lost dog.",
        "Write a story about a lost dog in which nobody speaks, the dog is never named, and the last "
        "sentence is a question.",
    ),
    "deepen": (
        "What is photosynthesis?",
        "What is photosynthesis, how do its light and dark reactions depend on each other, and why "
        "does its rate stop rising in very strong light?",
    ),
    "concretize": (
        "How can I save money?",
        "How can a student with a part-time job in a large city save 200 euros a month on rent, food "
        "and transport?",
    ),
    "reasoning": (
        "Tom buys 3 apples for 2 dollars each. How much does he pay?",
        "Tom buys 3 apples for 2 dollars each and twice as many pears for half the price of an apple. "
        "He has a voucher for 10 percent off. How much does he pay, and how much would he save by "
        "leaving out the pears?",
    ),
    "other numbers, more steps": (
        "A tank holds 80 litres and loses 4 litres an hour. When is it empty?",
        "A tank holds 120 litres, loses 6 litres an hour, and is refilled with 15 litres at the end "
        "of every fifth hour. After how many hours is it empty for the first time?",
    ),
    "table as input": (
        "Calculate the average score.",
        "Calculate the average score of each subject and name the pupil who is furthest from it.\n\n"
        "| pupil | maths | art |\n|---|---|---|\n| Ana | 7 | 9 |\n| Ben | 4 | 8 |\n| Cleo | 9 | 3 |",
    ),
    "json as input": (
        "Parse this JSON and print the name.",
        "Parse this JSON, print the name in upper case and the number of tags, and say what happens "
        'when the key "tags" is missing: {"name": "Ada", "tags": ["x", "y"]}',
    ),
    "wrong code as misdirection": (
        "Write a Python function that returns the factorial of n.",
        "Write a Python function that returns the factorial of n for n up to 10,000 without recursion. "
        "The following attempt is wrong for n = 0; explain why before you replace it.\n\n"
        "```python\ndef factorial(n):\n    return n * factorial(n - 1)\n```",
    ),
    "complexity": (
        "Find the two numbers in a list that add up to a target.",
        "Find the two numbers in a list that add up to a target in O(n) time and O(n) space, return "
        "their indices, and handle lists that hold the same number twice.",
    ),
    "numbered requirements": (
        "Create a class for a library.",
        "Create a class for a library that meets these requirements:\n1. Books can be added, lent and "
        "returned.\n2. A book that is lent cannot be lent again.\n3. The class reports which books are "
        "overdue on a given date.",
    ),
    "role": (
        "Explain how vaccines work.",
        "You are a nurse who talks to worried parents. Explain how vaccines work in words that a "
        "ten-year-old understands, and answer the objection that natural immunity is better.",
    ),
    "imperative only": (
        "Summarise the causes of the First World War.",
        "Summarise the causes of the First World War in a table with one row per country, rank them "
        "by weight, and defend the first place of your ranking in three sentences",
    ),
    "situation first": (
        "Write an apology to a customer.",
        "A customer has received the wrong parcel twice and threatens to cancel. Write an apology "
        "that admits the mistake without naming a colleague, offers two remedies, and ends without "
        "the word sorry.",
    ),
    "about refusals": (
        "Why do chatbots refuse some questions?",
        "Why do chatbots refuse some questions with phrases such as \"I'm sorry, but I can't help with "
        'that", and how could they decline without sounding like a machine?',
    ),
    "two questions": (
        "Who painted the Mona Lisa?",
        "Who painted the Mona Lisa, how did it come to France, and which part of its fame is owed to "
        "the theft of 1911?",
    ),
    "statement and task": (
        "Is nuclear power good?",
        "Some states close their nuclear plants while others build new ones. Weigh three arguments on "
        "each side and conclude with the condition under which you would change your mind.",
    ),
    "equation": (
        "Solve 2x + 3 = 11.",
        "Solve 2x + 3 = 11, substitute the result into y = x^2 - 5, and check whether y = 11 holds.",
    ),
    "hint of form": (
        "Write a haiku about rain.",
        "Write a haiku about rain that does not mention water. The output should have exactly three "
        "lines, and the answer must not contain a title.",
    ),
    "Korean constraints": (
        "건강한 식단을 추천해 주세요.",
        "당뇨가 있는 60대를 위한 일주일 식단을 하루 1,800kcal 이내로 짜고, 장보기 목록과 조리 시간이 30분을 "
        "넘지 않는 조리법을 함께 제시해 주세요.",
    ),
    "Korean reasoning": (
        "연필 12자루를 4명에게 나누면 한 명이 몇 자루를 받습니까?",
        "연필 12자루 중 3자루가 부러져 버리고 새로 7자루를 샀습니다. 이것을 4명에게 똑같이 나누면 한 명이 몇 자루를 "
        "받습니까?",
    ),
    "Korean code": (
        "리스트를 정렬하는 함수를 작성하세요.",
        "리스트를 내장 정렬 함수 없이 정렬하는 함수를 작성하고, 시간 복잡도를 설명하며, 빈 리스트와 중복된 값이 있는 "
        "경우의 테스트를 두 개씩 포함하세요.",
    ),
    "Korean comparison": (
        "민주주의란 무엇인가?",
        "민주주의란 무엇이며 직접 민주주의와 대의 민주주의는 어떤 점에서 다른지, 인구 규모가 다른 두 나라의 사례를 들어 "
        "비교하시오.",
    ),
    "Korean plain style": (
        "지구 온난화의 원인을 설명하라.",
        "지구 온난화의 원인을 자연적 요인과 인위적 요인으로 나누어 설명하고, 각각의 비중을 수치와 함께 제시하라.",
    ),
    "Korean request to show": (
        "면접 질문을 알려주세요.",
        "신입 개발자 면접에서 나올 만한 기술 질문 다섯 개와 그 의도를 표로 정리하고, 답변할 때 피해야 할 표현도 알려주세요.",
    ),
}


@pytest.mark.parametrize("operator", SOUND)
def test_a_sound_rewrite_breaks_no_rule(operator: str) -> None:
    source, text = SOUND[operator]
    assert rules_broken(source, text) == []
