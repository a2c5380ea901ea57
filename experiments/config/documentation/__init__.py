"""What the config classes say of themselves: for editors, and for people.

schema: the JSON Schema
reference: the page of all keys, docs/config.md
"""
