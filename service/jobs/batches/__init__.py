"""Batches: many jobs that were submitted as one, and are put into the queue a few at a time."""
