"""A certificate authority of the tests' own, and a server's certificate that it has signed."""

import subprocess
from pathlib import Path

_SECOND = ["-days", "2", "-nodes", "-newkey", "rsa:2048"]


def authority(folder: Path, name: str) -> Path:
    """Return the certificate of a new authority; its key is beside it."""
    certificate = folder / f"{name}.pem"
    _openssl(
        "req", "-x509", *_SECOND, "-subj", f"/CN={name}",
        "-keyout", certificate.with_suffix(".key"), "-out", certificate,
    )  # fmt: skip
    return certificate


def certificate(folder: Path, host: str, signed_by: Path) -> tuple[Path, Path]:
    """Return the certificate and the key of a host on this machine."""
    request, key, signed, names = (
        folder / f"{host}.{suffix}" for suffix in ("csr", "key", "pem", "names")
    )
    _openssl("req", *_SECOND, "-subj", f"/CN={host}", "-keyout", key, "-out", request)
    names.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
    _openssl(
        "x509", "-req", "-in", request, "-days", "2", "-extfile", names, "-CAcreateserial",
        "-CA", signed_by, "-CAkey", signed_by.with_suffix(".key"), "-out", signed,
    )  # fmt: skip
    return signed, key


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
