"""Commands that train models on rows and evaluate them: `train`, `evaluate`."""
