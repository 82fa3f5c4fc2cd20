from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from odoo.tests import BaseCase, tagged

from ..services.oauth import authorization
from ..services.oauth.authorization import Parameters, RequestRefused, RequestReturned

OURS = "https://erp.example.com/mcp"
GOOD = Parameters(
    client_id="abc",
    redirect_uri="https://app.example/callback",
    response_type="code",
    code_challenge="a" * 43,
    code_challenge_method="S256",
)


def canonical(url):
    return OURS if url.rstrip("/") == OURS else None


@tagged("post_install", "-at_install")
class TestServiceOAuthAuthorization(BaseCase):
    def test_read_query_and_form(self):
        self.assertEqual(
            authorization.read(b"client_id=a&scope=+offline_access++mcp%3Aread&unknown=1&state=", b"prompt=consent"),
            Parameters(client_id="a", scope="offline_access mcp:read", prompt="consent"),
        )

    def test_read_keeps_the_state_byte_for_byte(self):
        cases = (
            (b"abc", "abc"),
            (b"a%20b%2Bc", "a%20b%2Bc"),
            (b"a+b", "a%20b"),
            (b"%ff%00%0d%0a", "%FF%00%0D%0A"),
            ("é中".encode(), "%C3%A9%E4%B8%AD"),
            (b"%7B%22x%22%3A1%7D", "%7B%22x%22%3A1%7D"),
            (b"x" * 2048, "x" * 2048),
        )
        for sent, kept in cases:
            self.assertEqual(authorization.read(b"state=" + sent).state, kept)

    def test_read_refuses_what_two_readers_could_read_differently(self):
        cases = (
            b"client_id=a&client_id=b",
            b"client_id=a&client_id=a",
            b"redirect_uri=https://a&redirect_uri=https://b",
            b"state=1&state=2",
            b"code_challenge=a&code_challenge=b",
            b"scope=a&scope=b",
            b"client_id=a%00",
            b"redirect_uri=https://a%0d%0aLocation:x",
            b"state=" + b"x" * 2049,
            b"scope=" + b"x" * 5000,
            b"&".join(b"a%d=1" % number for number in range(101)),
            b"&".join(b"resource=%d" % number for number in range(11)),
        )
        for query in cases:
            with self.subTest(query=query[:60]), self.assertRaises(RequestRefused) as caught:
                authorization.read(query)
            self.assertEqual((caught.exception.status, caught.exception.reason), (400, "damaged"))
        with self.assertRaises(RequestRefused):
            authorization.read(b"client_id=a", b"client_id=a")

    def test_read_survives_text_that_is_not_utf8(self):
        self.assertEqual(authorization.read(b"client_id=%ff%fe").client_id, "??")

    def test_same_resource_twice_is_one(self):
        self.assertEqual(
            authorization.read(b"resource=https://a/mcp&resource=https://a/mcp").resource, ("https://a/mcp",)
        )

    def test_redirect(self):
        authorization.check_redirect("https://app.example/cb?x=1", lambda uri: True)
        cases = (
            ("", True),
            ("https://evil.example/", False),
            ("https://app.example/cb?iss=https://evil.example", True),
            ("https://app.example/cb?a=1&code=2", True),
            ("https://app.example/cb?state", True),
        )
        for uri, accepted in cases:
            with self.subTest(uri=uri), self.assertRaises(RequestRefused) as caught:
                authorization.check_redirect(uri, lambda uri, accepted=accepted: accepted)
            self.assertEqual(caught.exception.reason, "redirect")

    def test_check_names_the_first_fault(self):
        cases = (
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": ""}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"code_challenge": ""}, "invalid_request"),
            ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": ""}, "invalid_request"),
            ({"code_challenge_method": "s256"}, "invalid_request"),
            ({"code_challenge": "a" * 42}, "invalid_request"),
            ({"code_challenge": "a" * 44}, "invalid_request"),
            ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
            ({"resource": ("https://other.example/mcp",)}, "invalid_target"),
            ({"resource": (OURS, "https://other.example/mcp")}, "invalid_target"),
            ({"scope": "mail:send"}, "invalid_scope"),
        )
        for changed, code in cases:
            with self.subTest(**changed), self.assertRaises(RequestReturned) as caught:
                authorization.check(replace(GOOD, **changed), canonical, OURS)
            self.assertEqual(caught.exception.code, code)

    def test_check_filters_scopes_and_fills_in(self):
        cases = (
            ("", ("mcp:read", "mcp:write")),
            ("openid profile email", ("mcp:read", "mcp:write")),
            ("offline_access mcp:read mail:send", ("mcp:read",)),
            ("mcp:write mcp:read", ("mcp:read", "mcp:write")),
        )
        for scope, asked in cases:
            found = authorization.check(replace(GOOD, scope=scope), canonical, OURS)
            self.assertEqual((found.scopes, found.resource), (asked, OURS))
        two = authorization.check(replace(GOOD, resource=(OURS, f"{OURS}/")), canonical, OURS)
        self.assertEqual(two.resource, OURS)

    def test_answer_url(self):
        cases = (
            ("https://a.example/cb", "https://a.example/cb?code=x%26y&state=s%FF&iss=https%3A%2F%2Ferp.example.com"),
            (
                "https://a.example/cb?t=1",
                "https://a.example/cb?t=1&code=x%26y&state=s%FF&iss=https%3A%2F%2Ferp.example.com",
            ),
            ("cursor://x/cb", "cursor://x/cb?code=x%26y&state=s%FF&iss=https%3A%2F%2Ferp.example.com"),
        )
        for redirect_uri, expected in cases:
            url = authorization.answer_url(redirect_uri, "s%FF", "https://erp.example.com", code="x&y")
            self.assertEqual(url, expected)
        without = authorization.answer_url("https://a.example/cb", "", "https://e", error="access_denied")
        self.assertEqual(without, "https://a.example/cb?error=access_denied&iss=https%3A%2F%2Fe")

    def test_any_state_comes_back_as_it_came(self):
        for state in ("a b+c&d=e#f%20?é中\u202e", "\r\nSet-Cookie: x=1", '"><script>', "x" * 2000):
            kept = authorization.read(urlencode({"state": state}).encode()).state
            url = authorization.answer_url("https://a.example/cb", kept, "https://e", code="c")
            self.assertEqual(parse_qs(url.partition("?")[2])["state"], [state])
            self.assertTrue(url.isascii() and url.isprintable())

    def test_granted_never_exceeds_what_is_ticked(self):
        every = ("mcp:read", "mcp:write", "mcp:admin")
        cases = (
            (every, every, every),
            (every, ("mcp:read", "mcp:admin"), ("mcp:read",)),
            (every, ("mcp:admin",), ()),
            (("mcp:read", "mcp:write"), every, ("mcp:read", "mcp:write")),
            (("mcp:read",), ("mcp:write",), ()),
            (every, (), ()),
        )
        for offered, ticked, granted in cases:
            self.assertEqual(authorization.granted(offered, ticked), granted)

    def test_offered_holds_what_is_implied_and_allowed(self):
        cases = (
            (("mcp:write",), ("mcp:admin",), ("mcp:read", "mcp:write")),
            (("mcp:admin",), ("mcp:write",), ("mcp:read", "mcp:write")),
            (("mcp:read", "mcp:write"), ("mcp:read",), ("mcp:read",)),
        )
        for asked, allowed, offered in cases:
            self.assertEqual(authorization.offered(asked, allowed), offered)
