"""Certificates for servers of tests, by an authority of the test's own or by themselves."""

from __future__ import annotations

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAY = datetime.timedelta(days=1)


class Certificate:
    """A certificate for 127.0.0.1 and localhost, or for another ``host``, good until so many ``days`` from now.

    It is signed by ``issuer``, or by itself. ``path`` has it and its key, which only its owner may read.
    """

    def __init__(
        self, folder: Path, name: str, issuer: Certificate | None = None, host: str = "127.0.0.1", days: float = 1
    ) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(host))]
        names += [x509.DNSName("localhost")] if host == "127.0.0.1" else []
        signer, now = issuer or self, datetime.datetime.now(datetime.UTC)
        own, signers = (each._key.public_key() for each in (self, signer))
        may = dict.fromkeys(("content_commitment", "data_encipherment", "key_agreement", "key_encipherment"), False)
        may |= {"digital_signature": True, "key_cert_sign": issuer is None, "crl_sign": issuer is None}
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(signer.subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * _DAY)
            .not_valid_after(now + days * _DAY)
            .add_extension(x509.SubjectAlternativeName(names), False)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
            # What Python 3.13 and newer want to see, as RFC 5280 does.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signers), False)
            .add_extension(x509.KeyUsage(**may, encipher_only=False, decipher_only=False), True)
            .sign(signer._key, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        pem = self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        os.chmod(self.path, 0o600)
