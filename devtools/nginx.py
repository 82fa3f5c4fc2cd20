"""A real nginx on loopback whose configuration is the recipe of the README, as an administrator would paste it.

Added to the recipe are only the things that every set-up has of its own: ports, folders, and the rest of Odoo.
"""

import os
import re
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass

from . import debian, paths, ports, processes, stamps
from .console import Failure
from .listener import Listener

PORT = 18380
PATIENCE = 60
BLOCK = re.compile(r"^ *```nginx\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# What belongs beside `server`; everything else of a recipe belongs into it.
OUTSIDE = ("upstream", "map")
# Odoo's own set-up: https://www.odoo.com/documentation, "HTTPS" of "Deploying Odoo".
ODOO = """
location /websocket {
    proxy_pass http://%(evented)s;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}
location / {
    proxy_pass http://%(odoo)s;
}
"""
MAIN = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid %(folder)s/pid;
error_log %(folder)s/error.log;
%(user)s
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    client_max_body_size 128m;
%(site)s
}
"""
SITE = """\
%(outside)s
server {
    listen 127.0.0.1:%(port)s;
    proxy_read_timeout 720s;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
%(inside)s
}
"""


@dataclass(frozen=True)
class Nginx(Listener):
    """An nginx in front of an Odoo."""

    name: str
    port: int

    @property
    def error_log(self):
        """What nginx complains about."""
        return _folder(self.name) / "error.log"

    def start(self, http_port, evented_port):
        """Start it in front of these ports of Odoo, and wait until it listens."""
        self.serve(_site(self.port, http_port, evented_port))

    def serve(self, site):
        """Start it with what belongs into `http` of a configuration, and wait until it listens."""
        program = debian.need("nginx", "nginx", "tests behind a proxy", search=("/usr/sbin/nginx",))
        folder = _folder(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.log").write_text("")
        config = folder / "nginx.conf"
        # As root its workers would be somebody who cannot enter the state folder.
        user = "user root;" if os.getuid() == 0 else ""
        config.write_text(MAIN % {"folder": folder, "user": user, "site": site})
        log = paths.LOGS / f"{self.name}.log"
        processes.start(self.name, [program, "-p", str(folder), "-c", str(config)], None, log, port=self.port)
        deadline = time.monotonic() + PATIENCE
        while not _listens(self.port):
            if self.name not in processes.records() or time.monotonic() > deadline:
                raise Failure(f"nginx does not start with this configuration: see {log} and {self.error_log}")
            time.sleep(0.02)

    def stop(self):
        """End it."""
        processes.stop(self.name)


@contextmanager
def running(http_port, evented_port, nginx=None):
    """An nginx for the time of a block; `nginx` where its port is already taken for it (see `reserved`)."""
    if nginx is None:
        with stamps.lock("ports"):
            nginx = reserved()
            nginx.start(http_port, evented_port)
    else:
        nginx.start(http_port, evented_port)
    try:
        yield nginx
    finally:
        nginx.stop()


def reserved():
    """An Nginx that has a free port and does not run yet: Odoo has to know its public address before."""
    port = ports.free(PORT + os.getpid() % 50)
    return Nginx(f"nginx-{port}", port)


def recipe():
    """The README's recipe: (statements beside `server`, statements inside), each as text."""
    blocks = BLOCK.findall((paths.ROOT / "README.md").read_text())
    if not blocks:
        raise Failure("The README has no recipe for nginx.")
    statements = [statement for block in blocks for statement in _statements(block)]
    outside = [statement for statement in statements if statement.split(None, 1)[0] in OUTSIDE]
    return "\n".join(outside), "\n".join(item for item in statements if item not in outside)


def _statements(text):
    """The statements of a configuration at its top level, each with its block."""
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    depth, start, quoted = 0, 0, False
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "{}":
            depth += 1 if character == "{" else -1
        if not quoted and depth == 0 and character in ";}":
            yield text[start:position + 1].strip()
            start = position + 1


def _site(port, http_port, evented_port):
    outside, inside = recipe()
    own = ODOO % {"odoo": "odoo", "evented": "odoochat"}
    # The recipe names what Odoo's documentation calls its two upstreams, and says nothing of what they are.
    names = {"odoo": http_port, "odoochat": evented_port}
    upstreams = "\n".join(f"upstream {name} {{ server 127.0.0.1:{number}; }}" for name, number in names.items())
    return SITE % {"port": port, "outside": f"{upstreams}\n{outside}", "inside": inside + own}


def _folder(name):
    return paths.STATE / "nginx" / name


def _listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
