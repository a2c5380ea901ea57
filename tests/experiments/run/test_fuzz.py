"""Twenty of the drawn runs of `make fuzz`: faults and kills change nothing about what comes out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.server_process import ServerProcess, serving
from tests.support.fuzz import fuzz
from tests.support.fuzz_cases import draw_case

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with serving() as process:
        yield process


@pytest.mark.parametrize("number", range(20))
def test_a_disturbed_run_ends_as_an_undisturbed_one(
    number: int, server: ServerProcess, tmp_path: Path
) -> None:
    assert fuzz(draw_case(number), tmp_path / "case", server).problems == ()


def test_equal_numbers_draw_equal_cases() -> None:
    assert draw_case(3) == draw_case(3)
    assert draw_case(3) != draw_case(4)
