"""A certificate authority of the tests' own."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["issue", "server_and_client_tls"]


def issue(folder: Path, hosts: Sequence[str]) -> tuple[Path, Path]:
    """A new authority's certificate, and the key and certificate of a server of these hosts, as files in ``folder``."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    authority = _certificate("authority", authority_key.public_key(), authority_key, is_authority=True)
    server = _certificate("server", server_key.public_key(), authority_key, is_authority=False, names=names)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    authority_file, server_file = folder / "authority.pem", folder / "server.pem"
    authority_file.write_bytes(authority.public_bytes(encoding))
    server_pem = server_key.private_bytes(encoding, form, serialization.NoEncryption()) + server.public_bytes(encoding)
    server_file.write_bytes(server_pem)
    return authority_file, server_file


def server_and_client_tls(folder: Path, hosts: Sequence[str]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of these hosts needs, and what a client that believes its authority alone needs."""
    authority_file, server_file = issue(folder, hosts)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(server_file)
    return server, ssl.create_default_context(cafile=str(authority_file))


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
    names: x509.SubjectAlternativeName | None = None,
) -> x509.Certificate:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of the tests")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())
