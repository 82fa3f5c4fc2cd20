"""A proxy on loopback that adds a bearer token to every request, for test clients that cannot send one.

For tests only: whoever reaches its port acts as the token's user. It is an nginx too: it passes on at once what comes,
and that one of its two sides has gone.
"""

from contextlib import contextmanager
from urllib.parse import urlsplit

from . import nginx, stamps

# Host stays as the client sent it: whether the server checks it is among what is tested.
SITE = """\
server {
    listen 127.0.0.1:%(port)s;
    location / {
        proxy_pass http://%(upstream)s;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header Authorization "Bearer %(token)s";
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_read_timeout 720s;
    }
}
"""


@contextmanager
def running(base, token):
    """Run the proxy for a server's base URL during a block; gives the proxy's own base URL."""
    with stamps.lock("ports"):
        proxy = nginx.reserved()
        proxy.serve(SITE % {"port": proxy.port, "upstream": urlsplit(base).netloc, "token": token})
    try:
        yield proxy.base
    finally:
        proxy.stop()
