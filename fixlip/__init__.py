"""The ``fixlip`` command: the embedded stack, its two parts alone, and a client of the HTTP API."""
