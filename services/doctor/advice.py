"""The lines to change, for what more than one check runs into."""

from __future__ import annotations

NGINX_LOCATION = (
    "nginx: location ~ ^/(mcp|oauth|\\.well-known/(oauth|openid)) { proxy_pass http://odoo; }   "
    "(before locations for certificates or static files)"
)
NGINX_HOST = (
    "nginx: proxy_set_header Host $host;",
    "nginx: proxy_set_header X-Forwarded-Host $host;",
)
NGINX_PROTO = "nginx: proxy_set_header X-Forwarded-Proto $scheme;"
NGINX_FOR = "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
NGINX_AUTHORIZATION = (
    "nginx: proxy_set_header Authorization $http_authorization;",
    'Apache: CGIPassAuth On   (or SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1)',
)
NGINX_CHALLENGE = (
    "nginx: remove `proxy_hide_header WWW-Authenticate;`, `auth_basic` and `error_page 401` for /mcp",
    "nginx: proxy_intercept_errors off;",
)
BOT_WALL = (
    "Cloudflare: Security > Bots > Block AI bots: off   (rules that skip it do not help)",
    'Cloudflare: Security > WAF > Custom rules > Skip: (starts_with(http.request.uri.path, "/mcp") or '
    'starts_with(http.request.uri.path, "/oauth/") or starts_with(http.request.uri.path, "/.well-known/oauth"))',
)


def redirected(location: str) -> tuple[str, ...]:
    """Return what to change where a redirect is in the way, which clients do not follow for a POST."""
    return (
        f"Odoo, System Parameters: web.base.url = the address it leads to ({location or 'see there'})",
        "nginx: no `return 301` or `rewrite` for /mcp, /oauth/ and /.well-known/ at this address",
    )
