"""Forms of a response in which a constraint may be kept all the same.

A greeting before the answer, a closing remark or bold type breaks many a constraint by no fault of
the answer. Source of the forms: IFEval, arXiv 2311.07911, section 2.2.
"""


def loose_forms(response: str) -> list[str]:
    """Return the response and its other forms, none twice.

    Those are: without its first line, its last line, or both, each with and without asterisks.
    """
    lines = response.split("\n")
    cuts = [lines, lines[1:], lines[:-1], lines[1:-1]]
    texts = [response, *("\n".join(cut).strip() for cut in cuts[1:])]
    forms = [*texts, *(text.replace("*", "") for text in texts)]
    return [form for form in dict.fromkeys(forms) if form.strip()] or [response]
