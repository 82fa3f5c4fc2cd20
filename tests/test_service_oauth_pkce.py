from odoo.tests import BaseCase, tagged

from ..services.oauth import pkce

# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@tagged("post_install", "-at_install")
class TestOAuthPkce(BaseCase):
    def test_the_rfcs_example(self):
        self.assertEqual(pkce.challenge(VERIFIER), CHALLENGE)
        self.assertTrue(pkce.verify(VERIFIER, CHALLENGE))

    def test_longest_verifier_with_all_characters(self):
        verifier = ("aZ09-._~" * 16)[:128]
        self.assertTrue(pkce.verify(verifier, pkce.challenge(verifier)))

    def test_wrong_verifiers(self):
        for verifier in (None, "", "a" * 42, "a" * 129, VERIFIER[:-1] + "l", VERIFIER + "=", VERIFIER + "\n", "é" * 43):
            self.assertFalse(pkce.verify(verifier, CHALLENGE), verifier)

    def test_what_is_no_s256_challenge(self):
        self.assertTrue(pkce.is_challenge(CHALLENGE))
        for text in (
            None,
            "",
            CHALLENGE[:-1],
            CHALLENGE + "=",
            CHALLENGE + "a",
            CHALLENGE[:-1] + "+",
            CHALLENGE + "\n",
        ):
            self.assertFalse(pkce.is_challenge(text), text)
