"""Small and large evolvers on the same seeds (arXiv 2412.11231)."""
