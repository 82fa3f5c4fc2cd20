"""A login of the official client whose person is no browser, but reads the pages and sends their forms."""

import asyncio
import re
import warnings
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

CALLBACK = "http://127.0.0.1:33418/callback"


class Storage:
    """Where the SDK keeps tokens."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def log_in_with_sdk(base, database):
    """Let the official client log in and work; its access token, and the issuer it was called back with."""
    answered = {}

    async def open_browser(url):
        with httpx2.Client(follow_redirects=True, timeout=60) as browser:
            page = browser.get(url)
            while 'name="password"' in page.text:
                form = dict(
                    re.findall(r'<input type="hidden" name="(csrf_token|redirect|type)" value="([^"]*)"', page.text)
                )
                form = {name: value.replace("&amp;", "&") for name, value in form.items()}
                page = browser.post(page.url, data={**form, "login": "admin", "password": "admin"})
            (action,) = re.findall(r'<form method="post" action="([^"]+)"', page.text)
            fields = {
                name: re.search(rf'name="{name}" value="([^"]*)"', page.text)[1] for name in ("csrf_token", "binding")
            }
            profile = re.search(r'name="profile"[^>]* value="(\d+)"', page.text)[1]
            scopes = re.findall(r'name="scope"[^>]* value="([^"]+)"', page.text)
            sent = {**fields, "profile": profile, "scope": scopes, "decision": "allow"}
            done = browser.post(urljoin(str(page.url), action), data=sent)
            address = re.search(r'href="(http://127\.0\.0\.1:33418[^"]+)"', done.text)[1].replace("&amp;", "&")
            answered.update(parse_qs(urlsplit(address).query))

    async def callback():
        return AuthorizationCodeResult(**{name: answered[name][0] for name in ("code", "state", "iss")})

    storage = Storage()
    metadata = OAuthClientMetadata(redirect_uris=[CALLBACK], client_name="Several databases")
    url = f"{base}/mcp?db={database}"
    auth = OAuthClientProvider(url, metadata, storage, redirect_handler=open_browser, callback_handler=callback)

    async def work():
        async with (
            httpx2.AsyncClient(auth=auth, timeout=60) as sender,
            Client(streamable_http_client(url, http_client=sender)) as client,
        ):
            result = await client.call_tool("odoo_get_context", {})
            return result.structured_content["user"]["login"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert asyncio.run(work()) == "admin"
    return storage.tokens.access_token, answered["iss"][0]
