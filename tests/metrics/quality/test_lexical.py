"""Lexical variety, counted by hand."""

import zlib

import pytest

from autoevol.metrics.quality.lexical import compression_ratio, distances, distinct, lengths


@pytest.mark.parametrize(
    ("texts", "size", "share"),
    [
        pytest.param(["red red blue"], 1, 2 / 3, id="words"),
        pytest.param(["a b a b"], 2, 2 / 3, id="pairs: ab, ba, ab"),
        pytest.param(["a b", "c d"], 2, 1.0, id="no pair reaches into the next row"),
        pytest.param(["Sum, 수를 더해라", "수를 더해라!"], 2, 2 / 3, id="Korean beside English"),
        pytest.param(["the cat sat"] * 4, 3, 1 / 4, id="all rows equal"),
        pytest.param(["one two"], 2, 1.0, id="one row"),
    ],
)
def test_distinct_n_grams(texts: list[str], size: int, share: float) -> None:
    assert distinct(texts, size) == pytest.approx(share)


@pytest.mark.parametrize("texts", [[], [""], ["two words"]])
def test_too_few_words_have_no_distinct_share(texts: list[str]) -> None:
    assert distinct(texts, 3) is None


def test_an_n_gram_has_a_word() -> None:
    with pytest.raises(ValueError, match="got 0"):
        distinct(["a"], 0)


def test_compression_is_of_all_texts_as_one() -> None:
    texts = ["한 줄", "one line", "한 줄"]
    whole = b"".join(f"{text}\n".encode() for text in texts)
    assert compression_ratio(texts) == len(whole) / len(zlib.compress(whole, 9))


def test_repetition_compresses_better_and_nothing_not_at_all() -> None:
    same = compression_ratio(["write a poem about the sea"] * 50)
    varied = compression_ratio([f"{n * n} stones {n % 7} deep, {n**3} wide" for n in range(50)])
    assert same is not None
    assert varied is not None
    assert same > 5 * varied > 5
    assert compression_ratio([]) is None
    assert compression_ratio(["", ""]) is None


def test_lone_surrogates_do_not_stop_the_count() -> None:
    assert compression_ratio(["\ud800 broken"]) is not None


def test_lengths_are_words() -> None:
    assert lengths(["", "It's 3.5 m", "수를 더해라."]) == [0, 4, 2]


def test_distance_to_the_nearest_neighbour() -> None:
    by_text = distances({"a": "red green", "b": "red blue", "c": "one two"})
    assert by_text == pytest.approx({"a": 1 - 1 / 3, "b": 1 - 1 / 3, "c": 1.0})
    assert distances({"a": "alone"}) == {"a": 1.0}
    assert distances({"a": "the same", "b": "the same"}) == {"a": 0.0, "b": 0.0}
