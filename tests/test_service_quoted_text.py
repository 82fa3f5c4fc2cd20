import time

from odoo.tests import BaseCase, tagged

from ..services.quoted_text import cut_html, cut_text


@tagged("post_install", "-at_install")
class TestQuotedText(BaseCase):
    def test_text_is_cut_where_it_starts_to_quote(self):
        cases = [
            "On Mon, 3 Jan 2025 at 10:00, Bob <b@x.org> wrote:\n> old",
            "On Mon, 3 Jan 2025 at 10:00, Bob Longname\n<bob@x.org> wrote:\n> old",
            "Am 03.01.2025 um 10:00 schrieb Bob:\n> alt",
            "Le lun. 3 janv. 2025 à 10:00, Bob a écrit :\n> vieux",
            "-----Original Message-----\nFrom: Bob\nold",
            "________________________________\nFrom: Bob\nold",
            "From: Bob\nSent: Monday\nTo: Eve\nSubject: Offer\n\nold",
            "> old\n> older",
        ]
        for quoted in cases:
            with self.subTest(quoted=quoted):
                self.assertEqual(cut_text(f"Yes, fine.\nEve\n\n{quoted}"), ("Yes, fine.\nEve", True))

    def test_ordinary_text_is_left_alone(self):
        cases = [
            "Hello\n--\nBob\n+1 555",
            "From: the beginning we knew\nit would work",
            "On Monday we meet.\nBob wrote it down.",
            "> only a quotation",
            "",
            "a\n\n---\n\nb",
            "On Mon, Bob wrote:\n> a forward without words of its own",
        ]
        for text in cases:
            with self.subTest(text=text):
                self.assertEqual(cut_text(text), (text, False))

    def test_html_is_cut_by_the_marks_of_mail_programs(self):
        cases = [
            "<div class='gmail_quote'>On x, y wrote: <blockquote>old</blockquote></div>",
            "<blockquote type='cite'>old</blockquote>",
            "<div data-o-mail-quote='1'>old</div>",
            "<div id='divRplyFwdMsg'>From: x</div><div>old</div><p>older</p>",
            "<div class='a moz-cite-prefix'>On x</div><blockquote type='cite'>old</blockquote>",
        ]
        for quoted in cases:
            with self.subTest(quoted=quoted):
                kept, was_cut = cut_html(f"<p>New</p>{quoted}")
                self.assertTrue(was_cut)
                self.assertIn("New", kept)
                self.assertNotIn("old", kept)

    def test_a_bare_forward_stays_whole(self):
        source = "<div class='gmail_quote'>all there is</div>"
        self.assertEqual(cut_html(source), (source, False))
        self.assertEqual(cut_html("no markup"), ("no markup", False))

    def test_long_lines_are_read_in_time(self):
        started = time.thread_time()
        cut_text("on " * 100_000)
        cut_text(("on " * 130 + "\n") * 3_000)
        cut_text(("-" * 500 + "\n") * 3_000)
        cut_html("<div>" * 20_000)
        self.assertLess(time.thread_time() - started, 5)
