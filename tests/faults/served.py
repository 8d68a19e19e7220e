"""Two product servers, and HAProxy in front of them with the file of docs/deploy."""

import getpass
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.faults.cluster import free_ports, wait_for

ROOT = Path(__file__).parent.parent.parent
PROXY_FILE = ROOT / "docs" / "deploy" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy") or next((str(p) for p in [Path("/usr/sbin/haproxy")] if p.exists()), None)


@dataclass
class ProductServer:
    """A server of the product, which can be killed and started again."""

    name: str
    port: int
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Afterwards it runs; it may not be ready yet."""
        command = [sys.executable, "-m", "streamlit", "run", "asgi.py", "--server.port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | self.environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL: it says goodbye to nobody."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def is_ready(self) -> bool:
        return _answers(f"http://127.0.0.1:{self.port}/readyz")


@dataclass
class Site:
    """Where visitors go, and the servers behind it."""

    url: str
    servers: list[ProductServer]


@contextmanager
def site(folder: Path, database_url: str) -> Iterator[Site]:
    """Two servers on this database, in demo mode, ready behind HAProxy; all of them ended afterwards."""
    front, *ports = free_ports(3)
    url = f"https://127.0.0.1:{front}"
    environment = {
        "BILLING_DATABASE_URL": database_url,
        "BILLING_DEMO": "1",
        "BILLING_PUBLIC_URL": url,
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
    }
    servers = [
        ProductServer(name, port, environment, folder / f"server-{name}.log")
        for name, port in zip(("one", "two"), ports, strict=True)
    ]
    try:
        for server in servers:
            server.start()
        for server in servers:
            wait_for(server.is_ready, f"server {server.name} is ready")
        with _proxy(folder, front, servers):
            wait_for(lambda: _answers(f"{url}/readyz"), "HAProxy answers")
            yield Site(url, servers)
    finally:
        for server in servers:
            server.kill()


@contextmanager
def _proxy(folder: Path, port: int, servers: list[ProductServer]) -> Iterator[None]:
    assert HAPROXY is not None, "Install haproxy."
    certificate = folder / "billing.pem"
    certificate.write_bytes(_certificate())
    environment = os.environ | {
        "BILLING_PROXY_USER": getpass.getuser(),
        "BILLING_BIND": f"127.0.0.1:{port}",
        "BILLING_CERTIFICATE": str(certificate),
        "BILLING_SERVER_ONE": f"127.0.0.1:{servers[0].port}",
        "BILLING_SERVER_TWO": f"127.0.0.1:{servers[1].port}",
    }
    with (folder / "haproxy.log").open("ab") as log:
        command = [HAPROXY, "-db", "-f", str(PROXY_FILE)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _certificate() -> bytes:
    """A key and a certificate of our own for 127.0.0.1, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM) + private


def _answers(url: str) -> bool:
    with suppress(URLError, ConnectionError, TimeoutError):
        with urlopen(url, timeout=10, context=_trusting() if url.startswith("https") else None) as answer:  # noqa: S310
            return bool(answer.status == 200)
    return False


def _trusting() -> ssl.SSLContext:
    """For the certificate above, which nobody else signed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
