"""Candidate methods: what their child runs say."""

from autoevol.experiments.tracking.candidates import candidate_bodies
from autoevol.program.records import Candidate, Evaluation, StepRecord
from autoevol.signatures import shipped_methods


def test_a_temperature_of_zero_is_recorded_and_one_that_is_left_out_is_the_models() -> None:
    method = shipped_methods()["weak"]
    candidates = tuple(
        Candidate(1, number, method, None, "", rejected="empty", temperature=temperature)
        for number, temperature in enumerate((0.0, None))
    )
    measured = Evaluation(method, ())
    bodies = dict(candidate_bodies(StepRecord(1, measured, candidates, measured), 0.7))
    temperatures = [body["params"]["temperature"] for body in bodies.values()]
    assert temperatures == [0.0, 0.7]
