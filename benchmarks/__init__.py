"""Speed and loss of the bulk phase, measured against an endpoint of our own."""
