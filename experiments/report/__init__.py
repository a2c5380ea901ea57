"""The pages about runs, `report.html` and its pictures; matplotlib and page templates live here.

run_page: `write_report` collects what a run's folder holds and renders `report.html`.
templates/report.html.j2: the page itself, section by section. Its first table, rows by round, is
    made here from `summary.rounds`; so is the table of rules that stopped rows.
templates/compare.html.j2: the page of `autoevol compare`; `page.html.j2`, `parts.html.j2` and
    `page.css` are shared by both pages.
next_steps: what to do after a run; remedies: what helps against the rule that failed most rows.
examples: some kept rows, before and after, for the page and the terminal.
words: the terms of the page, and what each file holds.
score_tables: the tables of scores, one for each score.
lineages: rows drawn at random, each with its lineage from the seed.
word_diff: new words within a text, and a diff of its lines.
run_figures: pictures of the search, the rules that stopped rows, the words added.
score_figures: pictures of scores by round.
score_means: the means among the scores, for pictures, tables and comparisons.
plots: style, panels and PNG files of all pictures.
html: renders a template, and embeds pictures.
"""
