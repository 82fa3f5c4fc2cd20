"""Checks of what is set, without a request: address, process model, databases, clock, packages."""

from __future__ import annotations

from urllib.parse import urlsplit

from .outcome import Outcome, failed, ok, skipped, warning
from .visit import Facts, Visit

LARGEST_SKEW = 5.0
SET_BASE_URL = "Odoo, Settings > Technical > System Parameters: web.base.url = https://YOUR-ODOO"


def address(visit: Visit) -> Outcome:
    """Check that the address which clients are told is one that they can use."""
    facts = visit.facts
    parts = urlsplit(facts.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return failed(f"web.base.url is {facts.base_url!r}, which is no web address.", SET_BASE_URL)
    if facts.is_local:
        return warning(
            f"{facts.origin} can be reached from this machine only.",
            SET_BASE_URL,
            "Nothing to change while you only try it with clients on this machine.",
        )
    if not facts.is_https:
        return failed(f"{facts.origin} is not https. Clients do not log in over plain http.", SET_BASE_URL)
    if not facts.base_url.rstrip("/").lower().startswith(facts.origin.lower()):
        return warning(
            f"Clients know {facts.origin}, but web.base.url is {facts.base_url}.",
            "Odoo, Settings > MCP Server > Connect by login: Change the issuer (all applications connect anew)",
            f"or System Parameters: web.base.url = {facts.origin}",
        )
    return ok(f"Clients reach this server at {facts.mcp_url}.")


def frozen(visit: Visit) -> Outcome:
    """Check that the address does not change when an administrator logs in at another one."""
    if visit.facts.is_frozen or visit.facts.is_local:
        return ok("web.base.url stays as it is." if visit.facts.is_frozen else "The address is local.")
    return warning(
        "web.base.url is overwritten whenever an administrator logs in at another address.",
        "Odoo, Settings > Technical > System Parameters: web.base.url.freeze = True",
    )


def processes(visit: Visit) -> Outcome:
    """Check that assistants do not stand in the way of people."""
    facts = visit.facts
    if facts.workers == 0:
        seen = "Odoo runs in one process with threads (workers = 0)."
        return ok(f"{seen} Fine for trying.") if facts.is_local else warning(seen, "odoo.conf: workers = 5")
    if facts.workers == 1:
        return warning("There is one HTTP worker: every call waits for every other.", "odoo.conf: workers = 5")
    return ok(f"{facts.workers} HTTP workers, evented process on port {facts.gevent_port}.")


def proxy_mode(visit: Visit) -> Outcome:
    """Check that Odoo believes the proxy, without which it sees http and the proxy's address."""
    facts = visit.facts
    if facts.proxy_mode:
        return ok("proxy_mode is on.")
    if facts.is_https:
        return failed(
            "Clients come by https, so through a proxy, but proxy_mode is off.", "odoo.conf: proxy_mode = True"
        )
    return ok("proxy_mode is off, and the address is not https.")


def database(visit: Visit) -> Outcome:
    """Check that a request without a cookie leads to this database."""
    facts = visit.facts
    if facts.visible_databases == 1:
        return ok("The host name leads to one database.")
    if facts.visible_databases == 0:
        return failed(
            f"At {facts.host} Odoo shows no database: dbfilter {facts.dbfilter!r} hides this one.",
            "odoo.conf: dbfilter = ^%d$   (the database is called like the first part of the host name)",
        )
    if facts.is_server_wide:
        return ok(f"{facts.visible_databases} databases share the host name; the address names this one (?db=).")
    return failed(
        f"{facts.visible_databases} databases share the host name, and clients have no cookie that chooses one.",
        "odoo.conf: dbfilter = ^%d$   (best: a host name for each database)",
        "or odoo.conf: server_wide_modules = base,rpc,web,mcp_endpoint   (then clients use /mcp?db=NAME)",
    )


def clock(visit: Visit) -> Outcome:
    """Check that this machine and the database agree on the time, by which tokens expire."""
    skew = visit.facts.clock_skew
    if abs(skew) <= LARGEST_SKEW:
        return ok(f"Odoo and PostgreSQL differ by {abs(skew):.1f} s.")
    return failed(
        f"The clocks of Odoo and PostgreSQL differ by {abs(skew):.0f} s: tokens end early or late.",
        "on both machines: timedatectl set-ntp true",
    )


def packages(visit: Visit) -> Outcome:
    """Check the optional Python packages."""
    missing = visit.facts.missing_packages
    if not missing:
        return ok("PyJWT and cryptography are there.")
    return warning(
        f"Missing: {', '.join(missing)}. Identity providers and signed clients are off; all else works.",
        f"on the server, in Odoo's Python: pip install {' '.join(missing)}",
    )


def egress(visit: Visit) -> Outcome:
    """Check the last self-test of outgoing requests, by which applications publish who they are."""
    facts = visit.facts
    if not (facts.oauth and facts.cimd):
        return skipped("Applications identified by an address are switched off.")
    if facts.cimd_check == "ok":
        return ok("Metadata of applications can be fetched.")
    if not facts.cimd_check:
        return skipped(
            "Not tested yet. The job “MCP: look whether applications' metadata can be fetched” does it every 6 hours."
        )
    return warning(
        f"No metadata can be fetched, so applications register themselves instead. {facts.cimd_check[:300]}",
        "firewall: let Odoo connect to port 443 of the internet",
        "or Odoo, Settings > MCP Server > Proxy for outgoing requests",
    )


def redis(visit: Visit) -> Outcome:
    """Check the server that shares limits between workers, where there is one."""
    error = visit.facts.redis_error
    if error is None:
        return skipped("Not set up; limits are counted without it.")
    if not error:
        return ok("It answers.")
    return warning(
        f"It does not answer: {error}. Limits are counted without it.",
        "Odoo, System Parameters: mcp_endpoint.redis_url = redis://HOST:6379/0",
    )


def can_call_itself(facts: Facts) -> bool:
    """Say whether a request of this server to itself finds somebody to answer it."""
    return not (facts.is_request and facts.workers == 1)
