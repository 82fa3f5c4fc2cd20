"""A person at the login pages of OAuth, without a browser: opens a request, reads the page, sends its form."""

from urllib.parse import parse_qs, urlencode

from lxml import html

from .common import McpHttpCase

CALLBACK = "https://app.example/callback"
CHALLENGE = "a" * 43


class OAuthPageCase(McpHttpCase):
    """`cls.client` is a public client that has registered itself with three kinds of redirect URIs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls.make_client()
        cls.issuer = cls.env["mcp.oauth.server"]._issuer()

    @classmethod
    def make_client(cls, **values):
        known = {
            "name": "Sales assistant",
            "kind": "dcr",
            "client_id": cls.env["mcp.oauth.client"]._new_id(),
            "redirect_uris": "\n".join((CALLBACK, "http://127.0.0.1:33418/", "cursor://anysphere.cursor-mcp/callback")),
        }
        return cls.env["mcp.oauth.client"].create({**known, **values})

    def query(self, **changed) -> dict:
        asked = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": CALLBACK,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "s~1 +é",
            **changed,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def ask(self, headers=None, **changed):
        """Open the authorization endpoint and return its answer, without going where it leads."""
        path = f"/oauth/authorize?{urlencode(self.query(**changed), doseq=True)}"
        return self.url_open(path, allow_redirects=False, headers=headers)

    def store(self, **changed) -> str:
        """Open a request that is accepted, and return its path."""
        response = self.ask(**changed)
        self.assertEqual(response.status_code, 303, response.text)
        location = response.headers["Location"]
        self.assertTrue(location.startswith("/oauth/authorize/continue?rid="), location)
        return location

    def open(self, path):
        response = self.url_open(path, allow_redirects=False)
        return response, html.fromstring(response.content) if response.content else None

    def read_form(self, path, decision="allow"):
        """Open a stored request and return its form's address and fields, as a browser would send them."""
        response, page = self.open(path)
        self.assertEqual(response.status_code, 200, response.text)
        (form,) = page.forms
        fields = [*form.fields.items()]
        sent = {
            "csrf_token": form.fields["csrf_token"],
            "binding": form.fields["binding"],
            "scope": [box.get("value") for box in form.xpath(".//input[@name='scope']")],
            "profile": form.xpath("string(.//input[@name='profile'][@checked]/@value)"),
            "decision": decision,
        }
        self.assertTrue(fields)
        return form.get("action"), {name: value for name, value in sent.items() if value}

    def send(self, action, fields):
        return self.url_open(action, data=fields, allow_redirects=False)

    def answer(self, path, decision="allow", **changed):
        action, fields = self.read_form(path, decision)
        return self.send(action, {**fields, **changed})

    def returned(self, response) -> dict[str, str]:
        """Check that a page hands an answer over, by itself and by a link, and return the answer's parameters."""
        self.assertEqual(response.status_code, 200, response.text)
        page = html.fromstring(response.content)
        (refresh,) = page.xpath("//meta[@http-equiv='refresh']/@content")
        (link,) = page.xpath("//a[contains(@class, 'primary')]/@href")
        self.assertEqual(refresh.partition(";url=")[2], link)
        return self.parameters(link)

    def parameters(self, url) -> dict[str, str]:
        found = parse_qs(url.partition("?")[2], keep_blank_values=True, strict_parsing=True)
        self.assertTrue(all(len(values) == 1 for values in found.values()), found)
        self.assertEqual(found["iss"], [self.issuer])
        return {name: values[0] for name, values in found.items()}

    def codes(self):
        return self.env["mcp.oauth.code"].search([("client_id", "=", self.client.id)])
