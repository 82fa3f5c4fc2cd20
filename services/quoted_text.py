"""Cuts from a mail what it quotes of earlier ones: the thread has those messages already.

First by the marks that mail programs leave in HTML, then by the lines that introduce a quotation in plain text. When
nothing would remain (a bare forward), the text is left whole. It decides nothing about who wrote what.
"""

from __future__ import annotations

import re

from lxml import etree, html

MARK = "[earlier messages cut]"
# Larger bodies are cut by their lines only.
MAX_HTML = 500_000

_QUOTE_XPATH = etree.XPath(
    "//*[@data-o-mail-quote or @data-o-mail-quote-container or @id='divRplyFwdMsg' or @id='appendonsend'"
    " or @id='reply-intro' or (self::blockquote and (@type='cite' or @cite))"
    " or contains(concat(' ', @class, ' '), ' gmail_quote ')"
    " or contains(concat(' ', @class, ' '), ' gmail_quote_container ')"
    " or contains(concat(' ', @class, ' '), ' yahoo_quoted ')"
    " or contains(concat(' ', @class, ' '), ' moz-cite-prefix ')"
    " or contains(concat(' ', @class, ' '), ' protonmail_quote ')]"
)
# After these Outlook quotes in ordinary elements: all that follows belongs to the quotation.
_QUOTE_STARTS = ("divRplyFwdMsg", "appendonsend")

_SEPARATOR = re.compile(
    r"\s*(?:-{2,}|_{5,})\s*(?:original message|urspr[üu]ngliche nachricht|message d'origine|mensaje original"
    r"|messaggio originale|oorspronkelijk bericht|forwarded message|weitergeleitete nachricht)?\s*-{0,40}\s*",
    re.IGNORECASE,
)
_SEPARATOR_WORDS = re.compile(r"original|urspr|origine|oorspronkelijk|forward|weitergel|_{20,}", re.IGNORECASE)
_INTRODUCTION = re.compile(
    r"[\s>*]*(?:on\b.{5,200}\bwrote|am\b.{5,200}\bschrieb\b.{0,200}|le\b.{5,200}\ba écrit|el\b.{5,200}\bescribió"
    r"|il\b.{5,200}\bha scritto|op\b.{5,200}\bschreef\b.{0,200}|em\b.{5,200}\bescreveu)\s?:[\s*]*",
    re.IGNORECASE,
)
_HEADER = re.compile(r"[\s>*]*(?:from|von|de|da|van)\s?:[\s*]*\S.*", re.IGNORECASE)
_NEXT_HEADER = re.compile(
    r"[\s>*]*(?:sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|para|asunto|inviato|a|oggetto"
    r"|verzonden|aan|onderwerp)\s?:",
    re.IGNORECASE,
)


def cut_html(source: str) -> tuple[str, bool]:
    """Return the HTML without quoted parts, and whether any were cut."""
    if len(source) > MAX_HTML or "<" not in source:
        return source, False
    try:
        root = html.fragment_fromstring(source, create_parent="div")
    except etree.LxmlError:
        return source, False
    quoted = _QUOTE_XPATH(root)
    if not quoted:
        return source, False
    for element in quoted:
        if element is root or element.getparent() is None:
            continue
        if element.get("id") in _QUOTE_STARTS:
            for later in list(element.itersiblings()):
                later.getparent().remove(later)
            element.tail = None
        element.drop_tree()
    if not "".join(root.itertext()).strip():
        return source, False
    return html.tostring(root, encoding="unicode"), True


def cut_text(text: str) -> tuple[str, bool]:
    """Return the text up to where it starts to quote, and whether it was cut."""
    lines = text.split("\n")
    start = next((index for index in range(len(lines)) if _starts_quotation(lines, index)), len(lines))
    kept = lines[:start]
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">")):
        kept.pop()
    if not kept or len(kept) == len(lines) or not "".join(lines[len(kept) :]).strip():
        return text, False
    return "\n".join(kept).rstrip(), True


def _starts_quotation(lines: list[str], index: int) -> bool:
    line = lines[index][:400]
    if _SEPARATOR.fullmatch(line) and _SEPARATOR_WORDS.search(line):
        return True
    # The introduction is often broken over two lines.
    both = f"{line} {lines[index + 1][:400]}" if index + 1 < len(lines) else line
    if _INTRODUCTION.fullmatch(line) or (len(line) > 5 and _INTRODUCTION.fullmatch(both)):
        return True
    if _HEADER.fullmatch(line):
        following = [each for each in lines[index + 1 : index + 5] if each.strip()]
        return sum(bool(_NEXT_HEADER.match(each)) for each in following) >= 2
    return False
