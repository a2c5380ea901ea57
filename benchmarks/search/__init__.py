"""The method search against a known truth: a simulated world, and what optimisers make of it."""
