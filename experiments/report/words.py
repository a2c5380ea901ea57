"""Words of the report: its terms, and what each file of a run holds."""

TERMS = {
    "seed": "An instruction of your data, before anything is done to it.",
    "evolve, rewrite": "A model makes a harder or more special instruction of one; that is a row.",
    "method": "The prompt that tells the model how to rewrite, with its examples.",
    "round": "One pass over all rows. The second round rewrites what the first one kept.",
    "F, the failure metric": "Named rules that look at a rewrite, then at its response. A row that "
    "breaks one with evidence has failed and is dropped.",
    "suspected": "The row resembles a failure, but nothing proves it.",
    "unscored": "The calls of the row failed after all retries, so F has no verdict.",
    "failure rate": "The share of rows that failed; lower is better. With it comes its 95 % "
    "interval: the range in which the true rate probably lies.",
    "train, dev, fresh, held-out rows": "Disjoint parts of the seeds. Train rows give rise to new "
    "methods, dev rows choose among them, fresh rows confirm the choice, held-out rows only "
    "measure it.",
    "candidate": "A new method that the search tries.",
    "demonstration": "An example inside a method.",
}

FILES = {
    "evolved.jsonl": "The kept rows, one JSON object a line.",
    "exports": "The kept rows in the formats of trainers.",
    "failures.jsonl": "The failed rows, each with the rules that it broke and the raw reply.",
    "unscored.jsonl": "Rows whose calls failed, with the error.",
    "filtered.jsonl": "Kept rows that a filter took out of the exports, with the reason.",
    "rejected.jsonl": "Records of your data that make no row, with the reason.",
    "surplus.jsonl": "Kept rows beyond the number that was asked for.",
    "methods/best.md": "The best method.",
    "program.json": "The same method for DSPy.",
    "summary.json": "All figures of this page.",
    "steps.json": "The steps of the search.",
    "scores.json": "The scores by round.",
    "config.yaml": "The settings of the run.",
}
