"""What the checks start from: facts about this server that its settings hold, and what earlier checks found."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..http_gate import is_loopback_host
from .caller import Caller, Reply


@dataclass(frozen=True)
class Facts:
    """What the configuration says.

    :param base_url: `web.base.url`
    :param origin: the origin that clients are told
    :param mcp_url: the endpoint's address, with `?db=` where it needs one
    :param resource_url: where the resource's metadata is, as a challenge names it
    :param server_urls: where the authorization server's metadata is
    :param visible_databases: how many there are at the public host name
    :param is_server_wide: whether databases can be chosen by name
    :param workers: HTTP worker processes, 0: threads
    :param is_request: whether the check itself runs inside one of them
    :param clock_skew: seconds that this machine is ahead of the database's
    :param cimd_check: what the self-test of outgoing requests noted: `ok`, a reason, or nothing yet
    :param missing_packages: optional ones
    :param redis_error: None: not set up; empty: it answers
    """

    base_url: str
    origin: str
    issuer: str
    mcp_url: str
    resource_url: str
    root_resource_url: str
    server_urls: tuple[str, ...]
    is_frozen: bool = True
    proxy_mode: bool = False
    workers: int = 2
    is_request: bool = False
    http_port: int = 8069
    gevent_port: int = 8072
    visible_databases: int = 1
    is_server_wide: bool = False
    dbfilter: str = ""
    max_body: int = 8 * 1024 * 1024
    clock_skew: float = 0.0
    oauth: bool = True
    is_registration_open: bool = True
    cimd: bool = True
    cimd_check: str = ""
    missing_packages: tuple[str, ...] = ()
    redis_error: str | None = None

    @property
    def host(self) -> str:
        """Host and port of the public address."""
        return urlsplit(self.origin).netloc

    @property
    def is_https(self) -> bool:
        """Whether clients come by https."""
        return self.origin.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether the address is this machine itself, as when somebody tries the addon."""
        return is_loopback_host(urlsplit(self.origin).hostname or "")


@dataclass
class Visit:
    """One run of the checks.

    :param token: a read-only token that lives as long as the run, None where there can be none
    :param echo_url: an address of ours that says what reached Odoo, for this run alone
    :param are_streams_routed: whether requests for streams reach a process that holds them; None: not found out
    """

    facts: Facts
    caller: Caller
    token: str | None
    echo_url: str
    is_reached: bool = False
    echo: dict = field(default_factory=dict)
    endpoints: dict = field(default_factory=dict)
    client_id: str | None = None
    are_streams_routed: bool | None = None

    def post_mcp(self, body: bytes, *, token: str | None = None, **headers: str) -> Reply:
        """Send a message to the endpoint. :raises NoAnswer: there is no answer"""
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.caller.send("POST", self.facts.mcp_url, sent, body)
