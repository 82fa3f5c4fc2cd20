import logging
from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models

_logger = logging.getLogger(__name__)

WARNED_BEFORE = timedelta(days=7)
BATCH = 100
ACTIVITY = "mail.mail_activity_data_todo"


class McpToken(models.Model):
    """What the owner is told: that a token was made or got a new secret, and that one is about to expire."""

    _inherit = "mcp.token"

    expiry_warned_at = fields.Datetime(readonly=True)
    # An activity of the user, not of the token: activities of a record need followers and a chatter on it.
    expiry_activity_id = fields.Many2one("mail.activity", readonly=True, ondelete="set null")

    @api.model
    def _issue(self, user, **options) -> str:
        secret = super()._issue(user, **options)
        # sudo: the digest is readable by nobody; it is that of the token just made.
        token = self.sudo().search([("digest", "=", self._digest(secret))])
        _logger.info("MCP token %s made for %s by %s", token.id, user.login, self.env.user.login)
        token._tell_owner_of_secret(
            lambda env: env._("New token for AI assistants"),
            lambda env: env._(
                "The token “%(name)s” (%(hint)s) was made for your account. Whoever has it works in Odoo in your "
                "name. If that was not you, revoke it in %(page)s, and change your password.",
                name=token.name,
                hint=token.hint,
                page=token._page_of_owner(env),
            ),
        )
        return secret

    def _rotate(self, **options) -> str:
        secret = super()._rotate(**options)
        # sudo: whose token it is was checked by the rotation.
        token = self.sudo()
        _logger.info("MCP token %s of %s rotated", token.id, token.user_id.login)
        token.expiry_warned_at = False
        token._end_activities()
        token._tell_owner_of_secret(
            lambda env: env._("New secret of a token for AI assistants"),
            lambda env: env._(
                "The token “%(name)s” got a new secret (%(hint)s). If that was not you, revoke it in %(page)s, and "
                "change your password.",
                name=token.name,
                hint=token.hint,
                page=token._page_of_owner(env),
            ),
        )
        return secret

    def _revoke(self) -> None:
        revoked = super()._revoke()
        _logger.info("MCP tokens %s revoked by %s", self.ids, self.env.user.login)
        self._end_activities()
        return revoked

    def _end_activities(self) -> None:
        # sudo: reminders of tokens that have just been dealt with.
        self.sudo().expiry_activity_id.unlink()

    def _tell_owner_of_secret(self, subject, text) -> None:
        """Send the mail with which Odoo reports a change of the account's security, in the owner's language."""
        env = self.with_context(lang=self.user_id.lang).env
        user = env["res.users"].browse(self.user_id.id)
        if user.email:
            user._notify_security_setting_update(subject(env), text(env))

    def _page_of_owner(self, env) -> str:
        """Say where the owner finds the token; portal users have no preferences."""
        if self.user_id.share:
            return env._("your account, AI assistants (%s)", f"{self.get_base_url()}/my/assistants")
        return env._("My Preferences, AI Access")

    @api.model
    def _cron_warn_expiring(self) -> None:
        """Warn the owners of tokens that expire within a week, once for each secret."""
        now = fields.Datetime.now()
        domain = [
            ("kind", "=", "personal"),
            ("revoked_at", "=", False),
            ("expiry_warned_at", "=", False),
            ("expires_at", ">", now),
            ("expires_at", "<=", now + WARNED_BEFORE),
            ("user_id.active", "=", True),
        ]
        cron = self.env["ir.cron"]
        tokens = self.search(domain, order="expires_at, id", limit=BATCH)
        cron._commit_progress(remaining=self.search_count(domain))
        for token in tokens:
            token.expiry_warned_at = now
            # One that was made for a few days is not worth a warning.
            if token.expires_at - (token.rotated_at or token.create_date) > WARNED_BEFORE:
                token._warn_of_expiry()
            cron._commit_progress(processed=1)

    def _warn_of_expiry(self) -> None:
        owner = self.user_id
        # No mail of its own for the activity: the one below says more.
        env = self.with_context(lang=owner.lang, tz=owner.tz, mail_activity_quick_update=True).env
        ends = fields.Datetime.context_timestamp(env["mcp.token"], self.expires_at)
        subject = env._("Token “%(name)s” expires on %(date)s", name=self.name, date=ends.strftime("%Y-%m-%d"))
        advice = env._(
            "Assistants that use it stop working then. To go on, replace it in %s; otherwise let it expire.",
            self._page_of_owner(env),
        )
        if not owner.share:
            self.expiry_activity_id = env["mail.activity"].create(
                {
                    "activity_type_id": env["ir.model.data"]._xmlid_to_res_id(ACTIVITY),
                    "summary": subject,
                    "note": advice,
                    "date_deadline": ends.date(),
                    "user_id": owner.id,
                }
            )
        env["mail.thread"].message_notify(
            partner_ids=owner.partner_id.ids,
            subject=subject,
            body=Markup("<p>%s</p><p>%s</p>") % (subject, advice),
            email_layout_xmlid="mail.mail_notification_light",
        )
