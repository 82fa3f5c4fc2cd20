"""A small, careful part of Markdown as safe HTML: what an assistant writes, as it may be stored and mailed.

Paragraphs, line breaks, headings (as bold lines), bold, italics, code, lists with sub-lists, quotes, and links to
http, https and mailto. Everything is escaped first and only these elements are written, without any attribute but
`href`; HTML in the source stays visible as text. No tables, no images: a message needs none, and an image is a beacon.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

MAX_SOURCE = 100_000
MAX_DEPTH = 4
# What encloses what: bold in a link in italics is as far as anybody writes.
_MAX_NESTED = 4

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*$")
_RULE = re.compile(r" {0,3}(?:-[ \t]*){3,}$| {0,3}(?:\*[ \t]*){3,}$")
_ITEM = re.compile(r"([ \t]{0,40})([-*+]|\d{1,9}[.)])[ \t]+(.*)$")
_QUOTE = re.compile(r" {0,3}> ?(.*)$")

_INLINE = re.compile(
    r"\\(?P<escaped>[\\`*_\[\]()#+.!>-])"
    r"|(?P<tick>`+)(?P<code>[^`\n]{1,2000})(?P=tick)(?!`)"
    r"|\[(?P<label>[^\[\]\n]{1,500})\]\((?P<href>[^()\s]{1,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,2000})?)\)"
    r"|(?P<bare>https?://[^\s<>\"'`*\[\]]{1,2000})"
    r"|\*\*(?P<bold>[^\s*](?:[^*\n]|\*(?!\*)){0,5000}?)\*\*"
    r"|(?<!\w)__(?P<bold2>[^\s_](?:[^_\n]|_(?!_)){0,5000}?)__(?!\w)"
    r"|\*(?P<italic>[^\s*][^*\n]{0,5000}?)\*"
    r"|(?<!\w)_(?P<italic2>[^\s_][^_\n]{0,5000}?)_(?!\w)"
)
_SAFE_LINK = re.compile(r"(?:https?://[^\s/]|mailto:[^\s@]+@)[^\s\x00-\x1f]*", re.IGNORECASE)
_TRAILING = ".,;:!?)"


def markdown_to_html(source: str) -> str:
    """Return safe HTML for a Markdown text, empty for none.

    :raises ValueError: longer than a message can be; fit for the client
    """
    if len(source) > MAX_SOURCE:
        raise ValueError(f"The text has {len(source):,} characters; at most {MAX_SOURCE:,} can be posted.")
    lines = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    return _blocks(lines, 0)


@dataclass
class _List:
    """A list being read: its items are lists of lines, rendered when it ends."""

    ordered: bool
    indent: int
    items: list[list[str]] = field(default_factory=list)


def _blocks(lines: list[str], depth: int) -> str:
    written: list[str] = []
    paragraph: list[str] = []
    position = 0

    def end_paragraph() -> None:
        if paragraph:
            written.append(f"<p>{'<br>'.join(_inline(line.strip()) for line in paragraph)}</p>")
            paragraph.clear()

    while position < len(lines):
        line = lines[position]
        reader = _reader(line, depth)
        if reader is not None:
            end_paragraph()
            block, position = reader(lines, position, depth)
            written.append(block)
            continue
        if line.strip():
            paragraph.append(line)
        else:
            end_paragraph()
        position += 1
    end_paragraph()
    return "".join(written)


def _reader(line: str, depth: int):
    """Return the function that reads the block starting with this line, None for a paragraph's line."""
    if _FENCE.match(line):
        return _code_block
    if _HEADING.match(line):
        return _heading
    if _RULE.match(line):
        return _rule
    if depth < MAX_DEPTH:
        if _ITEM.match(line):
            return _list
        if _QUOTE.match(line):
            return _quote
    return None


def _code_block(lines: list[str], position: int, depth: int) -> tuple[str, int]:
    fence = _FENCE.match(lines[position]).group(1)
    end = position + 1
    while end < len(lines) and not lines[end].strip().startswith(fence):
        end += 1
    code = html.escape("\n".join(lines[position + 1 : end]))
    return f"<pre><code>{code}</code></pre>", end + 1


def _heading(lines: list[str], position: int, depth: int) -> tuple[str, int]:
    return f"<p><strong>{_inline(_HEADING.match(lines[position]).group(1))}</strong></p>", position + 1


def _rule(lines: list[str], position: int, depth: int) -> tuple[str, int]:
    return "<hr>", position + 1


def _quote(lines: list[str], position: int, depth: int) -> tuple[str, int]:
    inner = []
    while position < len(lines) and (match := _QUOTE.match(lines[position])):
        inner.append(match.group(1))
        position += 1
    return f"<blockquote>{_blocks(inner, depth + 1)}</blockquote>", position


def _list(lines: list[str], position: int, depth: int) -> tuple[str, int]:
    first = _ITEM.match(lines[position])
    found = _List(ordered=first.group(2)[0].isdigit(), indent=_width(first.group(1)))
    while position < len(lines):
        line = lines[position]
        match = _ITEM.match(line)
        if match and _width(match.group(1)) <= found.indent + 1:
            if match.group(2)[0].isdigit() != found.ordered or _width(match.group(1)) < found.indent:
                break
            found.items.append([match.group(3)])
        elif line.strip() and (match or line[0] in " \t"):
            # Indented under the item: a sub-list, or the rest of its text.
            found.items[-1].append(_outdented(line, found.indent + 2))
        elif not line.strip() and position + 1 < len(lines) and lines[position + 1][:1] in (" ", "\t"):
            pass
        else:
            break
        position += 1
    tag = "ol" if found.ordered else "ul"
    return f"<{tag}>{''.join(_item(item, depth) for item in found.items)}</{tag}>", position


def _item(lines: list[str], depth: int) -> str:
    content = _blocks(lines, depth + 1)
    if content.startswith("<p>"):
        # The text of an item stands without a paragraph of its own.
        text, _end, rest = content[3:].partition("</p>")
        content = text + rest
    return f"<li>{content}</li>"


def _width(indent: str) -> int:
    return len(indent.expandtabs(4))


def _outdented(line: str, width: int) -> str:
    line = line.expandtabs(4)
    return line[min(width, len(line) - len(line.lstrip())) :]


def _inline(text: str, nested: int = 0) -> str:
    """Return one line with its marks as elements; what is no mark is escaped."""
    parts: list[str] = []
    position = 0
    for match in _INLINE.finditer(text):
        parts.append(html.escape(text[position : match.start()]))
        parts.append(_mark(match, nested))
        position = match.end()
    parts.append(html.escape(text[position:]))
    return "".join(parts)


def _mark(match: re.Match[str], nested: int) -> str:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    if "escaped" in found:
        return html.escape(found["escaped"])
    if "code" in found:
        return f"<code>{html.escape(found['code'].strip() or found['code'])}</code>"
    if "bare" in found:
        address = found["bare"].rstrip(_TRAILING)
        return _link(address, html.escape(address)) + html.escape(found["bare"][len(address) :])
    if nested >= _MAX_NESTED:
        return html.escape(match.group())
    if "label" in found:
        if not _SAFE_LINK.fullmatch(found["href"]):
            return html.escape(match.group())
        return _link(found["href"], _text_only(found["label"]))
    tag = "strong" if "bold" in found or "bold2" in found else "em"
    inner = next(found[name] for name in ("bold", "bold2", "italic", "italic2") if name in found)
    return f"<{tag}>{_inline(inner, nested + 1)}</{tag}>"


def _link(address: str, label: str) -> str:
    return f'<a href="{html.escape(address, quote=True)}">{label}</a>'


def _text_only(label: str) -> str:
    """Return a link's label: emphasis is dropped, as a link inside a link must not be."""
    return html.escape(re.sub(r"[*_`]{1,3}", "", label) or label)
