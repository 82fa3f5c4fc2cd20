import time

from odoo.tests import BaseCase, tagged

from ..services.html_text import html_to_markdown

CASES = [
    ("", ""),
    ("plain text", "plain text"),
    ("a &amp; b&nbsp;c", "a & b c"),
    ("<p>one</p><p>two</p>", "one\n\ntwo"),
    ("<div>one</div><div>two</div>", "one\ntwo"),
    ("one<br>two<br/>three", "one\ntwo\nthree"),
    ("<p>  a\n  b   c </p>", "a b c"),
    ("<h1>Top</h1><h3>Low</h3>text", "# Top\n\n### Low\n\ntext"),
    ("a <b>bold </b>and <em>thin</em>", "a **bold** and *thin*"),
    ("<b></b>x<strong> </strong>y", "x y"),
    ('<a href="https://x.y/z?a=1">link</a>', "[link](https://x.y/z?a=1)"),
    ('<a href="https://x.y">https://x.y</a>', "https://x.y"),
    ('<a href="mailto:a@b.c">a@b.c</a>', "mailto:a@b.c"),
    ('<a href="/web#id=1">record</a>', "[record](/web#id=1)"),
    ('<a href="javascript:alert(1)">click</a><a href="data:text/html,x">d</a><a href="//evil">e</a>', "clickde"),
    ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>d", "- a\n- b\n  - c\n\nd"),
    ("<ol><li>a</li><li><p>b</p></li></ol>", "1. a\n2. b"),
    ("<table><tr><th>A</th><th>B</th></tr><tr><td><p>1</p></td><td>2<br>3</td></tr></table>", "A | B\n1 | 2 3"),
    ("<table><tr><td><table><tr><td>x</td><td>y</td></tr></table></td></tr></table>", "x | y"),
    ("<blockquote>said</blockquote>", "> said"),
    ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
    ("use <code>x = 1</code>", "use `x = 1`"),
    ("a<hr>b", "a\n---\nb"),
    ('<img alt="logo" src="data:image/png;base64,AAAA"><img src="x.png">', "[image: logo]"),
    ("<script>x()</script><style>p{}</style><title>t</title><template>u</template>seen", "seen"),
    ("<!-- comment -->seen<!--", "seen"),
    ("&lt;b&gt;", "<b>"),
    ("<?xml version='1.0' encoding='utf-8'?><p>x</p>", "x"),
    ("<p>unclosed <b>bold", "unclosed **bold**"),
    ("</p></div>stray", "stray"),
]
HIDDEN = [
    '<p style="display: none">SECRET</p>seen',
    '<span style="color:red;DISPLAY:NONE !important">SECRET</span>seen',
    '<span style="visibility:hidden">SECRET</span>seen',
    '<span style="font-size:0">SECRET</span>seen',
    '<span style="font-size: 0px;">SECRET</span>seen',
    '<span style="opacity:0">SECRET</span>seen',
    "<div hidden><p>SECRET</p></div>seen",
    "<noscript>SECRET</noscript>seen",
    "seen\U000e0053\U000e0045",
    "se\u200ben\u202e",
]
BOMBS = [
    "<div>" * 60_000 + "x",
    "<b>" * 60_000 + "x",
    "<ul><li>x" * 60_000,
    "<blockquote>" * 2000 + "<p>x</p>" * 50_000,
    "<table><tr><td>a<td>b" * 30_000,
    "<a href='http://x'>" * 30_000,
    "<p style='" + "display:" * 50_000 + "'>x</p>",
    "&" * 500_000,
    "<" * 500_000,
]


@tagged("post_install", "-at_install")
class TestServiceHtmlText(BaseCase):
    def test_html_becomes_short_markdown(self):
        for html, markdown in CASES:
            with self.subTest(html=html):
                self.assertEqual(html_to_markdown(html), markdown)

    def test_what_a_person_cannot_see_is_not_told(self):
        for html in HIDDEN:
            with self.subTest(html=html):
                self.assertEqual(html_to_markdown(html), "seen")

    def test_small_but_visible_text_stays(self):
        for style in ("font-size:0.9em", "opacity:0.5", "display:block"):
            self.assertEqual(html_to_markdown(f'<p style="{style}">seen</p>'), "seen")

    def test_unstorable_characters_do_not_break_it(self):
        self.assertEqual(html_to_markdown("<p>a\x00b\ud800</p>"), "ab?")

    def test_hostile_html_is_bounded_in_time_and_size(self):
        for html in BOMBS:
            with self.subTest(html=html[:30]):
                started = time.thread_time()
                text = html_to_markdown(html)
                self.assertLess(time.thread_time() - started, 5)
                self.assertLess(len(text), 3_000_000)

    def test_what_was_not_read_is_said(self):
        self.assertIn("not read", html_to_markdown("<div>" * 5000 + "deep"))
        self.assertIn("not read", html_to_markdown("<p>x</p>" * 200_000))
