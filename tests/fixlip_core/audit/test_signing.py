from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from fixlip_core.audit.signing import PublicKey, Signer
from fixlip_core.errors import KeyFileError

# RFC 8032, section 7.1, test 2.
SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA=="


def pem_of(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, *, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def secret_file(path: Path, data: bytes, *, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_signature_is_that_of_the_rfc() -> None:
    signer = Signer(Ed25519PrivateKey.from_private_bytes(SECRET))
    signature = signer.sign(b"\x72")
    assert signature.key_id == hashlib.sha256(PUBLIC).hexdigest()
    assert signature.value == SIGNATURE
    assert signer.public_key.has_signed(b"\x72", signature)
    assert not signer.public_key.has_signed(b"\x73", signature)


@pytest.mark.parametrize("value", ["", "not base64", "AAAA"])
def test_what_is_no_signature_signs_nothing(value: str) -> None:
    signer = Signer.generate()
    signature = signer.sign(b"data").model_copy(update={"value": value})
    assert not signer.public_key.has_signed(b"data", signature)


def test_both_halves_come_back_from_their_files(tmp_path: Path) -> None:
    signer, path = Signer.generate(), tmp_path / "key.pem"
    signer.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Signer.read(path).public_key.id == signer.public_key.id
    (tmp_path / "key.pub.pem").write_bytes(signer.public_key.pem())
    assert PublicKey.read(tmp_path / "key.pub.pem").has_signed(b"data", signer.sign(b"data"))


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    Signer.generate().write(path)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="is there already"):
        Signer.generate().write(path)
    assert path.read_bytes() == before
    with pytest.raises(KeyFileError, match="cannot be written"):
        Signer.generate().write(tmp_path / "nowhere" / "key.pem")


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path / "key.pem", pem_of(Ed25519PrivateKey.generate()), mode=mode)
    with pytest.raises(KeyFileError, match=f"mode {mode:03o}.*chmod 600"):
        Signer.read(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_a_group_may_read_it(tmp_path: Path, mode: int) -> None:
    Signer.read(secret_file(tmp_path / "key.pem", pem_of(Ed25519PrivateKey.generate()), mode=mode))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no private key in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key in PEM form"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "of another kind; Ed25519 is needed"),
        (pem_of(Ed25519PrivateKey.generate(), password=b"secret"), "is encrypted"),
        (Signer.generate().public_key.pem(), "no private key in PEM form"),
    ],
)
def test_what_is_no_key_that_signs_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(KeyFileError, match=reason):
        Signer.read(secret_file(tmp_path / "key.pem", data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no public key in PEM form"),
        (pem_of(Ed25519PrivateKey.generate()), "has a private key; give the public one"),
        (
            ec.generate_private_key(ec.SECP256R1())
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "of another kind",
        ),
    ],
)
def test_what_is_no_key_that_checks_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "key.pub.pem"
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match=reason):
        PublicKey.read(path)


@pytest.mark.parametrize("read", [Signer.read, PublicKey.read])
def test_a_key_that_is_not_there_is_told(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(KeyFileError, match=r"gone\.pem cannot be read: No such file"):
        read(tmp_path / "gone.pem")
