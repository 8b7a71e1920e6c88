"""The record of an explanation that stands up later: what went in, what computed it, what came out; and its check."""
