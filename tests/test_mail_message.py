from odoo.tests import tagged

from ..models.mail_message import written_by
from .common import McpHttpCase

SHOWS_BADGE = """
const look = () => {
    const badge = document.querySelector(".o-mail-Message .badge[title*='AI assistant']");
    if (badge && badge.textContent.includes("Claude")) {
        console.log("test successful");
    } else {
        setTimeout(look, 100);
    }
};
look();
"""


@tagged("post_install", "-at_install")
class TestMailMessage(McpHttpCase):
    def test_only_messages_made_inside_are_marked(self):
        post = self.env["res.partner"].create({"name": "Acme"}).message_post
        before = post(body="a")
        with written_by("Claude"):
            inside = post(body="b")
        after = post(body="c")
        self.assertEqual([each.mcp_client for each in (before, inside, after)], [False, "Claude", False])

    def test_badge_is_shown_also_on_a_second_message_of_the_same_author(self):
        partner = self.env["res.partner"].create({"name": "Acme"})
        post = partner.with_user(self.env.ref("base.user_admin")).message_post
        # Messages of one author in a row share a header.
        post(body="by hand", message_type="comment")
        with written_by("Claude"):
            post(body="from the assistant", message_type="comment")
        self.browser_js(f"/odoo/res.partner/{partner.id}", SHOWS_BADGE, login="admin", timeout=60)
