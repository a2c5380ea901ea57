"""Commands around training: `train`, `evaluate`, `study`."""
