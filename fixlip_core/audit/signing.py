"""Ed25519 keys (RFC 8032) in PEM files: the operator's, which signs, and its public half, which others check with."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from fixlip_core.audit.record import AuditSignature
from fixlip_core.errors import KeyFileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["PublicKey", "Signer"]

_NOT_SECRET: Final = stat.S_IWGRP | stat.S_IRWXO
_HOW_TO_MAKE_ONE: Final = "`fixlip audit keygen` makes one"


class PublicKey:
    """The half of a key that checks signatures.

    Args:
        key: the key.

    Attributes:
        id: digest of its 32 bytes, in hex.
    """

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.id = hashlib.sha256(key.public_bytes_raw()).hexdigest()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in a PEM file.

        Raises:
            KeyFileError: the file cannot be read, or has no such key.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        data = _read(path)
        if b"PRIVATE KEY" in data:
            raise KeyFileError(f"{path} has a private key; give the public one, which can be shown to anybody")
        try:
            key = load_pem_public_key(data)
        except Exception as error:  # its kinds are many, and some are not in the library's own tree
            raise KeyFileError(f"{path} has no public key in PEM form: {error}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFileError(f"{path} has a public key of another kind ({type(key).__name__}); Ed25519 is needed")
        return cls(key)

    def pem(self) -> bytes:
        """The key as a PEM file (SubjectPublicKeyInfo)."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def has_signed(self, data: bytes, signature: AuditSignature) -> bool:
        """Whether ``signature`` is this key's, of ``data``."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(base64.b64decode(signature.value, validate=True), data)
        except (InvalidSignature, binascii.Error):
            return False
        return True


class Signer:
    """The half of a key that signs, and that nobody else may have.

    Args:
        key: the key.

    Attributes:
        public_key: the other half.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = PublicKey(key.public_key())

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in a PEM file (PKCS #8, not encrypted) that only its owner, and perhaps its group, can read.

        Raises:
            KeyFileError: the file cannot be read, has no such key, or others can read or change it.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        data = _read(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _NOT_SECRET:
            raise KeyFileError(
                f"{path} can be read or changed by others (mode {mode:03o}), so that its signatures prove nothing: "
                "chmod 600, or 440 where a group reads it, and make a new key if somebody may have seen it"
            )
        try:
            key = load_pem_private_key(data, password=None)
        except TypeError as error:
            raise KeyFileError(f"{path} is encrypted; a worker cannot be asked for its password") from error
        except Exception as error:  # its kinds are many, and some are not in the library's own tree
            raise KeyFileError(f"{path} has no private key in PEM form ({_HOW_TO_MAKE_ONE}): {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError(f"{path} has a private key of another kind; Ed25519 is needed: {_HOW_TO_MAKE_ONE}")
        return cls(key)

    def write(self, path: Path) -> None:
        """Write the key to a new file that only its owner can read.

        Raises:
            KeyFileError: there is a file of that name, or it cannot be written.
        """
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(pem)
        except FileExistsError as error:
            raise KeyFileError(f"{path} is there already, and a key that is written over is lost for good") from error
        except OSError as error:
            raise KeyFileError(f"{path} cannot be written: {error.strerror}") from error

    def sign(self, data: bytes) -> AuditSignature:
        """The signature of ``data``; the same data gives the same."""
        value = base64.b64encode(self._key.sign(data)).decode()
        return AuditSignature(key_id=self.public_key.id, value=value)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from error
