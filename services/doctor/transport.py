"""Checks of the way from a client to Odoo: name, TLS, and what the proxy makes of a request."""

from __future__ import annotations

from . import advice
from .caller import NoAnswer, Reply
from .outcome import Outcome, failed, ok, skipped, warning
from .settings import SET_BASE_URL
from .visit import Visit

REASONS = {
    "name": ("DNS: a record for this name, also for this server itself", SET_BASE_URL),
    "refused": (SET_BASE_URL, "nginx: is it running, and does it listen on this port?"),
    "certificate": ("nginx: ssl_certificate = the whole chain (fullchain.pem), for this very name",),
    "timeout": (
        "router: requests from this server to its own public address must come back (NAT loopback)",
        "or /etc/hosts of this server: 127.0.0.1 and the public name, where the proxy runs on it",
        "or all workers are busy: odoo.conf: workers = 5",
    ),
}


def reach(visit: Visit) -> Outcome:
    """Check name, TLS and route: whether this server can be called at its own public address."""
    facts = visit.facts
    try:
        reply = visit.caller.send("GET", f"{facts.origin}/web/health")
    except NoAnswer as error:
        fix = REASONS.get(error.kind, (SET_BASE_URL,))
        return failed(f"{facts.origin}: {error}.{_answers_locally(visit)}", *fix)
    visit.is_reached = True
    if reply.location:
        return failed(f"{facts.origin} answers {reply}.", *advice.redirected(reply.location))
    if reply.status != 200:
        return warning(f"{facts.origin}/web/health answers {reply}, not 200.", SET_BASE_URL)
    return ok(f"{facts.origin} answers" + (", its certificate is valid." if facts.is_https else "."))


def echo(visit: Visit) -> Outcome:
    """Check that requests arrive at this Odoo and this database."""
    reply = visit.caller.send("GET", visit.echo_url, {"Authorization": "Bearer doctor"})
    seen = reply.json() if reply.status == 200 else None
    if seen is None or "host" not in seen:
        fix = advice.redirected(reply.location) if reply.location else (SET_BASE_URL, advice.NGINX_LOCATION)
        return failed(f"What answers there is not this database, or the path is not passed on: {reply}.", *fix)
    visit.echo = seen
    return ok("Requests arrive at this database.")


def host(visit: Visit) -> Outcome:
    """Check that the proxy passes the name on, by which Odoo finds the database."""
    if not visit.echo:
        return skipped("Requests do not arrive.")
    seen = str(visit.echo["host"])
    if seen.lower() == visit.facts.host.lower():
        return ok(f"Odoo sees the host {seen}.")
    return failed(f"Clients ask for {visit.facts.host}, Odoo sees {seen}.", *advice.NGINX_HOST)


def scheme(visit: Visit) -> Outcome:
    """Check that Odoo knows when a client came by https."""
    if not visit.echo:
        return skipped("Requests do not arrive.")
    expected = "https" if visit.facts.is_https else "http"
    seen = str(visit.echo["scheme"])
    if seen == expected:
        return ok(f"Odoo sees {seen}.")
    return failed(
        f"Clients come by {expected}, Odoo sees {seen}.",
        advice.NGINX_PROTO,
        *advice.NGINX_HOST[1:],
        "odoo.conf: proxy_mode = True",
    )


def client_address(visit: Visit) -> Outcome:
    """Check that limits and the audit log see clients and not the proxy."""
    if not visit.echo:
        return skipped("Requests do not arrive.")
    if not visit.echo.get("forwarded_host"):
        return (
            ok("No proxy is in between.")
            if not visit.facts.is_https
            else failed(
                "The header X-Forwarded-Host does not arrive. Without it Odoo ignores the proxy's other headers.",
                *advice.NGINX_HOST[1:],
            )
        )
    if not visit.echo.get("forwarded_for"):
        return failed(
            "The header X-Forwarded-For does not arrive: all clients have the proxy's address.", advice.NGINX_FOR
        )
    if not visit.facts.proxy_mode:
        return failed("There is a proxy, but proxy_mode is off.", "odoo.conf: proxy_mode = True")
    return ok(f"Odoo sees the client's address ({visit.echo.get('address')}).")


def authorization(visit: Visit) -> Outcome:
    """Check that tokens get through."""
    if not visit.echo:
        return skipped("Requests do not arrive.")
    if visit.echo.get("authorization"):
        return ok("The header Authorization arrives.")
    return failed("The header Authorization does not arrive: no token can.", *advice.NGINX_AUTHORIZATION)


def unexpected(reply: Reply, *fix: str) -> Outcome:
    """Return the outcome for an answer that is none of ours: a redirect, a wall, or a page of somebody else."""
    if reply.location:
        return failed(f"The answer is {reply}. Clients do not follow it.", *advice.redirected(reply.location))
    if reply.status == 403:
        return failed(f"Something in front of Odoo refuses: {reply}.", *advice.BOT_WALL)
    if reply.status in (502, 503, 504):
        return failed(f"The proxy does not reach Odoo: {reply}.", "nginx: proxy_pass to Odoo's http_port")
    return failed(f"The answer is {reply}.", *fix)


def _answers_locally(visit: Visit) -> str:
    try:
        visit.caller.send("GET", f"http://127.0.0.1:{visit.facts.http_port}/web/health")
    except NoAnswer:
        return ""
    return f" Odoo itself answers on port {visit.facts.http_port}."
