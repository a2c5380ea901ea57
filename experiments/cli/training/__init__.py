"""Commands that train models on rows: `train`."""
