"""``fixlip verify``: what it says, and its exit status."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import fixlip_core as fx
from fixlip.cli import app
from fixlip_core.audit.sealing import seal
from fixlip_core.audit.signing import Signer
from fixlip_core.formats import to_npz_bytes
from tests.support.audit import CAPTION, PARAMS, changed, content_of, png_of_scene, resealed

SIGNER = Signer.generate()


class Verified(NamedTuple):
    """What the command has found."""

    status: int
    verdicts: dict[str, str]
    details: dict[str, str]
    differences: list[dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def two_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """The files of a job."""
    encoder, image = fx.load_encoder("demo"), png_of_scene()
    explanation = fx.explain(encoder, Image.open(io.BytesIO(image)), CAPTION, **PARAMS)
    record = seal(content_of(encoder.card, explanation, image=image), SIGNER)
    return {
        "audit.json": record,
        "interactions.npz": to_npz_bytes(explanation),
        "image.png": image,
        "operator.pub.pem": SIGNER.public_key.pem(),
    }


@pytest.fixture
def files(made: dict[str, bytes], tmp_path: Path) -> Path:
    """The folder where they are."""
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def verify(folder: Path, *arguments: str) -> Verified:
    """What the command finds in a folder; of its files, by their names."""
    given = [str(folder / word) if (folder / word).is_file() else word for word in arguments]
    result = CliRunner().invoke(app, ["verify", str(folder / "audit.json"), "--json", *given])
    assert result.exit_code in (0, 1, 2), result.output
    found = json.loads(result.stdout)
    verdicts = {check["name"]: check["verdict"] for check in found["checks"]}
    details = {check["name"]: check["detail"] for check in found["checks"]}
    return Verified(result.exit_code, verdicts, details, found["differences"])


def failed(folder: Path, *arguments: str) -> str:
    """What the command says where it can check nothing."""
    result = CliRunner().invoke(app, ["verify", str(folder / "audit.json"), *arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def test_all_that_agrees(files: Path) -> None:
    found = verify(files, "--image", "image.png", "--public-key", "operator.pub.pem")
    assert found.status == 0
    assert found.verdicts == dict.fromkeys(["record", "signature", "result", "image", "model", "values"], "agrees")
    assert found.details["values"] == "they are the same to the last bit"
    # The record was made without the worker's sources, which a worker adds.
    assert [one["what"] for one in found.differences] == ["sources.worker"]


def test_people_are_told_the_same(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, ["verify", str(files / "audit.json"), "--no-recompute"])
    assert result.exit_code == 0
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["record", "signature", "result", "values"]
    assert lines[0][1].startswith("agrees")
    assert lines[3][1].startswith("not checked")


def test_without_the_image_nothing_is_computed_unless_nothing_is_to_be(files: Path) -> None:
    found = verify(files)
    assert (found.status, found.verdicts["values"]) == (2, "cannot be checked")
    assert "--image" in found.details["values"]
    assert verify(files, "--no-recompute").status == 0


def test_a_changed_record_is_told(files: Path, made: dict[str, bytes]) -> None:
    forged = changed(made["audit.json"], lambda raw: raw["method"]["params"].update(seed=4))
    (files / "audit.json").write_bytes(forged)
    found = verify(files, "--image", "image.png")
    assert (found.status, found.verdicts["record"], found.verdicts["values"]) == (1, "disagrees", "not checked")


def test_a_record_that_cannot_be_read_any_more_is_told(files: Path, made: dict[str, bytes]) -> None:
    (files / "audit.json").write_bytes(changed(made["audit.json"], lambda raw: raw.pop("passes")))
    found = verify(files)
    assert (found.status, found.verdicts) == (1, {"record": "disagrees"})


def test_a_record_that_was_resealed_is_told_by_its_values(files: Path, made: dict[str, bytes]) -> None:
    (files / "audit.json").write_bytes(resealed(made["audit.json"], method={"params": {**PARAMS, "seed": 4}}))
    found = verify(files, "--image", "image.png")
    assert (found.status, found.verdicts["record"], found.verdicts["values"]) == (1, "agrees", "disagrees")


def test_another_image_and_another_result_are_told(files: Path, made: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    Image.open(files / "image.png").rotate(90).save(buffer, format="PNG")
    (files / "image.png").write_bytes(buffer.getvalue())
    found = verify(files, "--image", "image.png")
    assert (found.status, found.verdicts["image"], found.verdicts["values"]) == (1, "disagrees", "not checked")

    (files / "interactions.npz").write_bytes(made["image.png"])
    found = verify(files, "--no-recompute")
    assert (found.status, found.verdicts["result"]) == (1, "disagrees")


def test_a_model_by_another_name_is_named(files: Path, made: dict[str, bytes]) -> None:
    (files / "audit.json").write_bytes(resealed(made["audit.json"], model={"id": "hf-hub:somebody/weights"}))
    said = failed(files, "--image", str(files / "image.png"))
    assert "may be anything: say what to load with --model or --models-file" in " ".join(said.split())
    assert verify(files, "--image", "image.png", "--model", "demo").status == 0
    (files / "models.toml").write_text('[[model]]\nid = "hf-hub:somebody/weights"\nweights = "demo"\n')
    assert verify(files, "--image", "image.png", "--models-file", "models.toml").status == 0
    (files / "models.toml").write_text('[[model]]\nid = "other"\nweights = "demo"\n')
    said = failed(files, "--image", str(files / "image.png"), "--models-file", str(files / "models.toml"))
    assert "has no model 'hf-hub:somebody/weights'" in " ".join(said.split())


def test_other_weights_are_told(files: Path, made: dict[str, bytes]) -> None:
    (files / "audit.json").write_bytes(resealed(made["audit.json"], model={"weights_sha256": "0" * 64}))
    found = verify(files, "--image", "image.png")
    assert (found.status, found.verdicts["model"]) == (1, "disagrees")


def test_what_is_no_record_and_no_key_cannot_be_checked(files: Path) -> None:
    assert "has a private key" not in failed(files, "--public-key", str(files / "image.png"))
    (files / "audit.json").write_text("{}")
    assert "no audit record" in failed(files)
