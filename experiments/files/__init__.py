"""Files and data sets, whatever is in them: checked records in, complete files out.

records: a record with its location, and checked values by key
reading: a data file of any kind, read record by record
json_records, csv_records: records of JSON and of CSV
encodings: how a text file is encoded
data_sets: files, folders, patterns, and data sets of the Hugging Face hub
json_text: JSON as every reader takes it
paths: what a person wrote as a path, and the texts that it leads to
atomic: files and folders that appear complete, or not at all
"""
