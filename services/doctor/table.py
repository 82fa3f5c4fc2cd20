"""The table of all checks, in the order in which a client meets what they check, and the run through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import endpoint, login, settings, streams, transport
from .caller import NoAnswer
from .outcome import Finding, Outcome, failed, skipped
from .visit import Visit


@dataclass(frozen=True)
class Check:
    """One row of the table.

    :param calls: whether it sends requests, which needs somebody to answer them
    """

    name: str
    title: str
    run: Callable[[Visit], Outcome]
    calls: bool = True


CHECKS = (
    Check("address", "Address", settings.address, calls=False),
    Check("freeze", "Address stays", settings.frozen, calls=False),
    Check("proxy_mode", "Proxy mode", settings.proxy_mode, calls=False),
    Check("workers", "Processes", settings.processes, calls=False),
    Check("database", "Database selection", settings.database, calls=False),
    Check("clock", "Clock", settings.clock, calls=False),
    Check("reach", "Name, TLS and route", transport.reach),
    Check("arrival", "Requests arrive", transport.echo),
    Check("host", "Host name behind the proxy", transport.host),
    Check("scheme", "https behind the proxy", transport.scheme),
    Check("client_address", "Client addresses", transport.client_address),
    Check("authorization", "Tokens get through", transport.authorization),
    Check("challenge", "Challenge (401)", endpoint.challenge),
    Check("agents", "Bot wall", endpoint.agents),
    Check("resource_metadata", "Discovery: resource", login.resource_metadata),
    Check("server_metadata", "Discovery: server", login.server_metadata),
    Check("registration", "Registration", login.registration),
    Check("login_page", "Login page", login.login_page),
    Check("token_endpoint", "Token endpoint", login.token_endpoint),
    Check("modern", "Call, revision 2026-07-28", endpoint.modern),
    Check("handshake", "Call, revision 2025-11-25", endpoint.handshake),
    Check("stream", "Streams", streams.streams),
    Check("browsers", "Browsers (CORS)", endpoint.browsers),
    Check("long_body", "Largest request", endpoint.long_body),
    Check("egress", "Outgoing requests", settings.egress, calls=False),
    Check("packages", "Python packages", settings.packages, calls=False),
    Check("redis", "Redis", settings.redis, calls=False),
)


def run(visit: Visit, checks: tuple[Check, ...] = CHECKS) -> Iterator[Finding]:
    """Yield what each check finds. It takes no longer than the caller's time, whatever answers or does not."""
    for check in checks:
        yield Finding(check.name, check.title, _outcome(visit, check))


def _outcome(visit: Visit, check: Check) -> Outcome:
    if not check.calls:
        return check.run(visit)
    if not settings.can_call_itself(visit.facts):
        return skipped(
            "The only HTTP worker is busy with this check and cannot answer it. "
            "Run `odoo mcp_doctor` on the command line instead."
        )
    if check.name != "reach" and not visit.is_reached:
        return skipped("The address cannot be reached from here.")
    if visit.caller.is_late():
        return skipped("There was no time left.")
    try:
        return check.run(visit)
    except NoAnswer as error:
        if error.kind == "late":
            return skipped("There was no time left.")
        return failed(f"{str(error).capitalize()}.", *transport.REASONS.get(error.kind, ()))
