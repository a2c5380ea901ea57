"""Draws are functions of coordinates."""

from autoevol.program.draws import draw_number


def test_a_draw_depends_on_every_coordinate_and_on_nothing_else() -> None:
    base = draw_number("row", "a", 1, 0)
    assert base == draw_number("row", "a", 1, 0)
    others = [("row", "b", 1, 0), ("row", "a", 2, 0), ("row", "a", 1, 1), ("proposal", "a", 1, 0)]
    assert base not in [draw_number(*other) for other in others]


def test_coordinates_do_not_run_into_each_other() -> None:
    assert draw_number("a", "bc") != draw_number("ab", "c")
    assert draw_number("1") != draw_number(1)


def test_a_draw_fits_every_providers_seed() -> None:
    assert all(0 <= draw_number("row", i) < 2**31 for i in range(500))
