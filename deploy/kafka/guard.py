"""TLS, sign-in and rights for the brokers of tests, with an authority of our own.

`sequencer` may do anything, `reader` may read and look at topics, and `stranger` is known and may do nothing. Passwords
are good for PLAIN and for SCRAM-SHA-512.
"""

import datetime
import ipaddress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORDS = {name: f"{name}-password" for name in ("sequencer", "reader", "stranger")}
MECHANISMS = ("PLAIN", "SCRAM-SHA-512")

LASTS = datetime.timedelta(days=30)


class Guard:
    """Three listeners more, beside the brokers' own, and what a client needs to use them."""

    listeners = {"SSL": "SSL", "SASL": "SASL_PLAINTEXT", "SASL_SSL": "SASL_SSL"}  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        """Writes the authority's certificate and the broker's into the folder."""
        self.authority = folder / "authority.pem"
        """The certificate to trust, for `ssl_cafile`."""
        self._broker = folder / "broker.pem"
        folder.mkdir(parents=True, exist_ok=True)
        key, authority = _authority()
        self.authority.write_bytes(_certificate_in_pem(authority))
        self._broker.write_bytes(_issued_to_broker(key, authority))

    @property
    def settings(self) -> dict[str, str]:
        """For the broker."""
        module = "org.apache.kafka.common.security"
        known = " ".join(f'user_{name}="{word}"' for name, word in PASSWORDS.items())
        logins = {
            "plain": f"{module}.plain.PlainLoginModule required {known};",
            "scram-sha-512": f"{module}.scram.ScramLoginModule required;",
        }
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._broker),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority),
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            **{
                f"listener.name.{listener.lower()}.{mechanism}.sasl.jaas.config": login
                for listener in ("SASL", "SASL_SSL")
                for mechanism, login in logins.items()
            },
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # Who does not sign in: the brokers among themselves, and the tests that prepare something.
            "super.users": "User:ANONYMOUS",
        }

    @property
    def format_arguments(self) -> list[str]:
        """The SCRAM credentials, which stand in the cluster's own log from its start."""
        pairs = (
            ("--add-scram", f"SCRAM-SHA-512=[name={name},password={word}]")
            for name, word in PASSWORDS.items()
        )
        return [argument for pair in pairs for argument in pair]

    def grant(self, admin: Any) -> None:
        """Give each user their rights, by kafka-python's admin client."""
        from kafka.admin import (
            ACL,
            ACLOperation,
            ACLPermissionType,
            ACLResourcePatternType,
            ResourcePattern,
            ResourceType,
        )

        everything = [
            (kind, ACLOperation.ALL) for kind in ("TOPIC", "GROUP", "TRANSACTIONAL_ID", "CLUSTER")
        ]
        to_read = [
            ("TOPIC", ACLOperation.READ),
            ("TOPIC", ACLOperation.DESCRIBE),
            ("TOPIC", ACLOperation.DESCRIBE_CONFIGS),
            ("GROUP", ACLOperation.READ),
        ]
        done = admin.create_acls(
            [
                ACL(
                    f"User:{user}",
                    "*",
                    operation,
                    ACLPermissionType.ALLOW,
                    ResourcePattern(
                        ResourceType[kind],
                        "kafka-cluster" if kind == "CLUSTER" else "*",
                        ACLResourcePatternType.LITERAL,
                    ),
                )
                for user, rights in (("sequencer", everything), ("reader", to_read))
                for kind, operation in rights
            ]
        )
        assert not done["failed"], done

    def client(
        self, listener: str, user: str | None = None, mechanism: str = "SCRAM-SHA-512"
    ) -> dict[str, Any]:
        """Settings of kafka-python for a listener."""
        settings: dict[str, Any] = {"security_protocol": self.listeners[listener]}
        if listener.endswith("SSL"):
            settings["ssl_cafile"] = str(self.authority)
        if user is not None:
            settings["sasl_mechanism"] = mechanism
            settings["sasl_plain_username"] = user
            settings["sasl_plain_password"] = PASSWORDS[user]
        return settings


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    certificate = (
        _certificate(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_may(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _issued_to_broker(key: ec.EllipticCurvePrivateKey, authority: x509.Certificate) -> bytes:
    """The broker's key and certificates, for the names of the loopback."""
    brokers = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of a test")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        _certificate(name, authority.subject, brokers)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(_may(sign_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = brokers.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + _certificate_in_pem(certificate) + _certificate_in_pem(authority)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LASTS)
    )


def _may(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate_in_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
