"""Certificates for a cluster: an authority of its own, and one for each machine, made with `cryptography`.

Whoever has a certificate of the authority may give the scheduler work, and a worker runs what it is given: the folder
is the key to the cluster. The authority's private key is only needed to make further certificates.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from typing import Any, NamedTuple

from recomp.errors import ConfigError, ToolError

DAYS = 365


class Paths(NamedTuple):
    authority: str
    authority_key: str
    certificate: str
    key: str


def paths(folder: str) -> Paths:
    """The files of a folder of certificates. Raises ConfigError where one that every machine needs is missing."""
    made = Paths(*(os.path.join(folder, name) for name in ("ca.pem", "ca-key.pem", "node.pem", "node-key.pem")))
    for path in (made.authority, made.certificate, made.key):
        if not os.path.isfile(path):
            raise ConfigError(f"{path}: is missing", hint=f"recomp cluster certs {folder} makes it")
    return made


def make(folder: str, names: list[str]) -> Paths:
    """Make a certificate for the machines `names` (host names and addresses) in `folder`; the authority there signs it,
    or a new one. Never overwrites a machine's certificate."""
    try:
        from cryptography import x509
    except ImportError:
        raise ToolError("certificates need the package cryptography", hint="pip install 'recomp[cluster]'") from None
    os.makedirs(folder, mode=0o700, exist_ok=True)
    made = Paths(*(os.path.join(folder, name) for name in ("ca.pem", "ca-key.pem", "node.pem", "node-key.pem")))
    if os.path.exists(made.certificate):
        raise ConfigError(f"{made.certificate}: is there already", hint="use another folder for another machine")
    if os.path.exists(made.authority) != os.path.exists(made.authority_key):
        raise ConfigError(f"{made.authority_key}: is missing", hint="make certificates where the authority's key is")
    authority, authority_key = _authority(made)
    key = _new_key(made.key)
    plain = [x509.DNSName(name) for name in names if not _is_address(name)]
    addresses = [x509.IPAddress(ipaddress.ip_address(name)) for name in names if _is_address(name)]
    certificate = _signed(names[0], key, authority.subject, authority_key,
                          x509.SubjectAlternativeName([*plain, *addresses]), is_authority=False)  # fmt: skip
    _write(made.certificate, _pem(certificate))
    return made


def _authority(made: Paths) -> tuple[Any, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if os.path.exists(made.authority):
        with open(made.authority, "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        with open(made.authority_key, "rb") as file:
            return certificate, load_pem_private_key(file.read(), None)
    key = _new_key(made.authority_key)
    name = "recomp cluster authority"
    certificate = _signed(name, key, None, key, None, is_authority=True)
    _write(made.authority, _pem(certificate))
    return certificate, key


def _signed(name: str, key: Any, issuer: Any, issuer_key: Any, names: Any, *, is_authority: bool) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if names is not None:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(is_authority: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _new_key(path: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return key


def _pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    data: bytes = certificate.public_bytes(Encoding.PEM)
    return data


def _write(path: str, data: bytes, mode: int = 0o644) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return False
