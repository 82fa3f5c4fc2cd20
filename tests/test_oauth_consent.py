from datetime import timedelta
from unittest.mock import patch

from lxml import html
from odoo import fields
from odoo.tests import new_test_user, tagged

from ..models import oauth_documents
from ..services.safe_fetch import Fetched, FetchRefused
from .oauth_browser import CALLBACK, CHALLENGE, OAuthPageCase

DOCUMENT = "https://publisher.example/oauth/client.json"
LOOPBACK = "http://127.0.0.1/cb"

HOSTILE = "<img src=x onerror=alert(1)>\u202eAdmin\u200b\x00 {{ 7*7 }} " + "x" * 10_000


@tagged("post_install", "-at_install")
class TestOAuthConsent(OAuthPageCase):
    """The question, and what comes of the answer."""

    def setUp(self):
        super().setUp()
        self.authenticate("mcp_employee", "mcp_employee")

    def shown(self, **asked):
        response, page = self.open(self.store(**asked))
        self.assertEqual(response.status_code, 200)
        return page

    def test_page_says_who_asks_what_for_and_for_whom(self):
        text = " ".join(self.shown().text_content().split())
        for words in (
            "Connect Sales assistant to",
            "Not verified: it registered itself",
            "app.example",
            "Look up your data",
            "Make changes for you",
            "Read only",
            "Eve Employee",
            "mcp_employee",
            self.env.cr.dbname,
            self.env["mcp.oauth.server"]._resource(),
            "Allow",
            "Deny",
        ):
            self.assertIn(words, text)

    def test_page_runs_and_loads_nothing(self):
        response, page = self.open(self.store())
        self.assertFalse(page.xpath("//script|//img|//link|//iframe|//@onclick|//@style"))
        policy = response.headers["Content-Security-Policy"]
        (nonce,) = page.xpath("//style/@nonce")
        self.assertIn(f"style-src 'nonce-{nonce}'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertTrue(response.content.startswith(b"<!DOCTYPE html>"))

    def test_destinations_and_names_are_marked_for_what_they_are(self):
        claude = self.make_client(name="Claude", redirect_uris="https://claude.ai/api/mcp/auth_callback")
        impostor = self.make_client(name="C1aude", redirect_uris="https://evil.example/cb")
        loopback = {"redirect_uri": "http://127.0.0.1:50000/"}
        private = {"redirect_uri": "cursor://anysphere.cursor-mcp/callback"}
        known = "A known address of Anthropic"
        alarm = "This may not be what it says"
        cases = (
            (loopback, ["An application on this computer", "127.0.0.1:50000"], [known, alarm]),
            (private, ["An application on this device", "cursor://anysphere.cursor-mcp/callback"], [known, alarm]),
            ({"client_id": claude.client_id, "redirect_uri": claude.redirect_uris}, [known], [alarm]),
            (
                {"client_id": impostor.client_id, "redirect_uri": impostor.redirect_uris},
                [alarm, "is not a known address of Anthropic"],
                ["A known address of"],
            ),
        )
        for asked, present, absent in cases:
            text = " ".join(self.shown(**asked).text_content().split())
            for words in present:
                self.assertIn(words, text)
            for words in absent:
                self.assertNotIn(words, text)

    def test_consent_of_another_client_counts_for_nothing(self):
        self.returned(self.answer(self.store()))
        twin = self.make_client()
        self.shown(client_id=twin.client_id)
        self.shown()

    def test_hostile_name_is_text(self):
        self.client.name = HOSTILE.replace("\x00", "")
        response, page = self.open(self.store())
        self.assertFalse(page.xpath("//img"))
        heading = page.xpath("string(//h1)")
        self.assertIn("<img src=x onerror=alert(1)>Admin {{ 7*7 }} xxx", heading)
        self.assertLess(len(heading), 200)
        self.assertNotIn("\u202e", response.text)
        page = html.fromstring(self.answer(self.store()).content)
        self.assertFalse(page.xpath("//img"))

    def test_allow_hands_over_a_code_for_what_was_chosen(self):
        answer = self.returned(self.answer(self.store()))
        self.assertEqual(set(answer), {"code", "state", "iss"})
        self.assertEqual(answer["state"], "s~1 +é")
        code = self.codes()
        self.assertEqual((code.user_id, code.client_id), (self.user, self.client))
        self.assertEqual((code.redirect_uri, code.challenge), (CALLBACK, CHALLENGE))
        self.assertEqual((code.scope, code.profile_id), ("mcp:read mcp:write", self.profiles["write"]))
        self.assertEqual(code.resource, self.env["mcp.oauth.server"]._resource())

    def test_the_user_may_grant_less(self):
        read = self.profiles["read"]
        self.returned(self.answer(self.store(), scope=["mcp:read"], profile=read.id))
        self.assertEqual((self.codes().scope, self.codes().profile_id), ("mcp:read", read))

    def test_nobody_grants_more(self):
        # More than was asked for; what only administrators may grant; a profile that is not open to the user.
        self.returned(self.answer(self.store(scope="mcp:read"), scope=["mcp:read", "mcp:write", "mcp:admin"]))
        self.assertEqual(self.codes().scope, "mcp:read")
        self.codes().unlink()
        self.returned(self.answer(self.store(scope="mcp:admin"), scope=["mcp:read", "mcp:write", "mcp:admin"]))
        self.assertEqual(self.codes().scope, "mcp:read mcp:write")
        self.codes().unlink()
        for changed in (
            {"profile": self.env.ref("mcp_endpoint.profile_developer").id},
            {"profile": self.env.ref("mcp_endpoint.profile_baseline").id},
            {"profile": "0"},
            {"profile": ""},
            {"profile": "9" * 40},
            {"profile": "9" * 5000},
            {"scope": ["mcp:write"]},
            {"scope": ["x"]},
        ):
            with self.subTest(**changed):
                self.assertEqual(self.answer(self.store(), **changed).status_code, 400)
        self.assertFalse(self.codes())

    def test_an_administrator_may_grant_admin(self):
        new_test_user(self.env, "mcp_boss", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        self.authenticate("mcp_boss", "mcp_boss")
        self.returned(self.answer(self.store(scope="mcp:admin")))
        self.assertEqual(self.codes().scope, "mcp:read mcp:write mcp:admin")

    def test_deny(self):
        answer = self.returned(self.answer(self.store(), "deny"))
        self.assertEqual((answer["error"], answer["state"]), ("access_denied", "s~1 +é"))
        self.assertFalse(self.codes())

    def test_anything_but_allow_is_a_refusal(self):
        for decision in ("", "Allow", "yes"):
            self.assertIn("error", self.returned(self.answer(self.store(), decision=decision)))
        self.assertFalse(self.codes())

    def test_the_address_can_be_copied_for_a_program_elsewhere(self):
        response = self.answer(self.store(redirect_uri="http://127.0.0.1:50000/"))
        page = html.fromstring(response.content)
        address = page.xpath("string(//*[contains(@class, 'address')])")
        self.assertEqual(self.parameters(address)["code"], self.returned(response)["code"])

    def test_private_schemes_arrive_unchanged(self):
        response = self.answer(self.store(redirect_uri="cursor://anysphere.cursor-mcp/callback"))
        (link,) = html.fromstring(response.content).xpath("//a/@href")
        self.assertTrue(link.startswith("cursor://anysphere.cursor-mcp/callback?code="))

    def test_the_same_form_sent_often_brings_one_code(self):
        action, fields_sent = self.read_form(self.store())
        codes = {self.returned(self.send(action, fields_sent))["code"] for _time in range(50)}
        self.assertEqual((len(codes), len(self.codes())), (1, 1))
        # The first decision stands.
        self.assertIn("code", self.returned(self.send(action, {**fields_sent, "decision": "deny"})))

    def test_a_page_opened_twice_is_answered_by_the_first_form(self):
        path = self.store()
        action, fields_sent = self.read_form(path)
        self.read_form(path)
        self.assertIn("code", self.returned(self.send(action, fields_sent)))

    def test_form_without_token_of_this_session(self):
        action, fields_sent = self.read_form(self.store())
        for token in (None, "", "x", "0" + fields_sent["csrf_token"]):
            sent = {**fields_sent, "csrf_token": token}
            response = self.send(action, {name: value for name, value in sent.items() if value is not None})
            self.assertEqual(response.status_code, 400)
            self.assertEqual(response.headers["X-Frame-Options"], "DENY")
            self.assertIn("Nothing was allowed", response.text)
        self.assertFalse(self.codes())

    def test_form_of_another_user_or_request(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        action, fields_sent = self.read_form(self.store())
        second, _fields = self.read_form(self.store())
        self.assertEqual(self.send(second, fields_sent).status_code, 403)
        for binding in ("", "é", "0" * 64):
            self.assertEqual(self.send(action, {**fields_sent, "binding": binding}).status_code, 403)
        self.authenticate(other.login, other.login)
        _action, others = self.read_form(self.store())
        stolen = {**fields_sent, "csrf_token": others["csrf_token"]}
        self.assertEqual(self.send(action, stolen).status_code, 403)
        self.assertFalse(self.codes())

    def test_answered_request_is_not_answered_again_by_somebody_else(self):
        path = self.store()
        self.returned(self.answer(path))
        new_test_user(self.env, "mcp_other", groups="base.group_user")
        self.authenticate("mcp_other", "mcp_other")
        self.assertEqual(self.open(path)[0].status_code, 410)
        self.assertEqual(len(self.codes()), 1)

    def test_opening_a_page_approves_nothing(self):
        path = self.store()
        for opened in (path, path.replace("authorize/continue", "consent"), f"{path}&decision=allow"):
            response, page = self.open(opened)
            self.assertEqual(response.status_code, 200)
            self.assertTrue(page.forms)
        self.assertFalse(self.codes())

    def test_an_old_request_and_an_old_answer(self):
        path = self.store()
        action, fields_sent = self.read_form(path)
        request = self.env["mcp.oauth.request"].search([])
        self.returned(self.send(action, fields_sent))
        request.decided_at -= timedelta(seconds=61)
        self.assertEqual(self.send(action, fields_sent).status_code, 410)
        request.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.assertEqual(self.send(action, fields_sent).status_code, 410)
        self.assertEqual(self.open(path)[0].status_code, 410)

    def test_what_changed_meanwhile_counts(self):
        action, fields_sent = self.read_form(self.store())
        self.client.blocked = True
        self.assertEqual(self.send(action, fields_sent).status_code, 400)
        self.client.write({"blocked": False, "redirect_uris": "https://app.example/elsewhere"})
        self.assertEqual(self.send(action, fields_sent).status_code, 400)
        self.assertFalse(self.codes())

    def test_files_instead_of_text(self):
        action, fields_sent = self.read_form(self.store())
        names = ("binding", "decision", "profile", "scope")
        files = {name: (name, b"x") for name in names}
        sent = {"csrf_token": fields_sent["csrf_token"]}
        response = self.url_open(action, data=sent, files=files, allow_redirects=False)
        self.assertEqual(response.status_code, 403)

    def test_not_you_comes_back_to_the_same_request(self):
        path = self.store()
        _response, page = self.open(path)
        (switch,) = page.xpath("//a[contains(@href, 'logout')]/@href")
        response = self.url_open(switch, allow_redirects=False)
        self.assertEqual(response.headers["Location"].removeprefix(self.base_url()), path)
        self.assertIn("/web/login", self.open(path)[0].headers["Location"])

    def test_a_crash_shows_a_page_and_nothing_of_the_cause(self):
        path = self.store()

        def fail(*_args):
            raise ZeroDivisionError("secret cause")

        with patch.object(self.env.registry["mcp.oauth.request"], "_show", fail), self.assertLogs("odoo.http", "ERROR"):
            response, page = self.open(path)
        self.assertEqual(response.status_code, 500)
        self.assertIn("Something went wrong", page.text_content())
        self.assertNotIn("secret cause", response.text)
        self.assertEqual(response.headers["X-Frame-Options"], "DENY")


@tagged("post_install", "-at_install")
class TestOAuthConsentOfDocuments(OAuthPageCase):
    """Clients whose id is the address of a document: looked at only for somebody who is logged in."""

    def setUp(self):
        super().setUp()
        self.fetched = []
        self.document = {"client_id": DOCUMENT, "client_name": "Document app", "redirect_uris": [CALLBACK, LOOPBACK]}
        oauth_documents._failures.clear()
        patcher = patch.object(self.env.registry["mcp.egress"], "_fetch_json", self.fetch)
        patcher.start()
        self.addCleanup(patcher.stop)

    def fetch(self, url, *_arguments, **_options):
        self.fetched.append(url)
        if self.document is None:
            raise FetchRefused("HTTP status 403")
        return Fetched(self.document, None)

    def store_document(self, **changed):
        return self.store(client_id=DOCUMENT, **changed)

    def login(self):
        self.authenticate("mcp_employee", "mcp_employee")

    def test_nothing_is_fetched_for_strangers(self):
        path = self.store_document()
        self.assertIn("/web/login", self.open(path)[0].headers["Location"])
        for client_id in ("https://", "https://app.example", "https://user@app.example/c", "https://app.example/../c"):
            self.assertEqual(self.ask(client_id=client_id).status_code, 400, client_id)
        self.assertEqual(self.fetched, [])

    def test_the_document_is_shown_by_its_host_and_answered(self):
        self.login()
        _response, page = self.open(self.store_document())
        text = " ".join(page.text_content().split())
        self.assertIn("Connect Document app to", text)
        self.assertIn("Described by publisher.example", text)
        self.assertIn("code", self.returned(self.answer(self.store_document())))
        self.assertEqual(self.fetched, [DOCUMENT])

    def test_a_program_on_the_computer_is_no_more_trusted_for_a_document(self):
        self.login()
        _response, page = self.open(self.store_document(redirect_uri="http://127.0.0.1:50000/cb"))
        text = " ".join(page.text_content().split())
        self.assertIn("An application on this computer", text)
        self.assertNotIn("A known address", text)

    def test_what_is_wrong_is_told_after_the_login(self):
        self.login()
        response, page = self.open(self.store_document(redirect_uri="https://evil.example/cb"))
        self.assertEqual((response.status_code, response.headers.get("Location")), (400, None))
        self.assertIn("not registered", page.text_content())
        self.env["mcp.oauth.client"].search([("client_id", "=", DOCUMENT)]).unlink()
        response, _page = self.open(self.store_document(code_challenge_method="plain"))
        self.assertEqual(self.parameters(response.headers["Location"])["error"], "invalid_request")
        # Known by now: told at once.
        self.assertEqual(
            self.parameters(self.ask(client_id=DOCUMENT, scope="x").headers["Location"])["error"], "invalid_scope"
        )

    def test_a_document_that_cannot_be_had_ends_in_a_page_that_says_why(self):
        self.login()
        self.document = None
        response, page = self.open(self.store_document())
        self.assertEqual((response.status_code, response.headers.get("Location")), (400, None))
        self.assertIn("HTTP status 403", page.text_content())

    def test_a_shipped_copy_is_marked(self):
        self.login()
        self.document = None
        claude = "https://claude.ai/oauth/mcp-oauth-client-metadata"
        _response, page = self.open(
            self.store(client_id=claude, redirect_uri="https://claude.ai/api/mcp/auth_callback")
        )
        text = " ".join(page.text_content().split())
        self.assertIn("a copy that is shipped with this server is used", text)
        self.assertIn("A known address of Anthropic", text)
