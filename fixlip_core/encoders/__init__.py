"""Encoders behind one seam: masked pairs in, unit embeddings out."""
