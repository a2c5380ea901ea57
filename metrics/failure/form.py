"""Detectors of form, for both stages: is there a whole, readable text?"""

import re
from collections import Counter
from collections.abc import Sequence

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.code import CODE_MARKS, answers_in_code
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import normal_form, prose, sentences, words

_RESIDUE = re.compile(
    r"\[\[\s*##|##\s*\]\]|\{(?:evolved_instruction|instruction|thinking)\}"
    r"|<\|(?:im_start|im_end|endoftext|assistant|user|system|eot_id)\|>|\[/?INST\]",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s*")
_SHORT_SENTENCE = 5
_REPLACEMENT = "\ufffd"
_CHARACTER_RUN = 20
_SAME_CHARACTER = re.compile(rf"([^\s\d=_.*~#+-])\1{{{_CHARACTER_RUN - 1}}}")
_ENDS = tuple(".!?。？！:;)]}>\"'”’」』`*|")


def unparsed(case: Case) -> str | None:
    """The reply has no evolved instruction in it."""
    return f"reply: {case.raw[:80]!r}" if case.evolved is None else None


def empty(case: Case) -> str | None:
    """The stage's text is empty or white space."""
    text = case.evolved if case.response is None else case.response
    return "empty text" if text is not None and not text.strip() else None


def truncated(case: Case, *, long_words: int = 60) -> str | None:
    """The reply hit its token limit, or the rewrite visibly stops in the middle.

    Args:
        case: A response is judged by its finish reason alone.
        long_words: A rewrite of more words that ends without a mark of an end has stopped.
    """
    if case.truncated:
        return f"cut at {case.tokens_out or 'the'} tokens"
    if case.response is not None or _is_open(case.source):
        return None
    return unfinished(case.after, long_words=long_words)


def unfinished(text: str, *, long_words: int = 60) -> str | None:
    """Return how a text ends that visibly stops in the middle; None: nothing shows that it does.

    Args:
        text: An instruction or an answer.
        long_words: One of more words that ends without a mark of an end has stopped.
    """
    text = text.rstrip()
    last_line = text.rsplit("\n", 1)[-1]
    is_whole = not text or text.endswith(_ENDS) or _LIST_MARK.match(last_line)
    stops = len(words(text)) > long_words and not is_whole
    return f"stops at {excerpt(text[-40:])!r}" if stops or _is_open(text) else None


def _is_open(text: str) -> bool:
    """Tell whether a text ends in a word, or a mark, that something has to follow."""
    language = language_of(text)
    return bool(language and language.open_end.search(_last_word(text.rstrip())))


def _last_word(text: str) -> str:
    return f" {(text.rsplit(None, 1) or [''])[-1]}"


def malformed_code(case: Case) -> str | None:
    """A fence of code is opened and not closed."""
    return "unclosed ```" if (case.evolved or "").count("```") % 2 else None


def field_residue(case: Case) -> str | None:
    """A field marker, a chat token or an unfilled slot of the prompt stands in the text."""
    match = _RESIDUE.search(case.after)
    return match.group(0) if match and match.group(0) not in case.before else None


def repeated(case: Case, *, run: int = 6, times: int = 3, response_times: int = 4) -> str | None:
    """The text loops: a run of words, or a character, stands in it again and again.

    Args:
        case: Code repeats itself with reason, so fenced code is left out.
        run: Words of a run.
        times: A run that stands in a rewrite so often is a loop, unless the source has it too.
        response_times: The same for a response, where a list may begin its items alike.
    """
    text = prose(case.after)
    most = times if case.response is None else response_times
    found = (
        _same_character(text, case.before)
        or _same_run(case, run, most)
        or _same_sentences(text, case.before, least=2 if case.response is None else most)
    )
    return None if found and _may_repeat(case) else found


def garbled(case: Case) -> str | None:
    """Characters were lost on the way."""
    lost = _REPLACEMENT in case.after and _REPLACEMENT not in case.before
    return "U+FFFD" if lost else None


def bloated(case: Case, *, times: float = 6.0, spare_words: int = 150) -> str | None:
    """The rewrite is far longer than its source.

    Args:
        case: The paper's budget is 10 to 20 added words; real methods overrun it in most rows.
        times: Allowed length, in lengths of the source.
        spare_words: Words that are allowed in any case on top of the source's.
    """
    before, after = len(words(case.source)), len(words(case.evolved or ""))
    is_over = after > max(times * before, before + spare_words)
    return f"{before} words became {after}" if is_over else None


def _same_character(text: str, before: str) -> str | None:
    if max(map(len, text.split()), default=0) < _CHARACTER_RUN:
        return None
    match = _SAME_CHARACTER.search(text)
    return f"{match.group(0)[:10]!r}…" if match and match.group(0) not in before else None


def _same_run(case: Case, run: int, most: int) -> str | None:
    """Return a run of words, or half of one twice as often, that the text repeats.

    A worked solution may say often, but not without end, what its prompt says; a rewrite only what
    its source repeats.
    """
    allowed = 1 if case.response is not None else 2
    tokens = words(prose(case.after))
    if len(tokens) < run + most - 1:
        return None
    stretches = _stretches(tokens, most)
    for size, limit in ((run, most), (run // 2, 2 * most)):
        found = _commonest_run(stretches, size)
        if not found or found[1] < limit:
            continue
        if normal_form(case.before).count(found[0]) < allowed or found[1] > 1.5 * limit:
            return f"{found[1]} times {found[0]!r}"
    return None


def _same_sentences(text: str, before: str, *, least: int) -> str | None:
    """Return a sentence that comes back as a whole; `least` grows for short sentences."""
    found = sentences(text)
    if len(found) < least:
        return None
    counts = Counter(map(_bare, found))
    if max(counts.values()) < least:
        return None
    known = Counter(map(_bare, sentences(before)))
    for sentence, count in counts.items():
        length = len(words(sentence))
        most = least if length > _SHORT_SENTENCE else 2 * least
        if length > 2 and count >= most and known[sentence] < 2:
            return f"{count} times {excerpt(sentence)!r}"
    return None


def _bare(sentence: str) -> str:
    """Return a sentence without its list mark and its end, to be compared with others."""
    return _LIST_MARK.sub("", sentence).strip(" *_.!?:;\"'").casefold()


def _commonest_run(stretches: Sequence[Sequence[str]], size: int) -> tuple[str, int] | None:
    runs = Counter(
        tuple(stretch[i : i + size])
        for stretch in stretches
        for i in range(len(stretch) - size + 1)
    )
    if not runs:
        return None
    found, count = runs.most_common(1)[0]
    return " ".join(found), count


def _stretches(tokens: Sequence[str], times: int) -> list[list[str]]:
    """Return the stretches of words that stand in the text so often: loops are made of them."""
    counts = Counter(tokens)
    stretches: list[list[str]] = [[]]
    for token in tokens:
        if counts[token] >= times:
            stretches[-1].append(token)
        elif stretches[-1]:
            stretches.append([])
    return stretches


def _may_repeat(case: Case) -> bool:
    """Tell whether a response is verse, or code outside of fences."""
    language = language_of(case.before)
    if case.response and language and language.verse.search(case.before):
        return True
    return answers_in_code(case) and bool(CODE_MARKS.search(prose(case.after)))
