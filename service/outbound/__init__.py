"""Calls to hosts that clients name: where they may go, and how long they may take."""
