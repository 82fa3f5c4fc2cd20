from odoo.tests import BaseCase, tagged

from ..services import secret_tokens
from ..services.secret_tokens import PERSONAL_PREFIX


@tagged("post_install", "-at_install")
class TestServiceSecretTokens(BaseCase):
    def test_new_token_matches_the_documented_pattern_and_is_unique(self):
        tokens = {secret_tokens.new_token(PERSONAL_PREFIX) for _number in range(200)}
        self.assertEqual(len(tokens), 200)
        for token in tokens:
            self.assertRegex(token, r"^omcp_(at|rt|pat|cs)_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$")
            self.assertTrue(secret_tokens.is_well_formed(token, PERSONAL_PREFIX))

    def test_typo_other_kind_and_rubbish_are_not_well_formed(self):
        token = secret_tokens.new_token(PERSONAL_PREFIX)
        changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
        for wrong in (changed, token[:-1], token + "x", "", "omcp_pat_", token.replace("pat", "rt"), "x" * 10_000, "é"):
            self.assertFalse(secret_tokens.is_well_formed(wrong, PERSONAL_PREFIX), wrong[:60])

    def test_digest_depends_on_the_database(self):
        token = secret_tokens.new_token(PERSONAL_PREFIX)
        self.assertEqual(secret_tokens.digest(token, "a"), secret_tokens.digest(token, "a"))
        self.assertNotEqual(secret_tokens.digest(token, "a"), secret_tokens.digest(token, "b"))

    def test_hint_shows_the_kind_and_four_characters(self):
        token = secret_tokens.new_token(PERSONAL_PREFIX)
        self.assertEqual(secret_tokens.hint(token), f"omcp_pat_…{token[-4:]}")
