import random
import time
from unittest import skipUnless
from unittest.mock import patch

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from odoo.tests import BaseCase, tagged

from ..services import jwt_check
from ..services.jwt_check import JwtRefused, Rules
from .identity import ISSUER, b64, claims, hmac_signed, jwt, signing_key

RESOURCE = "https://erp.example.com/mcp"
RULES = Rules(issuer=ISSUER, audiences=(RESOURCE,), types=frozenset({"at+jwt"}))


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestServiceJwtCheck(BaseCase):
    def setUp(self):
        super().setUp()
        self.key = signing_key()
        self.keys = [self.key.jwk()]

    def token(self, headers=None, **changes):
        return self.key.sign(claims(**changes), **{"typ": "at+jwt", **(headers or {})})

    def refused(self, token, reason="", rules=RULES, keys=None):
        with self.assertRaises(JwtRefused, msg=token[:200]) as caught:
            jwt_check.verify(token, self.keys if keys is None else keys, rules)
        self.assertIn(reason, str(caught.exception))

    def test_token_within_the_rules_gives_its_claims(self):
        for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
            key = signing_key(algorithm, f"key-{algorithm}")
            token = key.sign(claims(), typ="application/AT+JWT")
            found = jwt_check.verify(token, [*self.keys, key.jwk(alg=algorithm)], RULES)
            self.assertEqual(found["sub"], "user-1", algorithm)
        self.assertEqual(jwt_check.verify(self.token(aud=["other", RESOURCE]), self.keys, RULES)["sub"], "user-1")

    def test_key_without_id_serves_a_token_without_id_when_it_is_the_only_one(self):
        token = self.token({"kid": None})
        self.assertTrue(jwt_check.verify(token, self.keys, RULES))
        self.refused(token, "names no key", keys=[*self.keys, signing_key(kid="other").jwk()])

    def test_signature_is_not_taken_for_granted(self):
        stranger = signing_key(kid="stranger")
        forged = stranger.sign(claims(), typ="at+jwt", kid=self.key.kid)
        self.refused(forged, "signature")
        head, body, signature = self.token().split(".")
        self.refused(f"{head}.{b64(claims(sub='admin'))}.{signature}", "signature")
        self.refused(f"{head}.{body}.{'A' * len(signature)}", "signature")
        self.refused(f"{head}.{body}.", "not a signed JWT")

    def test_no_algorithm_and_shared_secrets_are_refused(self):
        for name in ("none", "None", "nOnE", "HS256", "HS512", "", "ES256K"):
            self.refused(f"{b64({'alg': name, 'typ': 'at+jwt'})}.{b64(claims())}.AAAA", "algorithm")
        pem = self.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for kid in (self.key.kid, None):
            self.refused(hmac_signed(claims(), pem, kid=kid), "algorithm")
        self.refused(self.token(), "algorithm", Rules(ISSUER, (RESOURCE,), frozenset({"at+jwt"}), ("RS256",)))

    def test_key_of_another_kind_is_not_used(self):
        rsa = signing_key("RS256", "rsa")
        for jwk in (
            {**rsa.jwk(), "kid": self.key.kid},
            self.key.jwk(alg="ES384"),
            self.key.jwk(crv="P-384"),
            {"kty": "oct", "k": "c2VjcmV0", "kid": self.key.kid},
        ):
            self.refused(self.token(), "not known", keys=[jwk])

    def test_weak_rsa_key_is_refused(self):
        weak = signing_key("RS256", "weak", 1024)
        self.refused(weak.sign(claims(), typ="at+jwt"), "1024 bits", keys=[weak.jwk()])

    def test_headers_cannot_bring_keys_or_extensions(self):
        stranger = signing_key(kid="stranger")
        for header in (
            {"jku": "https://evil.example.com/keys"},
            {"x5u": "https://evil.example.com/cert"},
            {"jwk": stranger.jwk()},
            {"x5c": ["MIIB"]},
        ):
            self.refused(stranger.sign(claims(), typ="at+jwt", kid=self.key.kid, **header), "signature")
        for header in ({"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": True}, {"crit": "x"}):
            head = b64({"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid, **header})
            self.refused(f"{head}.{b64(claims())}.AAAA", "extensions")

    def test_hostile_key_ids_are_only_compared(self):
        for kid in ("../../../../etc/passwd", "/dev/null", "' OR 1=1 --", "é" * 200):
            head = b64({"alg": "ES256", "typ": "at+jwt", "kid": kid})
            self.refused(f"{head}.{b64(claims())}.AAAA", "not known")
        for kid in (1, ["key-1"], {"a": 1}, True, "x" * 600):
            head = b64({"alg": "ES256", "typ": "at+jwt", "kid": kid})
            self.refused(f"{head}.{b64(claims())}.AAAA", "key id")

    def test_type_issuer_and_audience_are_exact(self):
        for header in ({"typ": "JWT"}, {"typ": None}, {"typ": "oauth-id-jag+jwt"}, {"typ": "dpop+jwt"}):
            self.refused(self.token(header), "type")
        for issuer in (ISSUER + "/", ISSUER.upper(), ISSUER[:-1], "https://evil.example.com"):
            self.refused(self.token(iss=issuer), "issuer")
        for audience in (
            "https://other.example.com/mcp",
            RESOURCE + "/",
            f"{RESOURCE} x",
            [],
            ["https://other.example.com/mcp"],
            [[RESOURCE]],
            [RESOURCE, 5],
            {"aud": RESOURCE},
            {RESOURCE: 1},
            5,
            None,
            [RESOURCE] * 30,
        ):
            self.refused(self.token(aud=audience), "")
        strict = Rules(ISSUER, (RESOURCE,), frozenset({"at+jwt"}), single_audience=True)
        self.assertTrue(jwt_check.verify(self.token(aud=[RESOURCE]), self.keys, strict))
        self.refused(self.token(aud=[RESOURCE, "other"]), "several", strict)

    def test_times_are_demanded_and_bounded(self):
        now = int(time.time())
        for changes in (
            {"exp": None},
            {"iat": None},
            {"exp": now - 31},
            {"exp": str(now + 60)},
            {"exp": True},
            {"exp": 10**400},
            {"exp": [now + 60]},
            {"exp": float("inf")},
            {"iat": now + 3 * 86_400},
            {"iat": now + 40},
            {"iat": "now"},
            {"nbf": now + 60},
            {"nbf": None, "iat": -1},
        ):
            self.refused(self.unchecked(**changes), "")
        self.assertTrue(jwt_check.verify(self.token(exp=now - 20, iat=now + 20), self.keys, RULES))
        short = Rules(ISSUER, (RESOURCE,), frozenset({"at+jwt"}), longest_life=600)
        self.assertTrue(jwt_check.verify(self.token(exp=now + 600), self.keys, short))
        self.refused(self.token(exp=now + 700), "longer", short)

    def unchecked(self, **changes):
        """Return a validly signed token with claims that PyJWT would not sign."""
        text = f"{b64({'alg': 'ES256', 'typ': 'at+jwt', 'kid': self.key.kid})}.{b64(claims(**changes))}"
        algorithm = jwt.get_algorithm_by_name("ES256")
        return f"{text}.{b64(algorithm.sign(text.encode(), self.key.private))}"

    def test_subject_and_required_claims(self):
        for subject in (None, "", 5, ["user-1"]):
            self.refused(self.unchecked(sub=subject), "")
        wants = Rules(ISSUER, (RESOURCE,), frozenset({"at+jwt"}), required=frozenset({"jti", "client_id"}))
        self.assertTrue(jwt_check.verify(self.token(jti="1", client_id="c"), self.keys, wants))
        for changes in ({"jti": "1"}, {"jti": "", "client_id": "c"}):
            self.refused(self.token(**changes), "It has no", wants)
        self.refused(self.unchecked(jti=5, client_id="c"), "jti", wants)

    def test_rubbish_is_refused_quickly(self):
        deep = b64(b'{"a":' * 4000)
        for text in (
            "",
            ".",
            "..",
            "a.b.c",
            "A" * 100_000,
            f"{'A' * 50_000}.{'B' * 50_000}.C",
            f"{b64({'alg': 'ES256'})}.{deep}.AAAA",
            f"{deep[:4000]}.{deep}.AAAA",
            f"{b64([])}.{b64([])}.AAAA",
            f"{b64({'alg': ['ES256']})}.{b64({})}.AAAA",
            f"{b64({'alg': {}})}.{b64({})}.AAAA",
            f"{b64({'alg': 'ES256', 'typ': 5})}.{b64(claims())}.AAAA",
            f"{b64(bytes([255, 254]))}.{b64({})}.AAAA",
            f"{b64({'alg': 'ES256'})}.{b64(claims(iss=chr(0)))}.AAAA",
            f"{b64({'alg': 'ES256'})}.{b64(claims(sub=chr(0xD800)))}.AAAA",
            f"{b64({'alg': 'ES256', 'kid': chr(0)})}.{b64(claims())}.AAAA",
            self.token() + ".x",
            self.token() + "=",
            " " + self.token(),
            self.token() + "\n",
            self.token(junk="x" * 20_000),
        ):
            started = time.thread_time()
            self.refused(text)
            self.assertLess(time.thread_time() - started, 0.2)

    def test_text_that_no_database_keeps_is_refused_before_it_is_looked_up(self):
        """PostgreSQL has no NUL and no half of a surrogate pair: asking for one would be a crash."""
        for name in ("iss", "sub", "jti", "email"):
            for text in ("a\0", "\ud800"):
                with self.assertRaises(JwtRefused):
                    jwt_check.glance(f"{b64({'alg': 'ES256'})}.{b64(claims(**{name: text}))}.AAAA")
        key = self.key.jwk()
        for text in ("a\0", "\ud800"):
            with self.assertRaises(JwtRefused):
                jwt_check.public_keys({"keys": [{**key, "x5t": text}]})
        self.assertEqual(jwt_check.glance(self.token(sub="Zoë 🙂")).subject, "Zoë 🙂")

    def test_broken_keys_never_crash(self):
        random.seed(7)
        odd = (None, 5, "", "AQAB", "!!", "é", [], {}, "A" * 40_000, True, 1.5)
        rsa = signing_key("RS256", "rsa")
        for key in (self.key, rsa, signing_key("EdDSA", "ed")):
            token = key.sign(claims(), typ="at+jwt")
            for _number in range(150):
                jwk = key.jwk()
                jwk[random.choice([name for name in jwk if name != "kid"])] = random.choice(odd)
                try:
                    jwt_check.verify(token, jwt_check.public_keys({"keys": [jwk]}), RULES)
                except JwtRefused:
                    pass

    def test_key_sets_hold_public_signature_keys(self):
        encryption = signing_key(kid="enc").jwk(use="enc")
        found = jwt_check.public_keys({"keys": [*self.keys, encryption, {"kty": "oct", "k": "x"}, "x", None]})
        self.assertEqual(found, self.keys)
        for document in (
            {},
            {"keys": None},
            {"keys": {}},
            {"keys": []},
            {"keys": [encryption]},
            {"keys": [{**self.keys[0], "d": "secret"}]},
            {"keys": self.keys * 101},
        ):
            with self.assertRaises(JwtRefused):
                jwt_check.public_keys(document)

    def test_missing_package_is_named(self):
        token = self.token()
        self.assertTrue(jwt_check.is_available())
        with patch.dict("sys.modules", {"jwt": None}):
            self.assertFalse(jwt_check.is_available())
            self.refused(token, "PyJWT is not installed")
