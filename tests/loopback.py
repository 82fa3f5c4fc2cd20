"""A TLS server on the loopback interface with its own certificate authority, for tests of what the addon fetches.

It answers as a test tells it to, and counts who connected.
"""

import datetime
import json
import socket
import ssl
import tempfile
import threading
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "idp.example.com"


@cache
def authority():
    """Return key and certificate of the test's certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key, _certificate("Test authority", key, None)


def _certificate(name, key, issuer):
    signer, authority_name = (key, name) if issuer is None else (issuer, "Test authority")
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, authority_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


@cache
def server_context(name=NAME):
    """Return the TLS settings of a server with a certificate for `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, authority()[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def authority_pem():
    """Return the authority's certificate as text."""
    return authority()[1].public_bytes(serialization.Encoding.PEM).decode()


def client_context():
    """Return TLS settings that trust the test's authority and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority_pem())
    return context


def http_answer(body, status="200 OK", headers=(), media_type="application/json"):
    """Return an HTTP answer as bytes. A dict is sent as JSON."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class LoopbackServer:
    """A server whose `script(connection, head)` answers each request, `head` being its lines as text.

    :ivar connections: how many connected, requests or not
    :ivar requests: the heads of the requests
    """

    def __init__(self, script, context=None):
        self.script = script
        self.context = server_context() if context is None else context
        self.connections = 0
        self.requests = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self._closing.set()
        # A thread that waits in accept() keeps a socket open that is only closed.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while not self._closing.is_set():
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.settimeout(10)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                head = b""
                while b"\r\n\r\n" not in head and (chunk := connection.recv(4096)):
                    head += chunk
                self.requests.append(head.decode())
                self.script(connection, head.decode())
        except OSError:
            # The client hung up or refused the certificate, as many tests expect.
            pass

    def url(self, path="/doc.json", host=NAME):
        return f"https://{host}:{self.port}{path}"

    def egress(self, **options):
        """Return an `Egress` that leads every name to this server and trusts its authority."""
        # Here, so that the end-to-end tests, which have no Odoo, can use the server.
        from ..services.safe_fetch import Egress

        options.setdefault("guard", lambda address: address.is_loopback)
        options.setdefault("resolver", lambda host, port: ["127.0.0.1"])
        return Egress(ports=None, context=client_context(), **options)


def json_server(documents):
    """Return a server of JSON documents by path; `documents` may be changed while it runs. Others are 404."""

    def script(connection, head):
        path = head.split(" ", 2)[1]
        if path in documents:
            connection.sendall(http_answer(documents[path]))
        else:
            connection.sendall(http_answer({}, "404 Not Found"))

    return LoopbackServer(script)
