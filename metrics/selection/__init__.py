"""Selection: which rows of an evolved set stay, and why each of the others goes.

bands: `Selection` and `Dropped`; filters by copies, contamination, score band and top share.
duplicates: exact and near copies of earlier rows (MinHash, Jaccard similarity).
contamination: rows that share runs of words with a benchmark.
diverse: rows that lie far apart in embedding space, greedily; by score first (Deita).
"""
