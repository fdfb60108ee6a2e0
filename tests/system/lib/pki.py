"""Certificates for tests: authorities, servers, clients; as PEM files."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


class Issued:
    """A key and its certificate, and the paths of their PEM files."""

    def __init__(self, folder, name, key, certificate):
        self.key, self.certificate = key, certificate
        self.key_file, self.file = os.path.join(folder, f"{name}.key"), os.path.join(folder, f"{name}.pem")
        with open(self.key_file, "wb") as file:
            encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            file.write(key.private_bytes(*encoding))
        with open(self.file, "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))


class Authority(Issued):
    def __init__(self, folder, name):
        self.folder = folder
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, key.public_key(), subject, 30)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        super().__init__(folder, name, key, builder.sign(key, hashes.SHA256()))

    def issue(self, name, hosts=("localhost", "127.0.0.1"), days=30):
        """For these names and addresses; with negative days it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, key.public_key(), self.certificate.subject, days)
        builder = builder.add_extension(x509.SubjectAlternativeName([_name_of(host) for host in hosts]), critical=False)
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        return Issued(self.folder, name, key, builder.sign(self.key, hashes.SHA256()))


def _builder(subject, public_key, issuer, days):
    end = datetime.datetime.now(datetime.UTC) + days * _DAY
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(end - 60 * _DAY).not_valid_after(end)


def _name_of(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
