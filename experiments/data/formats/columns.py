"""Records in columns that a config names, and the keys of other spellings that formats share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from autoevol.experiments.data.formats.rows import (
    Notes,
    ReadOne,
    RowDict,
    new_row,
    with_meta,
)
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns that hold what a row needs; None: the file has no such column."""

    instruction: str = "instruction"
    input: str | None = "input"
    response: str | None = "response"
    id: str | None = "id"
    root: str | None = "root"
    turns: str | None = "turns"
    system: str | None = "system"

    @property
    def sentence(self) -> str:
        """Which column is what, such as `question (instruction), answer (response)`."""
        uses = ("instruction", "input", "response", "system")
        pairs = ((getattr(self, use), use) for use in uses)
        return ", ".join(f"{name} ({use})" for name, use in pairs if name)

    def reader(self) -> ReadOne:
        """Return what turns a record into a row; other columns go to its `meta`."""
        return _ColumnReader(self)


class _ColumnReader:
    """Reads records by the names of their columns.

    Args:
        columns: The names.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        # Once, and not for each of a million records.
        names = (getattr(columns, name) for name in Columns.__slots__)
        self._names: frozenset[str] = frozenset(filter(None, names))
        texts = {"input": columns.input, "response": columns.response, "root": columns.root}
        self._texts = [(key, name) for key, name in texts.items() if name]

    def __call__(self, record: Record, notes: Notes) -> RowDict:
        """Return the row of a record.

        Raises:
            ConfigError: It has no column of instructions, or something else in one.
        """
        columns = self._columns
        identity = record.name(columns.id) if columns.id else None
        record = record.named(identity) if identity else record
        turns = record.texts(columns.turns) if columns.turns else []
        record = self._with_instruction(record, turns)
        row = new_row(record.text(columns.instruction), id=identity or "")
        # Only what is there, for most records of a large set have a key or two.
        for key, name in self._texts:
            if name in record.value:
                row[key] = record.optional_text(name)
        if system := record.optional_text(columns.system) if columns.system else "":
            row["system"] = system
        answers = _add_turns(row, turns, record) if len(turns) > 1 else []
        # A column of that name beside a single turn is one of the user's own.
        return with_meta(row, record, self._names | {"answers"} if answers else self._names)

    def _with_instruction(self, record: Record, turns: list[str]) -> Record:
        """Return a record with a column of instructions, which the first turn is.

        Raises:
            ConfigError: It has neither.
        """
        name = self._columns.instruction
        # A file of conversations need not have a column of instructions.
        if len(turns) > 1 or (turns and name not in record.value):
            return replace(record, value={**record.value, name: turns[0]})
        if name not in record.value:
            raise ConfigError(
                record.place,
                f"has no field {name!r}; set data.fields.instruction to one of "
                f"{', '.join(map(str, record.value))}",
            )
        return record


def _add_turns(row: RowDict, turns: list[str], record: Record) -> list[str]:
    """Give a row its turns, and their answers; return these.

    Raises:
        ConfigError: There are answers, and not one for each turn.
    """
    row["turns"] = turns
    answers = record.texts("answers")
    if answers and len(answers) != len(turns):
        problem = f"must be one for each of the {len(turns)} turns, are {len(answers)}"
        raise record.error("answers", problem)
    if answers:
        row.update(answers=answers, response=answers[0])
    return answers


class KeySpelling:
    """Gives records the keys of a format, where they are spelt as `Output` or ` input`.

    Args:
        own: The format's keys.
    """

    def __init__(self, own: frozenset[str]) -> None:
        self._own = own
        # By the keys of a record: a file has few sets of them, and many records.
        self._names: dict[tuple[str, ...], dict[str, str]] = {}

    def __call__(self, record: Record) -> Record:
        """Return the record with the format's keys; itself where it has them."""
        keys = tuple(record.value)
        if keys not in self._names:
            spelt = {_plain(key): key for key in keys}
            self._names[keys] = {
                spelt[key]: key for key in self._own if key in spelt and key not in record.value
            }
        names = self._names[keys]
        return replace(record, value=renamed(record.value, names)) if names else record


USUAL: Mapping[str, tuple[str, ...]] = {
    "instruction": (
        *"instruction instructions question prompt query problem task text user human".split(),
        "request",
        *"질문 지시 지시문 문제 frage aufgabe anweisung consigne pregunta instrucción".split(),
        *"domanda istruzione pergunta instrução 指令 问题 指示 質問 вопрос инструкция".split(),
        "input",
    ),
    "response": (
        *"response output answer completion solution reply assistant target".split(),
        *"답변 응답 정답 출력 antwort réponse respuesta risposta resposta 回答 答案 ответ".split(),
    ),
    "input": ("input", "context", "passage"),
    "system": ("system", "system_prompt"),
}
"""Names that people give to columns, the likeliest first."""


def usual_columns(record: Record) -> Columns | None:
    """Return the columns of a record by what people call them; None: no instruction is among them.

    A record with one text alone can only mean that one.
    """
    texts = [key for key, value in record.value.items() if isinstance(value, str)]
    # A column that is empty here may hold texts in other rows; a number is none.
    empty = [key for key, value in record.value.items() if value is None]
    spelt = {_plain(key): key for key in (*empty, *texts)}
    names = {
        use: next((spelt[name] for name in usual if name in spelt), None)
        for use, usual in USUAL.items()
    }
    instruction = names["instruction"] or (texts[0] if len(texts) == 1 else None)
    if instruction is None:
        return None
    # `input` and `output` alone are a question and its answer.
    context = None if names["input"] == instruction else names["input"]
    return Columns(instruction, context, names["response"], "id", "root", "turns", names["system"])


_USUAL_NAMES = frozenset(name for names in USUAL.values() for name in names)
_SENTENCE_END = re.compile(r"[.!?。！？…]\s*$")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f]")
_WORD_CHARACTERS = 2  # of a word in scripts without spaces, about
_LONGEST_NAME = 5
"""Words of a column's name; longer ones are questions of a form, or rows."""
_LEAST_SENTENCE = 2
"""Words beyond which a name with a full stop is a sentence, and no abbreviation."""
_LIKE_A_ROW = 0.75
"""A name of so many times the words of its first value is likely to be a row itself."""


def text_among_names(record: Record, instruction: str) -> str | None:
    """Return the name of a column that reads like the text of a row, or None.

    A line with two usual names, such as `question` and `answer`, is a header, however long its
    other names are. With one usual name, the others may be anything but sentences. Without one, the
    name of the instructions is compared with its first value.

    Args:
        record: The first one of its file.
        instruction: The column that is taken for the instructions.
    """
    usual = sum(_plain(str(name)) in _USUAL_NAMES for name in record.value)
    if usual:
        others = [name for name in map(str, record.value) if _plain(name) not in _USUAL_NAMES]
        return next(filter(_is_sentence, others), None) if usual == 1 else None
    value = record.value[instruction]
    return instruction if _reads_like_text(instruction, str(value or "")) else None


def _is_sentence(name: str) -> bool:
    return bool(_SENTENCE_END.search(name)) and _words(name) > _LEAST_SENTENCE


def _reads_like_text(name: str, value: str) -> bool:
    size, usual_size = _words(name), _words(value)
    is_alike = bool(usual_size) and 1 < size >= _LIKE_A_ROW * usual_size
    return is_alike or size > _LONGEST_NAME or _is_sentence(name)


def _words(text: str) -> float:
    """Return about how many words a text has."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub("", text).split()) + unspaced / _WORD_CHARACTERS


def with_plain_keys(record: Record) -> Record:
    """Return a record with its keys in small letters, without space around them."""
    return replace(record, value={_plain(key): value for key, value in record.value.items()})


def renamed(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return an object whose keys have the new names that they are given.

    Another key that has such a name already gets an underscore in front, so that nothing is lost.
    """
    present = {new for old, new in names.items() if old in value}
    others = {f"_{key}" if key in present else key: value[key] for key in value if key not in names}
    return {**others, **{new: value[old] for old, new in names.items() if old in value}}


def _plain(key: object) -> str:
    return str(key).strip().lower()
