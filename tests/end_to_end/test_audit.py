"""Jobs of a real worker, checked by ``fixlip verify`` in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixlip.client import Client
from fixlip_core.audit.signing import Signer
from tests.end_to_end.conftest import Up
from tests.support.audit import CAPTION, png_of_scene
from tests.support.processes import fixlip

pytestmark = pytest.mark.slow

REQUESTS: dict[str, dict[str, Any]] = {
    "fixlip": {"params": {"budget": 64, "seed": 5}, "evaluate": ["faithfulness", "aid"]},
    "m2ib": {"params": {"seed": 1}},
    "grad_eclip": {"evaluate": ["confidence"]},
}


def test_what_a_worker_found_is_found_again_to_the_last_bit(
    start_up: Callable[[Path], Up], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, image = Signer.generate(), tmp_path / "image.png"
    signer.write(tmp_path / "key.pem")
    (tmp_path / "key.pub.pem").write_bytes(signer.public_key.pem())
    image.write_bytes(png_of_scene())
    monkeypatch.setenv("FIXLIP_SIGNING_KEY_FILE", str(tmp_path / "key.pem"))
    monkeypatch.setenv("FIXLIP_THREADS", "2")  # up to so many, bits do not depend on what runs beside
    with Client(start_up(tmp_path / "data").url, api_key="") as client:
        jobs = {
            name: client.submit(image=image, caption=CAPTION, method=name, **more) for name, more in REQUESTS.items()
        }
        for name, job in jobs.items():
            client.download(client.wait(job), tmp_path / name)
    for name, request in REQUESTS.items():
        done = fixlip(
            "verify",
            str(tmp_path / name / "audit.json"),
            "--image",
            str(image),
            "--public-key",
            str(tmp_path / "key.pub.pem"),
            "--json",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout)
        details = {check["name"]: check["detail"] for check in found["checks"]}
        assert details["values"] == "they are the same to the last bit"
        assert ("scores" in details) == ("evaluate" in request)
        assert details.get("scores", "").endswith("to the last bit" if "evaluate" in request else "")
        assert found["verdict"] == "agrees"
