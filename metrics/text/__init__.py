"""Text: words, scripts and surface signs of languages, without a judgement.

wording: words, stems, numbers, quotations, sentences of a text; its runs of words (shingles).
scripts: writing systems, and the languages in Latin letters.
languages: one table of surface signs a language; the only code that knows a language.
"""
