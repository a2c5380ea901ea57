"""Sound texts with words that look like failures."""

import pytest

from tests.support.rules_broken import reply_rules_broken, rules_broken

LOOK_ALIKES = [
    pytest.param(
        "How do I bake bread?",
        "I don't have an oven. How do I bake bread that keeps for a week?",
        id="refusal: first-person context",
    ),
    pytest.param(
        "How many eggs do 4 omelettes need?",
        "Let's say an omelette takes 3 eggs and one egg in ten is bad. How many eggs must a cook buy for 4 omelettes?",
        id='"Let\'s say"',
    ),
    pytest.param(
        "Sort a list of numbers in Python.",
        "Here is a list of numbers with duplicates: [4, 1, 4, 9]. Sort the numbers in Python without the built-in sort and keep the index of each duplicate.",
        id='"Here is a list"',
    ),
    pytest.param(
        "I think of a number and add 4 to get 19. What is the number?",
        "The result of tripling a number, adding 4 and halving is 19. What is the number, and what would it be if the halving came first?",
        id='"The result of"',
    ),
    pytest.param(
        "Improve this story: The dog barked and the postman ran away.",
        "Improve this story by adding a twist that nobody expects and a second dog: The dog barked and the postman ran away.",
        id="by adding",
    ),
    pytest.param(
        "Write a function that merges two lists.",
        "Write a function that merges two lists so that the output is sorted and holds no duplicates.",
        id="the output is sorted",
    ),
    pytest.param(
        "A book costs $12. What do 3 books cost?",
        "A book costs $12. If the total is over $30, the shop takes off 10%, and shipping costs $4. What do 3 books cost?",
        id="if the total is",
    ),
    pytest.param(
        "Write a program that finds the two largest numbers.",
        "Write a program that finds the two largest numbers in one pass.\nInput: a list of integers on one line\nOutput: the two numbers and their indices",
        id="Output: as format",
    ),
    pytest.param(
        "Write a Python function that adds two numbers.",
        "Write a Python function that adds two numbers.\nReturn None whenever one of them is negative, and log a warning with the offending value.",
        id="line starts with Return",
    ),
    pytest.param(
        "Write a 300 word essay in 5 paragraphs about dogs.",
        "Write a 300 word essay in 5 paragraphs about dogs from the view of a tired postman.",
        id="same_sum on an essay",
    ),
    pytest.param(
        "Write a poem about a cat.",
        "Write a poem about a cat. The cat is blind, lives in a lighthouse, and never hears its own name.",
        id="declarative condition (_explanation)",
    ),
    pytest.param(
        "Write a slogan for a bakery.",
        "Write a slogan for a bakery in ten to twenty words that rhymes and names a season.",
        id="ten to twenty words",
    ),
    pytest.param(
        "How many solutions does x^2 + 3x + 5 = 0 have?",
        "Show how many real solutions x^2 + 3x + 5 = 0 has without solving it, and for which constant in place of 5 there would be exactly one.",
        id="without solving it",
    ),
    pytest.param(
        "Explain how a fridge works.",
        "Briefly explain to a plumber how a fridge works and which part fails first in hot kitchens.",
        id="adverb first",
    ),
    pytest.param(
        "List five fruits.",
        "Make a table of five fruits with the vitamin that each is richest in.",
        id="Make a table",
    ),
    pytest.param(
        "Describe the moon.",
        "In fewer than 50 words describe the moon as a smuggler would see it.",
        id="no comma",
    ),
    pytest.param(
        "What are some facts about owls?",
        "Can you write a rhyming riddle whose solution is an owl, from facts about owls?",
        id="Can you write",
    ),
    pytest.param(
        "capital of peru",
        "which city was the capital of peru before lima, and why was it moved",
        id="without ? question",
    ),
    pytest.param("Solve x^2 - 5x + 6 = 0.", "Solve x^2 - 5x + 6 < 0.", id="operator"),
    pytest.param("Who wrote Hamlet?", "Who wrote Hamlet, and when?", id="second question"),
    pytest.param(
        'Find the bug:\nprint("Enter a number between 1 and 10")\nx = input()\nprint("Enter a number between 1 and 10")\ny = input()\nprint(x + y)',
        'Find the bug and make it cope with letters:\nprint("Enter a number between 1 and 10")\nx = input()\nprint("Enter a number between 1 and 10")\ny = input()\nprint(x + y)',
        id="source repeats a line",
    ),
    pytest.param(
        "Give 3 tips for sleep.", "Give five tips for sleep on night trains.", id="3 -> five"
    ),
    pytest.param(
        "There are 20 students and 5 are ill. How many are at school?",
        "There are twenty students; 5 are ill and twice as many are on a trip. How many are at school?",
        id="twenty",
    ),
    pytest.param(
        "Question: Which country won the world cup in 2010?",
        "Which nations reached the final in 2010, who took the cup, and in which minute did the deciding goal fall?",
        id="Question: lead",
    ),
    pytest.param(
        "Solve 3x + 5 = 9.",
        "Solve 3x + 5 - 2 = 9 - x and check the root by substitution.",
        id="equation",
    ),
    pytest.param(
        "Pens cost $2 and pads $3. Lea buys 4 of each. What is the total cost?",
        "Pens cost $2 and pads $3. Lea buys 4 of each, with 10% off the pads. The total cost is shared with her brother 3 to 1. How much does she pay?",
        id="total cost stated",
    ),
    pytest.param(
        "Write a function to find the maximum of a list.",
        "Write a function to find the maximum of a list, use recursion, and count the comparisons.",
        id="to find, use",
    ),
    pytest.param(
        "Design a database for a library.",
        "Design a database for a library with the following requirements:\n1. Members can borrow up to five books at the same time and must return each of them within four weeks\n2. Every book may have several authors and several copies, each of which has its own condition and shelf\n3. Fines grow by ten cents a day and are never larger than the price of the book itself\n4. Staff can see which member has borrowed which copy at any time in the past two years",
        id="numbered list long w/o stop",
    ),
    pytest.param(
        "Discuss zoos.",
        "Argue against zoos in the voice of a zoo director who changes her mind halfway through.",
        id="Argue",
    ),
    pytest.param(
        "best city for students",
        "best city for a student of music who needs somewhere cheap to live in",
        id="stops in a preposition",
    ),
    pytest.param(
        "조선의 과거 제도를 설명하시오.",
        "조선의 과거 제도와 중국의 과거 제도의 차이를 사회 이동의 관점에서 논하시오.",
        id="논하시오",
    ),
    pytest.param(
        "광합성을 설명하시오.", "광합성의 명반응과 암반응을 비교하여 서술할 것.", id="서술할 것"
    ),
    pytest.param(
        "파이썬과 자바의 차이가 무엇인가요?",
        "파이썬과 자바의 차이가 궁금합니다. 특히 메모리 관리와 실행 속도 면에서 알고 싶습니다.",
        id="궁금합니다",
    ),
    pytest.param(
        "운동의 좋은 점",
        "고령자가 물속에서 하는 운동의 좋은 점과 부작용, 그리고 심장에 미치는 효과",
        id="topic ends 효과",
    ),
    pytest.param(
        "두 수의 합을 구하는 함수를 작성하라.",
        "두 수의 합을 구하는 함수를 재귀로, 덧셈 기호 없이 만들어라.",
        id="써라/만들어라",
    ),
    pytest.param(
        "다음 리눅스 명령어를 설명해줘: ls -al",
        "주어진 명령어의 옵션을 하나씩 설명하고 숨김 파일만 보이도록 바꿔줘: ls -al",
        id="given command",
    ),
    pytest.param(
        "사과 3개와 배 2개가 있다. 과일은 모두 몇 개인가?",
        "사과 세 개와 배 두 개가 있고 귤은 사과의 두 배이다. 과일은 모두 몇 개인가?",
        id="열/세 numerals",
    ),
    pytest.param(
        "두 수의 최대공약수를 구하는 프로그램을 작성하시오.",
        "두 수의 최대공약수와 최소공배수를 구하는 프로그램을 작성하시오.\n입력: 공백으로 나뉜 두 자연수\n출력: 두 값을 한 줄에",
        id="출력:",
    ),
]
"""A rule that matched single words would call these a leak, a reply, a copy or a loss."""


@pytest.mark.parametrize(("source", "text"), LOOK_ALIKES)
def test_a_look_alike_breaks_no_rule(source: str, text: str) -> None:
    assert rules_broken(source, text) == []


SOUND_REPLIES = [
    pytest.param(
        "Write a villanelle about night in a harbour.",
        "The harbour keeps its lamps alight till dawn,\nI count the boats.\nThe harbour keeps its lamps alight till dawn,\nand nobody answers.\nThe harbour keeps its lamps alight till dawn.",
        id="villanelle",
    ),
    pytest.param(
        "Write a four line poem about regret in the voice of a clockmaker.",
        "I cannot turn the hands I made,\nthough every wheel is mine;\nthe hour I struck, the hour I stayed,\nhave both run out of time.",
        id="I cannot",
    ),
    pytest.param(
        "Which of these are primes, and how many factors has each: 4, 6, 9?",
        "None. They have 3, 4 and 3 factors.",
        id="None",
    ),
    pytest.param("Is 91 prime, and is 97 too?", "No", id="No"),
    pytest.param("Is 97 prime and is it the largest prime below 100?", "Yes.", id="Yes"),
    pytest.param(
        "Name the island that holds Wales, England and most of Scotland.",
        "Great Britain",
        id="Great Britain",
    ),
    pytest.param(
        'Make this more polite and mention Friday: "Give me the file."',
        "Could you please give me the file by Friday?",
        id="polite sentence",
    ),
    pytest.param(
        "Correct the spelling and put the verbs into the present tense.\n\nThe old lighthouse stood on teh cliff above the village, and every evening its keeper walked up the stairs with a lamp in one hand and a book in the other.",
        "The old lighthouse stands on the cliff above the village, and every evening its keeper walks up the stairs with a lamp in one hand and a book in the other.",
        id="edit of a passage",
    ),
    pytest.param(
        "CSS for a centred box with a shadow that grows on hover",
        ".box { margin: 0 auto; width: 20rem; }\n.box:hover { box-shadow: 0 4px 12px #888; }",
        id="css",
    ),
    pytest.param(
        "SQL for all users with more than two orders, newest first",
        "select u.* from users u join orders o on o.user_id = u.id group by u.id having count(*) > 2",
        id="lower-case sql",
    ),
    pytest.param(
        "Write XML for a person with two addresses, one of them abroad.",
        '<user>\n  <name>Ida</name>\n  <address country="NO">Oslo</address>\n  <address country="DK">Ribe</address>\n</user>',
        id="xml user",
    ),
    pytest.param(
        "Write Python code that calls an API, retries twice, and prints the reply.",
        'import requests\nfor _ in range(3):\n    response = requests.get(URL)\n    if response.ok:\n        break\nprint(f"Got: {response}")',
        id="f-string response",
    ),
    pytest.param(
        "Write SQL that fills a table of nine cities, one statement each.",
        "INSERT INTO cities (name, country) VALUES ('Rome', 'X');\nINSERT INTO cities (name, country) VALUES ('Bonn', 'X');\nINSERT INTO cities (name, country) VALUES ('Lyon', 'X');\nINSERT INTO cities (name, country) VALUES ('Graz', 'X');\nINSERT INTO cities (name, country) VALUES ('Bern', 'X');\nINSERT INTO cities (name, country) VALUES ('Oslo', 'X');\nINSERT INTO cities (name, country) VALUES ('Riga', 'X');\nINSERT INTO cities (name, country) VALUES ('Kyiv', 'X');\nINSERT INTO cities (name, country) VALUES ('Cork', 'X');",
        id="sql inserts",
    ),
    pytest.param(
        "Give two Dutch proverbs about rain, in the original.",
        "Na regen komt zonneschijn. Als het regent in september, valt kerstmis in december.",
        id="dutch proverbs",
    ),
    pytest.param(
        "What is a kanji, and which one stands for mountain and which for river?",
        "A kanji is a character of the Japanese script; 山 is mountain and 川 is river.",
        id="kanji",
    ),
    pytest.param(
        "풍차와 튤립으로 유명하고 국토의 4분의 1이 해수면보다 낮은 나라는?",
        "네덜란드입니다.",
        id="네덜란드",
    ),
    pytest.param(
        "대한민국과 조선을 각각 한자로 쓰시오.", "대한민국은 大韓民國, 조선은 朝鮮이다.", id="한자"
    ),
    pytest.param(
        "이름과 이메일을 받는 HTML 폼을 만들어줘. 이름은 필수여야 해.",
        '<form method="post">\n  <label>Name <input name="name" required></label>\n  <label>Email <input name="email" type="email"></label>\n  <button>Send</button>\n</form>',
        id="html ko",
    ),
    pytest.param(
        "하위 폴더까지 포함해 로그에서 에러를 찾아 파일별로 세는 명령어 알려줘",
        "grep -rc --include=app.log ERROR logs | sort -t: -k2 -n",
        id="shell ko",
    ),
    pytest.param(
        "약속을 두 번 어긴 친구에게 사과하는 글을 반말로 세 문장 써줘",
        "미안해, 지우야. 두 번이나 너를 기다리게 한 건 내 잘못이야. 이번 주말에는 내가 먼저 가서 기다릴게.",
        id="apology ko",
    ),
    pytest.param(
        "순서를 지키며 중복을 제거하는 함수를 작성해줘",
        "def unique(items):\n    return list(dict.fromkeys(item for item in items if item))",
        id="code ko 하라",
    ),
    pytest.param(
        "국가의 1년 수입과 지출 계획을 무엇이라 하며, 이를 확정하는 기관은 어디인가요?",
        "예산이라 하며 국회가 확정합니다.",
        id='"예" noun',
    ),
]


@pytest.mark.parametrize(("prompt", "response"), SOUND_REPLIES)
def test_a_sound_reply_breaks_no_rule(prompt: str, response: str) -> None:
    assert reply_rules_broken(prompt, response) == []
