"""Export: a run's rows in the formats of trainers, as a data set with a card, and on the hub.

run_export: `autoevol export`: checks a request and exports an existing run.
writers: which rows are exported, and one writer a format.
card: the card of a data set (`card.md.j2`): rows, methods, failure rates, models, licences.
llama_factory: the run's entry in LLaMA-Factory's `dataset_info.json`.
hub: upload to the Hugging Face hub.
"""
