"""HTTP API and job domain of the explanation service; nothing here imports torch."""
