"""What a request to the token or the revocation endpoint brought, as one frozen value. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TokenRequest:
    """One request of a client.

    :param form: its parameters, each given once, without the empty ones
    :param authorization: the `Authorization` header
    :param ip: remote address as Odoo sees it
    """

    form: Mapping[str, str]
    authorization: str | None = None
    ip: str = ""
    user_agent: str = ""
