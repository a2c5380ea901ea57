"""`labels.jsonl`: what people say of a run's rows."""
