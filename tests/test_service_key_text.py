import json
from unittest import skipUnless
from unittest.mock import patch

from cryptography.hazmat.primitives import serialization
from odoo.tests import BaseCase, tagged

from ..services.jwt_check import JwtRefused, Rules, verify
from ..services.key_text import keys_from_text
from .identity import ISSUER, claims, jwt, signing_key

PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
PRIVATE = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestServiceKeyText(BaseCase):
    def test_what_is_pasted_verifies_what_the_key_signs(self):
        rules = Rules(ISSUER, ("https://erp.example.com/mcp",), frozenset({"jwt"}))
        for algorithm in ("RS256", "ES256", "EdDSA"):
            key = signing_key(algorithm, f"text-{algorithm}")
            token = key.sign(claims(), kid=None, typ="JWT")
            pem = key.private.public_key().public_bytes(*PUBLIC).decode()
            for text in (f"\n{pem}\n", json.dumps(key.jwk()), json.dumps({"keys": [key.jwk()]})):
                self.assertEqual(verify(token, keys_from_text(text), rules)["sub"], "user-1", text[:40])

    def test_private_keys_and_rubbish_are_refused(self):
        key = signing_key()
        for text, reason in (
            (key.private.private_bytes(*PRIVATE).decode(), "private"),
            (json.dumps({**key.jwk(), "d": "x"}), "private"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "not a public key"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "not a public key"),
            ("", "neither"),
            ("[" * 50_000, "neither"),
            ("[]", "no JSON object"),
            ("{}", "list"),
            ('{"keys": []}', "no public key"),
            ('{"kty": "oct", "k": "x"}', "no public key"),
        ):
            with self.assertRaisesRegex(JwtRefused, reason):
                keys_from_text(text)

    def test_pem_without_the_package_is_a_sentence(self):
        pem = signing_key().private.public_key().public_bytes(*PUBLIC).decode()
        with patch.dict("sys.modules", {"jwt": None}), self.assertRaisesRegex(JwtRefused, "PyJWT"):
            keys_from_text(pem)
