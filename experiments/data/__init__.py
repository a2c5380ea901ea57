"""Seeds in, and the tools that make, convert, merge and equalise data sets.

What a seed file may look like: `seeds` says which columns a run reads (`data.fields` in the
config), `formats/` which other formats `autoevol convert` turns into such a file.

seeds: the seeds of a run, read, checked and split into train, dev, fresh and held-out rows
seed_facts: what a run has to know of all its seeds together, gathered in one pass
stored_rows: rows in a file instead of in memory
lineage: seeds that are rows of an earlier run, as the start of a further round
seed_builder: `autoevol seeds`, a seed file from several data sets
convert: `autoevol convert`, one format into another
merge: `autoevol merge`, several files into one, without duplicates
verified_constraints: constraints of `autoevol verify`, for the rows of a run
equalise: `autoevol equalise`, two data sets made comparable
fingerprint: when two rows count as the same
formats/: the formats of instruction data, one module for each family
"""
