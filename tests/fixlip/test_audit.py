"""``fixlip audit``: the key that signs."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fixlip.cli import app
from fixlip.errors import CommandError
from fixlip_core.audit.signing import PublicKey, Signer
from fixlip_core.errors import KeyFileError


def keygen(*arguments: str) -> str:
    """What the command prints on standard output."""
    result = CliRunner().invoke(app, ["audit", "keygen", *arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_it_makes_both_halves(tmp_path: Path) -> None:
    printed = keygen("--out", str(tmp_path / "operator.pem"))
    signer = Signer.read(tmp_path / "operator.pem")
    public = PublicKey.read(tmp_path / "operator.pub.pem")
    assert printed == f"key {signer.public_key.id}\n"
    assert public.has_signed(b"data", signer.sign(b"data"))
    assert {path.name for path in tmp_path.iterdir()} == {"operator.pem", "operator.pub.pem"}


@pytest.mark.parametrize("there", ["key.pem", "key.pub.pem"])
def test_it_writes_over_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises((CommandError, KeyFileError), match="is there already"):
        keygen("--out", str(tmp_path / "key.pem"))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "precious")]
