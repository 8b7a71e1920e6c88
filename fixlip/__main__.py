"""``python -m fixlip``: the command ``fixlip``."""

from __future__ import annotations

from fixlip.cli import main

if __name__ == "__main__":
    main()
