"""Servers that speak HTTP badly, byte by byte: what the sandbox, which is correct, cannot do."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Script = Callable[[socket.socket], None]
"""Writes what it likes to a connection whose request was read."""


@contextmanager
def scripted(script: Script, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a script for each connection; give the host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
                with connection:
                    connection.settimeout(10)
                    while request := connection.recv(65536):
                        if request.endswith(b"\r\n\r\n"):
                            script(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


_AUTHORITY = """
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {name}
"""


def certificate(
    folder: Path, *, until: str = "20991231000000Z", name: str = "IP:127.0.0.1"
) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that signs itself; return its file, and the context of its server."""
    (folder / "authority.cnf").write_text(_AUTHORITY.format(name=name))
    (folder / "index.txt").touch()
    request = "req -new -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=api"
    sign = (
        "ca -batch -selfsign -notext -config authority.cnf -keyfile key.pem -in request.pem"
        f" -out certificate.pem -startdate 20200101000000Z -enddate {until}"
    )
    for command in (request, sign):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return folder / "certificate.pem", context
