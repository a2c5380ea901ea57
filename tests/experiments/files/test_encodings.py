"""Text files in the encodings that people's programs write; nothing is garbled silently."""

from pathlib import Path

import pytest

from autoevol.experiments.files.reading import open_file, read_file
from autoevol.program.errors import ConfigError

WESTERN = "instruction\nWas kostet ein Café Crème für fünf Gäste – und warum?\nNon è più così.\n"
KOREAN = "instruction\n다음 문장을 두 문장으로 나누어 쓰세요.\n1부터 50까지의 합을 구하세요.\n"
RUSSIAN = "instruction\nОбъясните, почему небо голубое.\nНазовите три реки.\n"


@pytest.mark.parametrize(
    ("text", "encoding", "trait"),
    [
        pytest.param(WESTERN, "utf-8", (), id="UTF-8"),
        pytest.param(WESTERN, "utf-8-sig", (), id="UTF-8 with a mark"),
        pytest.param(WESTERN, "utf-16", ("UTF-16",), id="UTF-16"),
        pytest.param(WESTERN, "utf-16-be", ("UTF-16-BE",), id="UTF-16 without a mark"),
        pytest.param(WESTERN, "cp1252", ("CP1252",), id="Western Windows"),
        pytest.param(KOREAN, "cp949", ("CP949",), id="Korean Windows"),
        pytest.param("instruction\nDon’t stop.\n", "cp1252", ("CP1252",), id="one apostrophe"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_a_file_is_read_in_its_encoding(
    tmp_path: Path, suffix: str, text: str, encoding: str, trait: tuple[str, ...]
) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(text.encode(encoding))
    opened = open_file(file)
    values = [record.value["instruction"] for record in read_file(file)]
    lines = text.splitlines()
    assert values == (lines[1:] if suffix == ".csv" else lines)
    assert opened.traits[-len(trait) :] == trait or not trait


@pytest.mark.parametrize("encoding", ["cp1251", "cp932", "gb18030"])
def test_an_encoding_that_is_not_recognised_is_refused_with_the_line(
    tmp_path: Path, encoding: str
) -> None:
    texts = {
        "cp932": "次の文章を三文で要約してください。",
        "gb18030": "请用三句话概括下面的文章内容。",
    }
    file = tmp_path / "a.csv"
    file.write_bytes(f"instruction\n{texts.get(encoding, RUSSIAN)}\n".encode(encoding))
    with pytest.raises(ConfigError, match="save the file as UTF-8") as refused:
        open_file(file)
    assert refused.value.where in (f"{file}:2", f"{file}:3")


def test_a_damaged_line_of_utf_8_is_no_other_encoding(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("Où est la gare ?\nÇa va ?\n".encode() + b"caf\xe9\n")
    with pytest.raises(ConfigError, match="not valid UTF-8") as refused:
        open_file(file)
    assert refused.value.where == f"{file}:3"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Translate into English: 你好", "gbk"),
        ("Translate into English: Москва", "cp1251"),
        ("次の文章を要約: こんにちは", "cp932"),
        ("Sell me a café", "cp850"),
        ("Sell me a café", "mac_roman"),
    ],
)
def test_a_few_letters_of_another_encoding_are_not_guessed(
    tmp_path: Path, text: str, encoding: str
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(text.encode(encoding))
    with pytest.raises(ConfigError, match="not recognised"):
        open_file(file)


def test_utf_32_is_no_utf_16(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("Name a tree.".encode("utf-32"))
    assert [record.value["instruction"] for record in read_file(file)] == ["Name a tree."]
