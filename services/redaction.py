"""Masks secrets and personal numbers in what the audit log keeps.

Two ways to find them: by the name under which a value stands (`password`, `api_key`, also as the field of a filter or
a domain condition), and by what the text looks like (our tokens, bearer headers, well-known key formats, card numbers
with their check digit, IBANs, social-security numbers). It is a safety net over what tools were given, not a proof
that nothing is left. Works on nested JSON and returns a copy.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from .personal_numbers import mask_personal_numbers

MASK = "[redacted]"
LEFT_OUT = "[left out]"
MAX_STRING = 2_000
MAX_ITEMS = 100
MAX_DEPTH = 8
# A secret may straddle the place where a long text is cut: this much more is searched, and then thrown away.
_MARGIN = 300

_SECRET_WORDS = frozenset(
    {
        "password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "authorization",
        "cookie", "cookies", "credential", "credentials", "totp", "otp", "cvv", "cvc", "pin", "apikey", "accesskey",
        "privatekey", "jwt", "bearer", "ssn", "ssnid", "passport", "iban", "auth", "passwort", "kennwort", "wachtwoord",
        "contrasena", "senha",
    }
)  # fmt: skip
_SECRET_PAIRS = frozenset(
    ("api key", "private key", "access key", "secret key", "auth key", "signing key", "encryption key", "card number",
     "session id", "oauth token", "recovery code", "account number", "acc number", "credit card", "pin code",
     "cc number", "card no", "identification id", "smtp pass", "db pass", "de passe")
)  # fmt: skip
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_SECRETS = re.compile(
    r"""
      \bomcp_[A-Za-z0-9_-]{6,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)?
    | \b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}
    | \bsk-[A-Za-z0-9_-]{20,}
    | \bgh[pousr]_[A-Za-z0-9]{20,}
    | \bgithub_pat_[A-Za-z0-9_]{20,}
    | \bgl(?:pat|rt|dt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{16,}
    | \b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}
    | \bhooks\.slack\.com/services/[A-Za-z0-9/]{8,}
    | \b(?:npm|hf|whsec|shpat|shpss|dop_v1)_[A-Za-z0-9]{16,}
    | \bpypi-[A-Za-z0-9_-]{16,}
    | \bya29\.[A-Za-z0-9_-]{16,}
    | \bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | \bAGE-SECRET-KEY-1[0-9A-Z]{20,}
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bAIza[A-Za-z0-9_-]{30,}
    """,
    re.VERBOSE,
)
_HEADER = re.compile(r"\b(Bearer|Basic|Digest)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_COOKIES = re.compile(r"\b((?:Set-)?Cookie:)[^\r\n]{1,4000}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^\s:/@]{0,200}:)[^\s/]{1,200}(?=@)")
# As people and programs name them in the languages most heard of; `"` may be escaped, as in JSON within a text.
_NAME = r"""(?:pass(?:word|wd|phrase)?|passwort|kennwort|mot\ de\ passe|contrase(?:ñ|n)a|senha|wachtwoord|pwd|pw|pin|otp
    |cvv|cvc|secret|session_id|sid|authorization|[a-z_]{0,30}token|api[_\ -]?key|account[_-]?key
    |[a-z_]{0,30}(?:secret|access|private)[_-]?key|client[_-]?secret)"""
_ASSIGNED = re.compile(
    rf"""(\b{_NAME}[\\"']{{0,4}}\s{{0,3}}[:=]\s{{0,3}})
        (\\?"[^"\\]{{1,500}}\\?"|'[^']{{1,500}}'|[^\s"'&,;<>\\]{{2,500}})""",
    re.IGNORECASE | re.VERBOSE,
)
_ELEMENT = re.compile(rf"(<{_NAME}>)[^<]{{1,500}}", re.IGNORECASE | re.VERBOSE)
# Without a sign between them, only what is no word of a sentence: it has a digit.
_TOLD = re.compile(
    rf"""(\b{_NAME}\s{{1,3}}(?:is\s|ist\s|est\s|es\s)?)(?=[^\s]{{0,60}}\d)[^\s"'&,;<>]{{3,500}}""",
    re.IGNORECASE | re.VERBOSE,
)


def redact(
    value: object,
    *,
    keys: Collection[str] = (),
    patterns: Sequence[re.Pattern[str]] = (),
    max_string: int = MAX_STRING,
    max_total: int | None = None,
    seconds: float | None = None,
) -> object:
    """Return a copy of nested JSON with secrets masked, strings and lists shortened, and depth limited.

    :param keys: further names whose values are secret, compared without case
    :param patterns: further texts to mask, such as `safe_patterns` has found harmless
    :param max_string: characters of a string that are kept
    :param max_total: characters of all strings together; what comes after them is left out
    :param seconds: time to take at most, give or take one string; what comes after it is left out
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    return _Redactor({key.lower() for key in keys}, patterns, max_string, max_total, deadline).value(value, 0)


def redact_text(text: str, patterns: Sequence[re.Pattern[str]] = ()) -> str:
    """Return the text with what looks like a secret or a personal number masked."""
    text = _PEM.sub(MASK, text)
    text = _HEADER.sub(rf"\1 {MASK}", text)
    text = _SECRETS.sub(MASK, text)
    for pattern in (_COOKIES, _URL_PASSWORD, _ELEMENT, _ASSIGNED, _TOLD):
        text = pattern.sub(rf"\1{MASK}", text)
    text = mask_personal_numbers(text)
    for pattern in patterns:
        text = pattern.sub(MASK, text)
    return text


def is_secret_name(name: str) -> bool:
    """Tell whether a key or field of this name holds a secret: by whole words, `token_count` does not."""
    words = [word.lower().rstrip("0123456789") for word in _WORD.findall(name.rsplit(".", 1)[-1])]
    if not words:
        return False
    if words[-1] in ("token", "tokens") or not _SECRET_WORDS.isdisjoint(words):
        return True
    return any(f"{first} {second}" in _SECRET_PAIRS for first, second in pairwise(words))


class _Redactor:
    """One pass over one payload."""

    def __init__(
        self,
        keys: Collection[str],
        patterns: Sequence[re.Pattern[str]],
        max_string: int,
        max_total: int | None,
        deadline: float | None,
    ) -> None:
        self.keys = keys
        self.patterns = patterns
        self.max_string = max_string
        self.left = max_total
        self.deadline = deadline

    def value(self, value: object, depth: int) -> object:
        if self._is_spent():
            return LEFT_OUT
        if isinstance(value, str):
            return self._string(value)
        if self.left is not None:
            # What a number or a bracket takes.
            self.left -= 8
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float):
            masked = redact_text(str(value), self.patterns)
            return value if masked == str(value) else masked
        if depth >= MAX_DEPTH:
            return "[nested deeper]"
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        if isinstance(value, list | tuple | set | frozenset):
            return self._list(list(value), depth + 1)
        return self._string(str(value))

    def _is_spent(self) -> bool:
        if self.left is not None and self.left <= 0:
            return True
        return self.deadline is not None and time.monotonic() > self.deadline

    def _string(self, text: str) -> str:
        if self._is_spent():
            return LEFT_OUT
        if self.left is not None:
            self.left -= min(len(text), self.max_string)
        if len(text) <= self.max_string:
            return redact_text(text, self.patterns)
        window = redact_text(text[: self.max_string + _MARGIN], self.patterns)
        kept = window[:-_MARGIN] if len(text) > self.max_string + _MARGIN else window
        return f"{kept[: self.max_string]}… [{len(text):,} characters]"

    def _mapping(self, value: Mapping, depth: int) -> dict[str, object]:
        # A filter or a condition: the field's name stands beside its value, not as its key.
        named = next((value[key] for key in ("field", "name", "key") if isinstance(value.get(key), str)), "")
        beside = ("value", "values") if self._is_secret(named) else ()
        masked = {}
        for index, (key, item) in enumerate(value.items()):
            if index >= MAX_ITEMS:
                masked["…"] = f"{len(value) - MAX_ITEMS} more"
                break
            name = self._string(str(key))
            secret = (self._is_secret(str(key)) or key in beside) and item not in (None, False, "")
            masked[name] = MASK if secret else self.value(item, depth)
        return masked

    def _list(self, value: list, depth: int) -> list[object]:
        if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], str) and self._is_secret(value[0]):
            return [value[0], self._string(value[1]), MASK]
        masked = [self.value(item, depth) for item in value[:MAX_ITEMS]]
        if len(value) > MAX_ITEMS:
            masked.append(f"… {len(value) - MAX_ITEMS} more")
        return masked

    def _is_secret(self, name: str) -> bool:
        return name.lower() in self.keys or is_secret_name(name)
