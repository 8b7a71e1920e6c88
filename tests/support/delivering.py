"""A process that delivers webhooks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from fixlip.delivering import is_delivering
from service.webhooks.settings import WebhookSettings
from tests.support.processes import wait_until

__all__ = ["delivering"]

ROOT = Path(__file__).parents[2]


@contextmanager
def delivering(redis_url: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A deliverer's process, once it delivers: to this machine, and at short intervals."""
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "FIXLIP_HEARTBEAT_S": "0.2",
        "FIXLIP_OUTBOUND_ALLOW": "127.0.0.1",
        "FIXLIP_WEBHOOK_RETRIES_S": ",".join(["0.2"] * 100),
        "FIXLIP_LOG_LEVEL": "error",
        **settings,
    }
    command = [sys.executable, "-m", "fixlip", "webhooks"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    try:
        read = WebhookSettings(redis_url=redis_url, heartbeat_s=0.2)
        with redis.Redis.from_url(redis_url) as client:
            wait_until(lambda: process.poll() is not None or is_delivering(client, read))
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
