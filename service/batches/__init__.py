"""Batches as requests bring them: read, expanded, checked and submitted."""
