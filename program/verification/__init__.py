"""Verified data in nine stages (AutoIF, arXiv 2406.13542).

constraints: stages 1 to 3: constraints, their verifiers, cross-validation
descriptions: stages 4 and 5: verifiers in words, held against the constraint
answers: stages 6 to 9: queries under constraints, verified answers, rows and pairs
pipeline: the stages in order
funnel: the account of each stage
options: what is asked for and kept; the published systems' numbers
"""
