"""Files and data sets, whatever is in them: checked records in, complete files out.

records: rows of JSON Lines, JSON, CSV, Parquet and of the Hugging Face hub, each with its location
json_text: JSON as every reader takes it
paths: what a person wrote as a path, and the texts that it leads to
atomic: files and folders that appear complete, or not at all
"""
