"""Every rule set on every shipped file of labelled rows: `python -m benchmarks.rule_sets`.

Prints the table of `data/labelled/README.md`: recall (failed or suspected), specificity (good rows
that are not failed) and balanced accuracy (a suspected good row counts as lost). It calls no model.
"""

from pathlib import Path

from rich.console import Console

from autoevol.experiments.judging.labelled import read_labelled
from autoevol.experiments.judging.metric_check import check_rule_sets
from autoevol.metrics import RULE_SETS, RULES, SETS_ON_TEXTS

LABELLED = Path(__file__).resolve().parents[1] / "data" / "labelled"
FILES = ("heldout", "languages", "free_wording", "free_wording_heldout")
FIGURES = ("recall", "specificity", "balanced_accuracy")


def main() -> None:
    """Print a Markdown table with a line for each rule set."""
    figures = {name: check_rule_sets(read_labelled(LABELLED / f"{name}.jsonl")) for name in FILES}
    lines = ["| rule set | " + " | ".join(f"`{name}`" for name in FILES) + " |"]
    lines.append("|---|" + "---|" * len(FILES))
    for rule_set in SETS_ON_TEXTS:
        if rule_set in ("strict+judge", "strict+solver"):
            continue  # without a model they are `strict`
        cells = [
            ", ".join(f"{figures[name][rule_set][figure]:.2f}" for figure in FIGURES)
            for name in FILES
        ]
        asks = any(RULES[rule].witness for rule in RULE_SETS[rule_set])
        lines.append(f"| `{rule_set}`{', no judge' if asks else ''} | {' | '.join(cells)} |")
    Console(width=200).print("\n".join(lines), highlight=False, markup=False)


if __name__ == "__main__":
    main()
