"""Quality: what a row or a set is worth, apart from whether a row failed.

Of a row:
difficulty: a judge's level or score; pass rates, gaps and bands of solvers.
consistency: the result of an answer, and the commonest result of several.
ifd: instruction-following difficulty (IFD, IC-IFD) from token losses.
responses: responses that are cut off, an empty promise or too short.
growth: words added by a rewrite and by each round.
preference: a judge's verdicts on pairs: outcomes, sign test, position and length bias.
Of a set:
lexical: distinct n-grams, compression, lengths, distances between texts.
neighbours: distance to the nearest row in embedding space (MND).
tags: complexity and diversity by intention tags (InsTag).
keywords: operations that models name when they think.
"""
