"""``python -m tests.bench``: how fast the pages and the sync are, and against what. Not part of the tests."""
