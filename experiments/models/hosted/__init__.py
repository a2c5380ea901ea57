"""Models behind addresses: their endpoints, and whether those serve one and the same model."""
