"""HTML of Odoo fields and mails as short Markdown.

For reading by a model, not for rendering: paragraphs, headings, lists, links, emphasis, code, quotes and table rows
survive; scripts, styles and what a person would not see (hidden elements, invisible characters: both are used to
smuggle instructions) do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

MAX_HTML = 1_000_000
MAX_INDENTS = 8
_TOO_DEEP = "Excessive depth"

_DROPPED = frozenset(
    {
        "script", "style", "head", "title", "template", "noscript", "object", "iframe", "svg", "math", "canvas",
        "audio", "video", "select", "textarea",
    }
)  # fmt: skip
_BLOCKS = frozenset(
    {
        "p", "div", "section", "article", "header", "footer", "main", "aside", "nav", "address", "figure",
        "figcaption", "form", "fieldset", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "ul", "ol", "li",
        "dl", "dt", "dd", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "center",
    }
)  # fmt: skip
_EMPHASIS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "s": "~~", "del": "~~"}
# Between blocks of these a blank line; between others a line break is enough.
_SPACED = frozenset(
    {
        "p", "table", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6",
    }
)  # fmt: skip
_HIDDEN_STYLE = re.compile(r"display:none|visibility:hidden|font-size:0(?:px|pt|em|rem|%|;|!|$)|opacity:0(?:;|!|$)")
_LINK = re.compile(r"(?:https?://|mailto:|tel:|/(?!/))\S+", re.IGNORECASE)
# Zero-width characters and the Unicode tag block; joiners stay, scripts and emoji need them.
_INVISIBLE = re.compile("[\x00\u00ad\u200b\u200e\u200f\u2060-\u2064\u202a-\u202e\ufeff\U000e0000-\U000e007f]")
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")


def html_to_markdown(html: str) -> str:
    """Return the visible text of an HTML fragment or document as Markdown, empty for none."""
    source = _INVISIBLE.sub("", html[:MAX_HTML])
    if "<" not in source and "&" not in source:
        return source.strip()
    # huge_tree lifts the nesting limit from 256 elements to 2048; what lies deeper is lost, and said.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(f"<div>{source}</div>".encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return ""
    if root is None:
        return ""
    writer = _Writer()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            if _is_hidden(element):
                walk.skip_subtree()
            else:
                writer.start(element)
        else:
            if not _is_hidden(element):
                writer.end(element)
            writer.text(element.tail)
    cut = len(html) > MAX_HTML or any(_TOO_DEEP in entry.message for entry in parser.error_log)
    return (writer.finish() + ("\n\n[The rest of this HTML was not read.]" if cut else "")).strip("\n")


def _is_hidden(element: etree._Element) -> bool:
    if element.tag in _DROPPED or "hidden" in element.attrib:
        return True
    style = element.get("style")
    return bool(style) and bool(_HIDDEN_STYLE.search("".join(style.lower().split())))


class _Writer:
    """Collects one block of inline text at a time and writes it with the prefixes of its lists and quotes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.inline: list[str] = []
        self.blocks = 0
        self.opened: list[tuple[int, int]] = []
        self.prefixes: list[str] = []
        self.marker = ""
        self.counters: list[int | None] = []
        self.pre = 0
        self.row_depth = 0
        self.cells = 0

    def start(self, element: etree._Element) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self._start_block(tag, element)
        elif tag == "br":
            self.inline.append(" " if self.row_depth else "\n")
        elif tag == "hr":
            self._flush()
            self.inline.append("---")
            self._flush()
        elif tag == "img" and element.get("alt", "").strip():
            self.inline.append(f"[image: {element.get('alt').strip()}]")
        elif tag in _EMPHASIS or tag == "a":
            self.opened.append((self.blocks, len(self.inline)))
        self.text(element.text)

    def end(self, element: etree._Element) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self._end_block(tag)
        elif tag in _EMPHASIS:
            mark = _EMPHASIS[tag]
            self._wrap(lambda inner: f"{mark}{inner}{mark}")
        elif tag == "a":
            self._wrap(_link(element.get("href", "").strip()))

    def text(self, text: str | None) -> None:
        if text:
            self.inline.append(text if self.pre else _SPACE.sub(" ", text))

    def finish(self) -> str:
        self._flush()
        return "\n".join(self.lines).strip("\n")

    def _start_block(self, tag: str, element: etree._Element) -> None:
        if self.row_depth:
            # Inside a row of a data table everything stays on its line.
            if tag in ("td", "th"):
                self.inline.append(" | " if self.cells else "")
                self.cells += 1
            else:
                self.inline.append(" ")
            self.row_depth += 1
            return
        self._flush(blank=tag in _SPACED and not self.counters)
        if tag == "tr" and _is_data_row(element):
            self.row_depth, self.cells = 1, 0
        elif tag in ("ul", "ol"):
            self.counters.append(1 if tag == "ol" else None)
        elif tag == "li" and self.counters:
            counter = self.counters[-1]
            self.marker = "- " if counter is None else f"{counter}. "
            self.counters[-1] = None if counter is None else counter + 1
            self._indent(" " * len(self.marker))
        elif tag == "blockquote":
            self._indent("> ")
        elif tag == "pre":
            self.pre += 1
            self.inline.append("```\n")
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.inline.append("#" * int(tag[1]) + " ")

    def _end_block(self, tag: str) -> None:
        if self.row_depth > 1:
            self.row_depth -= 1
            return
        self.row_depth = 0
        if tag == "pre":
            self.inline.append("\n```")
        self._flush(blank=tag in _SPACED and len(self.counters) < 2 and not (self.counters and tag == "p"))
        if tag == "pre":
            self.pre = max(0, self.pre - 1)
        elif tag in ("ul", "ol") and self.counters:
            self.counters.pop()
        elif (tag == "li" and self.counters) or tag == "blockquote":
            if self.prefixes:
                self.prefixes.pop()
            self.marker = ""

    def _indent(self, prefix: str) -> None:
        # Thousands of nested quotes would otherwise make each line thousands of characters long.
        self.prefixes.append(prefix if len(self.prefixes) < MAX_INDENTS else "")

    def _flush(self, *, blank: bool = False) -> None:
        """Write the collected inline text as lines; `blank` asks for an empty line after what was written so far."""
        text = "".join(self.inline)
        lines = text.split("\n") if self.pre else [_SPACE.sub(" ", line).strip() for line in text.split("\n")]
        self.inline = []
        self.blocks += 1
        if text.strip(" \n#"):
            prefix = "".join(self.prefixes)
            for line in _without_outer_blanks(lines):
                start = prefix.removesuffix(" " * len(self.marker)) + self.marker
                self.lines.append((start + line).rstrip())
                self.marker = ""
        if blank and self.lines and self.lines[-1]:
            self.lines.append("")

    def _wrap(self, write: Callable[[str], str]) -> None:
        """Put what was written since the element opened through `write`, its outer spaces outside."""
        if not self.opened:
            return
        blocks, position = self.opened.pop()
        if blocks != self.blocks:
            return
        inner = "".join(self.inline[position:])
        bare = inner.strip()
        if not bare and not inner:
            return
        before, after = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :] if bare else ""
        self.inline[position:] = [before, write(bare) if bare else "", after]


def _link(href: str) -> Callable[[str], str]:
    if not _LINK.fullmatch(href):
        return str
    return lambda inner: href if inner in (href, href.removeprefix("mailto:")) else f"[{inner}]({href})"


def _is_data_row(row: etree._Element) -> bool:
    """Tell a row of data from the single-cell and nested tables that mails use for their layout."""
    return len(row) > 1 and row.find(".//table") is None


def _without_outer_blanks(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]
