"""What the tests of `evaluate` and `study` share."""

from importlib.util import find_spec

import pytest

NEEDS_PEFT = pytest.mark.skipif(
    not all(map(find_spec, ("torch", "trl", "peft"))),
    reason="the extra `train` (trl, peft) is not installed: make scores",
)
NEEDS_HARNESS = pytest.mark.skipif(
    not all(map(find_spec, ("torch", "lm_eval"))),
    reason="the extra `evaluate` (lm-eval) is not installed: make scores",
)
HARNESS_TASK = """
task: lakes
dataset_path: json
dataset_kwargs: {data_files: {test: %s}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{right}}"
metric_list: [{metric: acc}]
"""
"""A task file of the harness over a file of questions."""
