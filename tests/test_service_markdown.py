import time

from odoo.tests import BaseCase, tagged

from ..services.markdown import MAX_SOURCE, markdown_to_html


@tagged("post_install", "-at_install")
class TestMarkdown(BaseCase):
    def test_what_is_written(self):
        cases = {
            "": "",
            "Hello\nworld\n\nBye": "<p>Hello<br>world</p><p>Bye</p>",
            "# Title": "<p><strong>Title</strong></p>",
            "**bold** and *it*": "<p><strong>bold</strong> and <em>it</em></p>",
            "__bold__ _it_": "<p><strong>bold</strong> <em>it</em></p>",
            "**a *b* c**": "<p><strong>a <em>b</em> c</strong></p>",
            "snake_case_name": "<p>snake_case_name</p>",
            "2 * 3 * 4": "<p>2 * 3 * 4</p>",
            r"\*not\*": "<p>*not*</p>",
            "`a < b`": "<p><code>a &lt; b</code></p>",
            "- a\n- b\n  - c": "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>",
            "1. a\n2. b": "<ol><li>a</li><li>b</li></ol>",
            "Text:\n- a": "<p>Text:</p><ul><li>a</li></ul>",
            "> said": "<blockquote><p>said</p></blockquote>",
            "```py\n<b> **x**\n```": "<pre><code>&lt;b&gt; **x**</code></pre>",
            "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
            "[site](https://x.org/a?b=1&c=2)": '<p><a href="https://x.org/a?b=1&amp;c=2">site</a></p>',
            "[mail](mailto:a@b.org)": '<p><a href="mailto:a@b.org">mail</a></p>',
            "see https://x.org/p.": '<p>see <a href="https://x.org/p">https://x.org/p</a>.</p>',
        }
        for source, expected in cases.items():
            with self.subTest(source=source):
                self.assertEqual(markdown_to_html(source), expected)

    def test_hostile_text_stays_text(self):
        cases = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,<script>1</script>)",
            "[x](//evil.org)",
            "[x](vbscript:x)",
            "![beacon](https://evil.org/x.png)",
            '[x](https://x" onmouseover="alert(1))',
            "[<img src=x onerror=alert(1)>](https://x.org)",
            "`<script>`",
            "```\n</code></pre><script>\n```",
            "[a](https://x.org/\tjavascript:alert)",
            "<a href='javascript:x'>y</a>",
            "**<b onclick=x>**",
            "https://x.org/<script>",
        ]
        for source in cases:
            with self.subTest(source=source):
                written = markdown_to_html(source)
                for bad in ("<script", "<img", "<b ", 'href="javascript', 'href="data', 'href="//', 'href="vb'):
                    self.assertNotIn(bad, written.lower())
                # The only attribute there is.
                self.assertNotRegex(written, r"<\w+ (?!href=\")")
                self.assertNotRegex(written, r'<a href="[^"]*"[^>]')

    def test_long_and_nested_text_is_read_in_time(self):
        evil = ["*" * 50_000, "_a" * 40_000, "[" * 50_000, "**a" * 30_000, "> " * 40_000, "- " * 40_000]
        evil.append("[a](" * 20_000)
        evil.append("\n".join(" " * depth + "- x" for depth in range(400)))
        started = time.thread_time()
        for source in evil:
            markdown_to_html(source)
        self.assertLess(time.thread_time() - started, 5)

    def test_more_than_a_message_is_refused(self):
        with self.assertRaisesRegex(ValueError, "at most"):
            markdown_to_html("x" * (MAX_SOURCE + 1))
