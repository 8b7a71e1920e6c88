"""The demo: scenes with known boxes, and a small encoder trained on them."""
