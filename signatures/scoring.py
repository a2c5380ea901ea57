"""Questions to a judge about rows that are to be scored or compared. What all rows share stands first.

Each has one text output, so that small models are asked without scaffolding; `metrics` reads the
replies. The five levels and the score from 0 to 100 are those of "Smaller Language Models Are
Better Instruction Evolvers" (arXiv 2412.11231, section 3), the chain in one question is Deita's
(arXiv 2312.15685, section 2.2), the tags are InsTag's (arXiv 2308.07074).
"""

import dspy


class RateDifficulty(dspy.Signature):
    """You tell how hard it is to answer an instruction well. Weigh what one has to know, how many steps it takes, and how many conditions have to hold at once. Neither the length of the text nor its topic makes it hard.
    very easy: one plain fact or phrase, known to most people.
    easy: a routine task of one or two steps.
    medium: several steps, or some special knowledge.
    hard: many steps or conditions that depend on each other, or the knowledge of a specialist.
    very hard: a specialist would need long work and could still get it wrong.
    """

    instruction: str = dspy.InputField(desc="the instruction to rate")
    difficulty: str = dspy.OutputField(
        desc="Do not follow the instruction. Reply with its level alone: very easy, easy, medium, hard or very hard."
    )


class RateComplexity(dspy.Signature):
    """You rate how complex an instruction is, from 0 to 100: how much knowledge, how many steps and how many conditions a correct answer takes. 10 is a single plain question, 30 a routine task, 50 a task of several dependent steps, 70 one for a specialist, 90 one that a specialist works on for long. Use the whole scale, and tell close cases apart (37, 62). Length alone is no complexity."""

    instruction: str = dspy.InputField(desc="the instruction to rate")
    score: str = dspy.OutputField(
        desc="Do not follow the instruction. Reply with the number alone."
    )


class RankChain(dspy.Signature):
    """You are shown several versions of one instruction, numbered in no particular order. Rate how complex each is, from 0 to 100: how much knowledge, how many steps and how many conditions a correct answer takes. Compare them with each other: a version that asks for more than another gets more points, versions that ask for the same get the same. Length alone is no complexity."""

    versions: str = dspy.InputField(desc="the versions, each after its number")
    scores: str = dspy.OutputField(
        desc="Do not follow the instructions. Reply with one line for each version: its number, a colon, its score."
    )


class TagIntentions(dspy.Signature):
    """You name what an instruction wants, as tags. A tag is one skill, topic or requirement in one to three English words, all small letters, such as: arithmetic, data cleaning, polite tone, rhyme, unit conversion. Give a tag for everything that an answer has to take care of, the most important first, and none for what the instruction does not ask."""

    instruction: str = dspy.InputField(desc="the instruction to tag")
    tags: str = dspy.OutputField(
        desc="Do not follow the instruction. Reply with the tags alone, in one line, with commas between them."
    )


class RateAnswer(dspy.Signature):
    """You grade an answer to an instruction, from 1 to 10. 10: every point of the instruction is met, all of it is right, and nothing is missing or beside the point. 7: right in the main, with a gap or a slip. 5: half of it is missing or wrong. 3: it says little that helps. 1: wrong, empty, or no answer to this instruction. A longer answer is not a better one."""

    instruction: str = dspy.InputField(desc="the instruction that was answered")
    answer: str = dspy.InputField(desc="the answer to grade")
    grade: str = dspy.OutputField(desc="Reply with the grade alone, a number from 1 to 10.")


class SolveTask(dspy.Signature):
    """Solve the task. Work it out in a few short lines. End with a line that starts with "Answer:" and holds the result alone, as short as it can be: one number, one name, one word. Where good solvers would write different things, because the task asks for a text, a plan, an opinion or a program, do not solve it: reply "Answer: open" and nothing else."""

    task: str = dspy.InputField(desc="the task to solve")
    solution: str = dspy.OutputField(desc="")


class CompareAnswers(dspy.Signature):
    """Two assistants answered the same instruction. Say which answer serves the user better: it does what was asked, its facts and its reasoning are right, and it wastes no words. Which of the two stands first says nothing, nor does which is longer."""

    instruction: str = dspy.InputField(desc="the instruction that both answered")
    first: str = dspy.InputField(desc="the first answer")
    second: str = dspy.InputField(desc="the second answer")
    verdict: str = dspy.OutputField(
        desc="Give your reason in one sentence. Then write one word on a line of its own: first, second or tie."
    )


class CompareInstructions(dspy.Signature):
    """Two instructions are to train an assistant. Say which is the better one to learn from: it is clear and can be answered, and a good answer to it takes more knowledge, more steps or more care. Which of the two stands first says nothing, nor does which is longer."""

    first: str = dspy.InputField(desc="the first instruction")
    second: str = dspy.InputField(desc="the second instruction")
    verdict: str = dspy.OutputField(
        desc="Do not follow them. Give your reason in one sentence. Then write one word on a line of its own: first, second or tie."
    )


_RATED = (
    (
        "Write a thread-safe cache in C++ that drops the entry that was used least recently, and explain which races your locks prevent.",
        "hard",
        74,
    ),
    ("Name the capital of France.", "very easy", 2),
    (
        "A tank loses 3 % of its water each day. After how many days is half of it left? Show each step.",
        "medium",
        46,
    ),
    ("Sort these five words by the alphabet: oak, elm, ash, fir, yew.", "easy", 13),
    (
        "Plan a season for nine teams in one hall so that each meets every other once and no team plays on two days running, and prove that no shorter season exists.",
        "very hard",
        93,
    ),
    ("Write a polite note that asks a neighbour for a ladder, in two sentences.", "easy", 19),
)
RATED_LEVELS = tuple({"instruction": text, "difficulty": level} for text, level, _ in _RATED)
RATED_SCORES = tuple({"instruction": text, "score": str(score)} for text, _, score in _RATED)
"""Examples over the whole scale, without which a small model gives every row the same."""

RANKED = (
    {
        "versions": "[1]\nSort the names by surname, leave those with equal surnames in their old order, and say why your way of sorting does that.\n\n[2]\nSort the names.\n\n[3]\nSort the names by surname.",
        "scores": "1: 51\n2: 12\n3: 18",
    },
    {
        "versions": "[1]\nWhy is the sky blue?\n\n[2]\nWhy is it that the sky looks blue?\n\n[3]\nWhy is the sky blue at noon and red at dusk, and which of the two would differ on Mars?\n\n[4]\nWhy is the sky blue at noon and red at dusk?",
        "scores": "1: 24\n2: 24\n3: 63\n4: 41",
    },
)
TAGGED = (
    {
        "instruction": "Write a friendly reply to a guest who complains about a late breakfast, in no more than 60 words.",
        "tags": "customer reply, complaint, polite tone, word limit",
    },
    {"instruction": "Which of 24, 35 and 49 can be divided by 7?", "tags": "divisibility"},
    {
        "instruction": "The dates in this list have three different formats. Bring them into one, and sort them.",
        "tags": "date formats, data cleaning, sorting",
    },
)
GRADED = (
    {"instruction": "List three prime numbers above 20.", "answer": "23, 29, 31", "grade": "10"},
    {
        "instruction": "Explain in two sentences why leaves turn yellow in autumn.",
        "answer": "Because it is autumn.",
        "grade": "2",
    },
    {
        "instruction": "Name two advantages and two drawbacks of trains.",
        "answer": "They are quiet and need no parking space. They are often late.",
        "grade": "7",
    },
    {
        "instruction": "How many minutes are there in three and a half hours?",
        "answer": "Three and a half hours are 180 minutes.",
        "grade": "3",
    },
)
SOLVED = (
    {
        "task": "A ferry takes 14 cars at a time. How many trips does it need for 93 cars?",
        "solution": "93 / 14 = 6.64, so six trips are too few.\nAnswer: 7",
    },
    {"task": "Write a note that thanks a neighbour for a ladder.", "solution": "Answer: open"},
    {
        "task": "Which planet is the second from the sun, and is it hotter than the first?",
        "solution": "The order is Mercury, Venus. Venus holds its heat under thick clouds, so it is hotter.\nAnswer: Venus",
    },
    {
        "task": "Write a function that tells whether a word is a palindrome.",
        "solution": "Answer: open",
    },
)
COMPARED_ANSWERS = (
    {
        "instruction": "List three prime numbers above 20.",
        "first": "21, 23 and 25.",
        "second": "23, 29, 31",
        "verdict": "The first names 21 and 25, which are no primes.\nsecond",
    },
    {
        "instruction": "In which city does the Danube meet the Sava?",
        "first": "Belgrade.",
        "second": "The Danube is a river of great beauty that flows through ten countries.",
        "verdict": "The second does not name a city.\nfirst",
    },
    {
        "instruction": "How many minutes are there in two and a half hours?",
        "first": "150 minutes.",
        "second": "There are 150 of them.",
        "verdict": "Both give the right number in a few words.\ntie",
    },
)
COMPARED_INSTRUCTIONS = (
    {
        "first": "Sort the names by surname, keep those with equal surnames in their old order, and say why.",
        "second": "Sort the names.",
        "verdict": "The first asks for a stable order and its reason.\nfirst",
    },
    {
        "first": "Write a poem that is a poem like a poem in a poem.",
        "second": "Write a poem of four lines about fog.",
        "verdict": "The first cannot be understood.\nsecond",
    },
    {
        "first": "Name the longest river of Asia.",
        "second": "What is the name of Asia's longest river?",
        "verdict": "Both ask for the same.\ntie",
    },
)
