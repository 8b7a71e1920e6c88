"""Inputs and results: immutable bundles of files, each named by its digest, in a directory or in S3."""
