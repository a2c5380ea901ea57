"""Detectors of form, for both stages: missing, cut off, looping, garbled or bloated text."""

import re
import sys
from collections import Counter
from collections.abc import Sequence

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.code import CODE_MARKS, answers_in_code
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import normal_form, prose, sentences, tokens, words

_CHAT_TOKEN = re.compile(
    r"<\|[a-z0-9_ ]{2,40}\|>|<｜[^｜<>]{2,40}｜>|<(?:start|end)_of_turn>|<turn\|>|<\|turn>"
    r"|</?think>|\[/?(?:INST|THINK)\]",
    re.IGNORECASE,
)
_RESIDUE = re.compile(
    rf"\[\[\s*##|##\s*\]\]|\{{(?:evolved_instruction|instruction|thinking)\}}|{_CHAT_TOKEN.pattern}",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s*")
_SHORT_SENTENCE = 5
"""Words up to which a sentence may occur twice as often."""
_REPLACEMENT = "\ufffd"
_CHARACTER_RUN = 20
# Rules, dotted lines and numbers repeat their characters on purpose.
_SAME_CHARACTER = re.compile(rf"([^\s\d=_.*~#+-])\1{{{_CHARACTER_RUN - 1}}}")
_ENDS = tuple(".!?。？！।॥۔؟:;)]}>\"'”’」』»`*|")


def unparsed(case: Case) -> str | None:
    """The reply contains no evolved instruction."""
    return (case.problem or f"reply: {case.raw[:80]!r}") if case.evolved is None else None


def empty(case: Case) -> str | None:
    """The stage's text is empty or white space."""
    text = case.evolved if case.response is None else case.response
    is_empty = text is not None and not text.strip()
    return (case.problem or "empty text") if is_empty else None


def truncated(case: Case, *, long_words: int = 60) -> str | None:
    """The reply hit its token limit, or the rewrite visibly stops in the middle.

    Args:
        case: A response is judged by its finish reason alone.
        long_words: A rewrite of more words that ends without a closing mark is cut off.
    """
    if case.truncated:
        return f"cut at {case.tokens_out or 'the'} tokens"
    # A source that needs a continuation itself excuses its rewrite.
    if case.response is not None or _is_open(case.source):
        return None
    # So does one without a full stop: its author writes none.
    needs_stop = case.source.rstrip().endswith(_ENDS)
    return unfinished(case.after, long_words=long_words if needs_stop else sys.maxsize)


def unfinished(text: str, *, long_words: int = 60) -> str | None:
    """Return the end of a text that visibly stops in the middle; None: it shows no sign of that.

    Args:
        text: An instruction or a response.
        long_words: A text of more words that ends without a closing mark is cut off.
    """
    text = text.rstrip()
    last_line = text.rsplit("\n", 1)[-1]
    is_whole = not text or text.endswith(_ENDS) or _LIST_MARK.match(last_line)
    stops = len(words(text)) > long_words and not is_whole
    return f"stops at {excerpt(text[-40:])!r}" if stops or _is_open(text) else None


def _is_open(text: str) -> bool:
    """Tell whether a text ends in a word or mark that needs a continuation."""
    language = language_of(text)
    return bool(language and language.open_end.search(_last_word(text.rstrip())))


def _last_word(text: str) -> str:
    return f" {(text.rsplit(None, 1) or [''])[-1]}"


def malformed_code(case: Case) -> str | None:
    """A code fence is opened and not closed."""
    return "unclosed ```" if (case.evolved or "").count("```") % 2 else None


def field_residue(case: Case) -> str | None:
    """The text contains a field marker, a chat token or an unfilled slot of the prompt."""
    marks = (match.group(0) for match in _RESIDUE.finditer(case.after))
    return next((mark for mark in marks if not _is_subject(mark, case)), None)


def chat_token_in(text: str) -> str | None:
    """Return the first token of a chat template in a text; None: it holds none."""
    match = _CHAT_TOKEN.search(text)
    return match.group(0) if match else None


def _is_subject(mark: str, case: Case) -> bool:
    """Tell whether a text speaks about a mark: the other text names it, or it stands in quotes."""
    before = case.before.casefold()
    is_quoted = re.search(rf"[`'\"“‘(]{re.escape(mark)}[`'\"”’)]", case.after) is not None
    if not _CHAT_TOKEN.fullmatch(mark):
        return mark.casefold() in before or is_quoted
    # A text about one token of a template may go on to its others.
    name = re.sub(r"\W", "", mark).casefold()
    return (
        is_quoted or bool(_CHAT_TOKEN.search(before)) or name in re.sub(r"\W", " ", before).split()
    )


def repeated(case: Case, *, run: int = 6, times: int = 3, response_times: int = 4) -> str | None:
    """The text loops: it repeats a run of words, a sentence or a character.

    Args:
        case: Fenced code is left out: code may repeat itself.
        run: Words of a run.
        times: A run that occurs this often in a rewrite is a loop, unless the source has it too.
        response_times: The same for a response, where items of a list may begin alike.
    """
    text = prose(case.after)
    limit = times if case.response is None else response_times
    loop = (
        _same_character(text, case.before)
        or _same_run(case, run, limit)
        or _same_sentences(text, case.before, least=2 if case.response is None else limit)
    )
    return None if loop and _may_repeat(case) else loop


def garbled(case: Case) -> str | None:
    """The text contains U+FFFD, the mark of a lost character."""
    is_garbled = _REPLACEMENT in case.after and _REPLACEMENT not in case.before
    return "U+FFFD" if is_garbled else None


def bloated(case: Case, *, times: float = 6.0, spare_words: int = 150) -> str | None:
    """The rewrite is far longer than its source.

    Args:
        case: The paper's budget is 10 to 20 added words; real methods exceed it in most rows.
        times: Allowed length, in lengths of the source.
        spare_words: Words beyond the source's that are always allowed.
    """
    before, after = len(tokens(case.source)), len(tokens(case.evolved or ""))
    is_over = after > max(times * before, before + spare_words)
    return f"{before} words became {after}" if is_over else None


def _same_character(text: str, before: str) -> str | None:
    # A search with a back reference at every character is slow; most texts have no long word.
    if max(map(len, text.split()), default=0) < _CHARACTER_RUN:
        return None
    match = _SAME_CHARACTER.search(text)
    return f"{match.group(0)[:10]!r}…" if match and match.group(0) not in before else None


def _same_run(case: Case, run: int, times: int) -> str | None:
    """Return a run of words that the text repeats, or a run half as long, twice as often."""
    # A response may repeat what its prompt says once (a worked solution does), a rewrite what its
    # source says twice; neither may do so without end.
    needed_before = 1 if case.response is not None else 2
    tokens = words(prose(case.after))
    if len(tokens) < run + times - 1:
        return None
    stretches = _stretches(tokens, times)
    # A loop of few words comes round more often.
    for size, limit in ((run, times), (run // 2, 2 * times)):
        commonest = _commonest_run(stretches, size)
        if not commonest or commonest[1] < limit:
            continue
        phrase, count = commonest
        earlier = normal_form(case.before).count(phrase)
        # A text that came with the source may repeat itself in the rewrite as often as there.
        most = 1.5 * limit if case.response is not None else max(1.5 * limit, earlier + 2)
        if earlier < needed_before or count > most:
            return f"{count} times {phrase!r}"
    return None


def _same_sentences(text: str, before: str, *, least: int) -> str | None:
    """Return a sentence that occurs `least` times, a short one that occurs twice as often."""
    parts = sentences(text)
    if len(parts) < least:
        return None
    counts = Counter(map(_bare, parts))
    # Most texts repeat no sentence: they are spared the count of the other text.
    if max(counts.values()) < least:
        return None
    counts_before = Counter(map(_bare, sentences(before)))
    for sentence, count in counts.items():
        length = len(words(sentence))
        limit = least if length > _SHORT_SENTENCE else 2 * least
        if length > 2 and count >= limit and counts_before[sentence] < 2:
            return f"{count} times {excerpt(sentence)!r}"
    return None


def _bare(sentence: str) -> str:
    """Return a sentence without its list mark and closing marks, for comparison with others."""
    return _LIST_MARK.sub("", sentence).strip(" *_.!?:;\"'").casefold()


def _commonest_run(stretches: Sequence[Sequence[str]], size: int) -> tuple[str, int] | None:
    runs = Counter(
        tuple(stretch[i : i + size])
        for stretch in stretches
        for i in range(len(stretch) - size + 1)
    )
    if not runs:
        return None
    run, count = runs.most_common(1)[0]
    return " ".join(run), count


def _stretches(tokens: Sequence[str], times: int) -> list[list[str]]:
    """Return the stretches of words that each occur `times` or more: only they can hold a loop."""
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
