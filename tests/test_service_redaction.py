import copy
import json
import re
import time

from odoo.tests import BaseCase, tagged

from ..services.redaction import MASK, is_secret_name, redact, redact_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
# The secret, and a text in which it stands.
SECRETS = [
    ("AbCdEf012345", "token omcp_pat_AbCdEf012345 was used"),
    ("AbCdEf012345", "Authorization: Bearer AbCdEf012345=="),
    ("dXNlcjpwYXNz", "Basic dXNlcjpwYXNz"),
    (JWT, f"jwt={JWT};"),
    ("hunter2", "password=hunter2&x=1"),
    ("hunter2", '{"password": "hunter2"}'),
    ("hunter2", "Passwd : hunter2"),
    ("correct horse", "password: 'correct horse'"),
    ("abc123def", "https://x/y?access_token=abc123def#z"),
    ("s3cr3t", "postgres://odoo:s3cr3t@db/prod"),
    ("abcdefghijklmnop", "sk_live_abcdefghijklmnop"),
    ("abcdefghijklmnopqrstuv", "key sk-abcdefghijklmnopqrstuv"),
    ("abcdefghijklmnopqrstuv12", "ghp_abcdefghijklmnopqrstuv12"),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("MIIEvQIBADAN", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\n-----END PRIVATE KEY-----"),
    ("MIIEvQIBADAN", "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADAN cut off"),
    ("4111111111111", "card 4111111111111111 exp 12/27"),
    ("4111 1111 1111", "4111 1111 1111 1111 12 pieces"),
    ("4111-1111-1111", "No.4111-1111-1111-1111."),
    ("4111.1111.1111", "card 4111.1111.1111.1111."),
    ("5555 5555 5555", "12345 67890 5555 5555 5555 4444"),
    ("378282246310", "amex 378282246310005"),
    ("DE89370400440532013", "IBAN DE89370400440532013000"),
    ("FR14 2004 1010", "FR14 2004 1010 0505 0001 3M02 606 bank"),
    ("gb29nwbk601613", "to gb29nwbk60161331926819 now"),
    ("536-90-4399", "SSN 536-90-4399"),
    ("1 84 12 76 451 089 46", "NIR 1 84 12 76 451 089 46"),
    ("184127645108946", "184127645108946"),
    ("756.9217.0769.85", "AHV 756.9217.0769.85"),
    ("85.07.30-033.28", "NN 85.07.30-033.28"),
    ("046-454-286", "SIN 046-454-286"),
    ("RSSMRA85T10A562S", "CF RSSMRA85T10A562S"),
    ("AB 12 34 56 C", "NINO AB 12 34 56 C"),
    ("geheim123", "Passwort: geheim123"),
    ("secret99", "mot de passe : secret99"),
    ("abc12345", "contraseña=abc12345, wachtwoord: abc12345, senha=abc12345"),
    ("hunter2", "the password is hunter2."),
    ("4711", "my PIN is 4711, really"),
    ("737", "cvv 737"),
    ("123456", "OTP: 123456"),
    ("hunter2", '{\\"password\\": \\"hunter2\\"}'),
    ("hunter2", "<password>hunter2</password>"),
    ("a=b; sid=xyz", "Cookie: a=b; sid=xyz\nHost: x"),
    ("abcdef0123456789", "session_id=abcdef0123456789"),
    ("abcdef123456", "authorization: abcdef123456"),
    ("wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx"),
    ("abcd1234abcd1234", "AccountKey=abcd1234abcd1234=="),
    ("0123456789abcdef", "api key 0123456789abcdef0123456789abcdef01234567"),
    ("p@ss", "redis://:p@ss@host:6379"),
    ("abcdefghijklmnop", "npm_abcdefghijklmnop hf_abcdefghijklmnop whsec_abcdefghijklmnop shpat_abcdefghijklmnop"),
    ("AgEIcHlwaS5vcmcCJ", "pypi-AgEIcHlwaS5vcmcCJabc"),
    ("a0AfH6SMBxxxxxxxxx", "ya29.a0AfH6SMBxxxxxxxxx"),
    ("T000/B000/XXXX", "https://hooks.slack.com/services/T000/B000/XXXX"),
    ("e30.abc", "eyJhbGciOiJIUzI1NiJ9.e30.abc"),
]
HARMLESS = [
    "Order S00042 of 2025-07-01 for 1,234.50 EUR",
    "4111111111111112",
    "version 4111.1111.1111.1112",
    "4111.1111.1111.1111.1111",
    "barcode 4006381333931",
    "timestamp 1751373000000",
    "DE89370400440532013001 is no IBAN",
    "phone +32 470 12 34 56, +1 555-123-4567",
    "a token of appreciation, a secret garden",
    "550e8400-e29b-41d4-a716-446655440000",
    "res.partner,42 and id 1234567890123456789012345",
    "000-12-3456",
    "version 19.0.1.2.3",
    "https://example.com/path?a=1",
    "0.4111111111111111",
    "pass the salt, authorization is needed, no secret here",
    "The password is unknown; his PIN is not",
    "<name>hunter2</name>",
]


@tagged("post_install", "-at_install")
class TestServiceRedaction(BaseCase):
    def test_secrets_in_texts_are_masked(self):
        for secret, text in SECRETS:
            with self.subTest(text=text):
                self.assertIn(secret, text)
                masked = redact_text(text)
                self.assertNotIn(secret, masked)
                self.assertIn("[redacted", masked)

    def test_text_around_a_secret_stays(self):
        self.assertEqual(redact_text("pay 4111 1111 1111 1111 12 now"), "pay [redacted card …1111] 12 now")
        self.assertEqual(redact_text("DE89 3704 0044 0532 0130 00 and more"), "[redacted IBAN] and more")
        self.assertEqual(redact_text("x=1&password=abc&y=2"), f"x=1&password={MASK}&y=2")

    def test_harmless_texts_stay_as_they_are(self):
        for text in HARMLESS:
            with self.subTest(text=text):
                self.assertEqual(redact_text(text), text)

    def test_secret_names_are_told_by_whole_words(self):
        for name in (
            "password",
            "new_password",
            "userPassword",
            "API-Key",
            "apiKey",
            "access_token",
            "x-secret",
            "partner_id.password2",
            "totp",
            "Authorization",
            "client_secret",
            "cardNumber",
            "pin",
            "acc_number",
        ):
            self.assertTrue(is_secret_name(name), name)
        for name in (
            "",
            "name",
            "token_count",
            "max_tokens_used",
            "keyboard",
            "secretary",
            "pinned",
            "idempotency_key",
            "company",
            "number",
            "tokenizer_id",
        ):
            self.assertFalse(is_secret_name(name), name)

    def test_values_under_secret_names_are_masked_at_any_depth(self):
        payload = {
            "values": {"login": "demo", "password": "x", "nested": [{"api_key": {"a": 1}}], "totp": None},
            "domain": ["&", ["user_id.password", "=", "hunter"], ["name", "=", "Joe"]],
            "filters": [{"field": "pin", "op": "eq", "value": "1234"}, {"field": "name", "value": "Joe"}],
            "properties": [{"name": "secret", "values": ["a"]}],
        }
        self.assertEqual(
            redact(payload),
            {
                "values": {"login": "demo", "password": MASK, "nested": [{"api_key": MASK}], "totp": None},
                "domain": ["&", ["user_id.password", "=", MASK], ["name", "=", "Joe"]],
                "filters": [{"field": "pin", "op": "eq", "value": MASK}, {"field": "name", "value": "Joe"}],
                "properties": [{"name": "secret", "values": MASK}],
            },
        )

    def test_every_secret_is_masked_as_value_key_and_number(self):
        for secret, text in SECRETS:
            written = json.dumps(redact({"a": [{"b": text}], text: 1}), ensure_ascii=False)
            self.assertNotIn(json.dumps(secret)[1:-1], written)
        self.assertEqual(redact(4111111111111111), "[redacted card …1111]")
        self.assertEqual(redact({"n": 42, "f": 1.5, "b": True, "z": None}), {"n": 42, "f": 1.5, "b": True, "z": None})

    def test_further_keys_and_patterns(self):
        masked = redact({"Badge": 7, "note": "Project Falcon"}, keys=["badge"], patterns=[re.compile("Falcon")])
        self.assertEqual(masked, {"Badge": MASK, "note": f"Project {MASK}"})

    def test_long_strings_are_cut_and_no_secret_is_cut_in_half(self):
        self.assertEqual(redact("a " * 3000)[-20:], "a … [6,000 characters]"[-20:])
        for offset in range(1900, 2100, 3):
            text = "x " * (offset // 2) + "omcp_pat_" + "Z" * 40 + " y" * 2000
            self.assertNotIn("ZZ", redact(text), offset)
        crowded = "omcp_pat_ABCDEFGHIJKLMNOP " * 500
        self.assertNotIn("ABC", redact(crowded))
        self.assertNotIn("DE89", redact("DE89 3704 0044 0532 0130 00; " * 500))

    def test_large_and_deep_payloads_are_bounded(self):
        deep = value = []
        for _level in range(50):
            value.append([])
            value = value[0]
        self.assertIn("nested deeper", json.dumps(redact(deep)))
        self.assertEqual(len(redact(list(range(5000)))), 101)
        self.assertEqual(len(redact({str(key): 1 for key in range(5000)})), 101)

    def test_input_is_not_changed(self):
        payload = {"password": "x", "list": [{"token": "y"}, "Bearer abcdefghijkl"]}
        before = copy.deepcopy(payload)
        masked = redact(payload)
        masked["list"].append(1)
        self.assertEqual(payload, before)

    def test_hostile_text_is_cheap(self):
        for text in (
            "1 " * 50_000,
            "4" * 100_000,
            "AB12" * 25_000,
            "-----BEGIN PRIVATE KEY-----" * 4000,
            "://a:" * 20_000,
            "token" * 20_000,
            "eyJ" * 30_000,
            "password = " * 9000,
            'pass:"' * 9000,
        ):
            started = time.thread_time()
            redact_text(text)
            self.assertLess(time.thread_time() - started, 2, text[:20])
