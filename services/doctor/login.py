"""Checks of logging in: the two discovery documents, registration, the login page, the token endpoint."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urljoin

from . import advice
from .outcome import Outcome, failed, ok, skipped, warning
from .transport import unexpected
from .visit import Visit

CALLBACK = "http://127.0.0.1:33418/callback"
CLIENT_NAME = "Connection check"
# What a code challenge looks like; nobody has its verifier, so that no code could ever be redeemed.
CHALLENGE = "A" * 43
MOST_REDIRECTS = 4
SET_ISSUER = "Odoo, Settings > MCP Server > Connect by login: Change the issuer"
OFF = "Logging in (OAuth) is switched off; clients use personal access tokens."


def resource_metadata(visit: Visit) -> Outcome:
    """Check the document that says where to log in, at both of its addresses."""
    facts = visit.facts
    if not facts.oauth:
        return skipped(OFF)
    for url in (facts.resource_url, facts.root_resource_url):
        reply = visit.caller.send("GET", url, {"Accept": "application/json"})
        found = reply.json() if reply.status == 200 else None
        if found is None:
            return unexpected(reply, advice.NGINX_LOCATION)
        if found.get("resource") != facts.mcp_url:
            return failed(f"{url} is about {found.get('resource')!r}, not about {facts.mcp_url}.", SET_ISSUER)
        if found.get("authorization_servers") != [facts.issuer]:
            return failed(f"{url} names other servers to log in at than {facts.issuer}.", SET_ISSUER)
    return ok("It is there, at both of its addresses.")


def server_metadata(visit: Visit) -> Outcome:
    """Check the document that names the endpoints, at all of its addresses."""
    facts = visit.facts
    if not facts.oauth:
        return skipped(OFF)
    for url in facts.server_urls:
        reply = visit.caller.send("GET", url, {"Accept": "application/json"})
        found = reply.json() if reply.status == 200 else None
        if found is None:
            return unexpected(reply, advice.NGINX_LOCATION)
        if found.get("issuer") != facts.issuer:
            return failed(f"{url} has the issuer {found.get('issuer')!r}, not {facts.issuer}.", SET_ISSUER)
        foreign = [name for name, value in found.items() if _is_elsewhere(name, value, facts.origin)]
        if foreign:
            return failed(f"{foreign[0]} is not at {facts.origin}.", SET_ISSUER)
        if "S256" not in found.get("code_challenge_methods_supported", ()):
            return failed("It does not offer PKCE, without which clients stop.")
        visit.endpoints = found
    return ok(f"It is there, at {len(facts.server_urls)} addresses.")


def registration(visit: Visit) -> Outcome:
    """Check that a new application can register itself."""
    if not visit.facts.oauth:
        return skipped(OFF)
    if not visit.facts.is_registration_open:
        return skipped("Closed by the settings: administrators add applications.")
    if "registration_endpoint" not in visit.endpoints:
        return skipped("The metadata was not found.")
    asked = {"client_name": CLIENT_NAME, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    headers = {"Content-Type": "application/json"}
    reply = visit.caller.send("POST", visit.endpoints["registration_endpoint"], headers, json.dumps(asked).encode())
    answer = reply.json() or {}
    if reply.status == 201 and isinstance(answer.get("client_id"), str):
        visit.client_id = answer["client_id"]
        return ok("An application registers itself.")
    if reply.status == 429:
        return warning(
            "Too many applications have registered lately.", "Odoo, MCP Server > Clients: remove unused ones"
        )
    return unexpected(reply, advice.NGINX_LOCATION)


def login_page(visit: Visit) -> Outcome:
    """Check that a person who is sent to log in gets to Odoo's login page."""
    if visit.client_id is None:
        return skipped("No application could be registered to try it with.")
    asked = {
        "response_type": "code",
        "client_id": visit.client_id,
        "redirect_uri": CALLBACK,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "doctor",
    }
    url = f"{visit.endpoints['authorization_endpoint']}?{urlencode(asked)}"
    for _redirect in range(MOST_REDIRECTS):
        reply = visit.caller.send("GET", url, {"Accept": "text/html"})
        location = reply.header("Location")
        if not location:
            break
        url = urljoin(url, location)
        if not url.startswith(f"{visit.facts.origin}/"):
            # Never followed: this server calls itself only.
            return failed(f"The login leads to another address: {reply}.", *advice.redirected(reply.location))
    if reply.status == 200 and b'name="password"' in reply.body:
        return ok("It leads to Odoo's login page.")
    if reply.status == 200:
        return warning("It leads to a page without a password field; another login may be in its place.")
    return unexpected(reply, advice.NGINX_LOCATION)


def token_endpoint(visit: Visit) -> Outcome:
    """Check that errors of the token endpoint arrive as JSON, by which clients know what to do."""
    if not visit.facts.oauth:
        return skipped(OFF)
    if "token_endpoint" not in visit.endpoints:
        return skipped("The metadata was not found.")
    form = urlencode({"grant_type": "doctor"}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = visit.caller.send("POST", visit.endpoints["token_endpoint"], headers, form)
    if reply.status in (400, 401) and "error" in (reply.json() or {}):
        return ok("Nonsense is refused in JSON.")
    return unexpected(reply, "nginx: proxy_intercept_errors off;", advice.NGINX_LOCATION)


def _is_elsewhere(name: str, value: object, origin: str) -> bool:
    return name.endswith("_endpoint") and not str(value).startswith(f"{origin}/")
