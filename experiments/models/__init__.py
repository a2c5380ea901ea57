"""The model boundary: names, weights, transports, and the one engine."""
