"""The search for prompt templates that somebody else runs: texts with `{{variables}}`, and scores.

search: `search_templates`, the whole search; start reading here.
subject: templates as the subject of a search.
texts: the templates as a method, and back.
variables: what a template is filled in with, and which proposals would lose it.
operators: how a proposal is made, where that differs from a program's.
"""
