"""A batch's results as tables: JSON lines, CSV, Parquet, and a summary of all of them."""
