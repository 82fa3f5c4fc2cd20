"""Card numbers, IBANs and social-security numbers in a text, told from other numbers by their check digits."""

from __future__ import annotations

import re
from collections.abc import Callable

_ANY_DIGIT = re.compile(r"\d", re.ASCII)
# A run of digits in groups; a card number may be some of its groups.
_DIGITS = re.compile(r"(?<![\w+])(?<!\d\.)(?:\d[ -]?){12,60}\d(?!\w|\.\d)", re.ASCII)
# Not in `_DIGITS`: dots between any groups are sums and versions.
_DOTTED = re.compile(r"(?<![\w.+])\d{4}(?:\.\d{4}){3}(?!\.?\w)", re.ASCII)
# Lengths and first digits of the card networks; other numbers with a right check digit are rarely cards.
_CARD = re.compile(
    r"4\d{15}(?:\d{3})?|5[0-8]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}(?:\d\d)?|35\d{14}|6\d{15,18}", re.ASCII
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}(?![A-Za-z0-9])", re.IGNORECASE | re.ASCII)
_SHORTEST_IBAN = 15

_FR = re.compile(r"(?<!\d)[12][ .]?\d{2}[ .]?\d{2}[ .]?(?:\d{2}|2[ABab])[ .]?\d{3}[ .]?\d{3}[ .]?\d{2}(?!\d)", re.ASCII)
_BE = re.compile(r"(?<!\d)\d{2}[.]?\d{2}[.]?\d{2}[ -]?\d{3}[.]?\d{2}(?!\d)", re.ASCII)
_CH = re.compile(r"(?<!\d)756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}(?!\d)", re.ASCII)
_CA = re.compile(r"(?<!\d)\d{3}([ -])\d{3}\1\d{3}(?!\d)", re.ASCII)
# Without check digits, but of a form that hardly anything else has.
_BY_FORM = re.compile(
    r"""
      (?<![\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])                      # United States
    | \b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?(?:\d{2}[ ]?){3}[A-D]\b  # United Kingdom
    | \b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b                                        # Italy
    """,
    re.VERBOSE | re.ASCII,
)


def mask_personal_numbers(text: str) -> str:
    """Return the text with these numbers masked; of a card the last four digits stay."""
    if len(text) < 9 or not _ANY_DIGIT.search(text):
        return text
    text = _IBAN.sub(_mask_iban, text)
    text = _FR.sub(_masked_if(is_french_number), text)
    text = _CH.sub(_masked_if(is_swiss_number), text)
    text = _DOTTED.sub(_mask_dotted_card, text)
    text = _DIGITS.sub(_mask_cards, text)
    text = _BE.sub(_masked_if(is_belgian_number), text)
    text = _CA.sub(_masked_if(passes_luhn), text)
    return _BY_FORM.sub("[redacted number]", text)


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Tell whether the letters and digits are an IBAN (ISO 13616, modulo 97)."""
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def is_french_number(text: str) -> bool:
    """Tell whether 15 characters are a French NIR with its key; Corsica's 2A and 2B count as 19 and 18."""
    digits = text.upper().replace("2A", "19", 1) if text[6:7].upper() == "A" else text
    digits = digits.upper().replace("2B", "18", 1) if text[6:7].upper() == "B" else digits
    return digits.isdigit() and 97 - int(digits[:13]) % 97 == int(digits[13:])


def is_belgian_number(digits: str) -> bool:
    """Tell whether 11 digits are a Belgian national number, of a birth before or since 2000, of a real month."""
    base, key = int(digits[:9]), int(digits[9:])
    # Other codes (20, 40 added to the month) exist for people without a known birth date; they are rare.
    return int(digits[2:4]) <= 12 and int(digits[4:6]) <= 31 and key in (97 - base % 97, 97 - (2 * 10**9 + base) % 97)


def is_swiss_number(digits: str) -> bool:
    """Tell whether 13 digits are a Swiss AHV number (EAN-13 check digit)."""
    total = sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(digits))
    return total % 10 == 0


def _masked_if(check: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    """Return a replacement that masks a match whose letters and digits pass the check."""

    def mask(match: re.Match[str]) -> str:
        return "[redacted number]" if check(re.sub(r"[ .\-]", "", match[0])) else match[0]

    return mask


def _mask_cards(match: re.Match[str]) -> str:
    """Mask the card numbers among the groups of a run of digits, the longest from the left first."""
    text = match[0]
    groups = [(group.start(), group.end()) for group in re.finditer(r"\d+", text)]
    for index, (start, _end) in enumerate(groups):
        # Nineteen digits at most, so at most as many groups.
        for _start, end in reversed(groups[index : index + 19]):
            if end - start < 14:
                break
            digits = text[start:end].replace(" ", "").replace("-", "")
            if len(digits) < 20 and _CARD.fullmatch(digits) and passes_luhn(digits):
                rest = _DIGITS.sub(_mask_cards, text[end:])
                return f"{text[:start]}[redacted card …{digits[-4:]}]{rest}"
    return text


def _mask_dotted_card(match: re.Match[str]) -> str:
    digits = match[0].replace(".", "")
    return f"[redacted card …{digits[-4:]}]" if _CARD.fullmatch(digits) and passes_luhn(digits) else match[0]


def _mask_iban(match: re.Match[str]) -> str:
    """Mask the longest beginning that is an IBAN: words that follow it may look like more of it."""
    text = match[0]
    for end in range(len(text), _SHORTEST_IBAN - 1, -1):
        letters = text[:end].replace(" ", "").upper()
        if len(letters) < _SHORTEST_IBAN:
            break
        if text[end - 1] != " " and is_iban(letters):
            return f"[redacted IBAN]{text[end:]}"
    return text
