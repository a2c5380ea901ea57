"""F, the failure metric: rules that tell whether a row failed, and why.

A rule's name, for example `unchanged`, leads from the table in `rules` to the detector that decides
it: a function of a `Case`, with its thresholds as keyword-only parameters.

rules: the table of rules, the rule sets, thresholds, and `broken`: which rules a case breaks.
cases: `Case`, the input of a detector; `Reason`, a broken rule with what shows it; evidence and
suspicion.
evolvers: evolvers that copy and evolvers that reword, told apart by the words that they keep.
rate: the failure rate λ of a method, with its interval.

Detectors at the evolve stage (the rewrite against its source):
unchanged: rewrites that add nothing: the source again, reworded, or a copied demonstration.
restated: rewrites that say the old demand in other words, and rewrites that ask for nothing.
lost_content: rewrites that lost words, details, material or the task of their source.
answers: rewrites that answer, leak the answer or leak the method.
Detectors at the respond stage (the response against its instruction):
replies: responses that answer nothing, and refusals.
Detectors at both stages:
form: missing, cut off, looping, garbled or bloated text.
drift: another script or language.
published: the rules of published systems, exact to their sources.

word_problems: word problems of arithmetic and their amounts, for several detectors.
code: signs of code, for several detectors.
"""
