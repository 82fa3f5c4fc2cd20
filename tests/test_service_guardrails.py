from odoo.tests import BaseCase, tagged

from ..services import guardrails


@tagged("post_install", "-at_install")
class TestServiceGuardrails(BaseCase):
    def test_secrets_and_access_control_are_unreachable(self):
        for model in (
            "ir.config_parameter",
            "ir.rule",
            "ir.model.access",
            "ir.cron",
            "ir.cron.trigger",
            "ir.actions.server",
            "ir.actions.act_window",
            "ir.module.module",
            "res.users.apikeys",
            "res.users.apikeys.description",
            "payment.provider",
            "mcp.token",
            "mcp.profile",
            "auth_totp.device",
            "change.password.wizard",
            # Who follows what tells of records that the user may not see.
            "mail.followers",
            "mail.notification",
            # Open a document to whoever has the link.
            "portal.share",
            "project.share.wizard",
            "spreadsheet.dashboard.share",
        ):
            self.assertTrue(guardrails.model_is_unreachable(model), model)

    def test_business_models_are_reachable(self):
        for model in ("res.partner", "sale.order", "account.move", "crm.lead", "res.users", "ir.model"):
            self.assertFalse(guardrails.model_is_unreachable(model), model)

    def test_users_groups_and_messages_are_read_only(self):
        for model in (
            "res.users",
            "res.groups",
            "mail.message",
            "mail.message.schedule",
            # Posts later, as any author, with any sender and context.
            "mail.scheduled.message",
            "discuss.channel.member",
            "ir.model.fields",
            "ir.sequence",
        ):
            self.assertTrue(guardrails.model_is_read_only(model), model)
        for model in ("res.partner", "mail.activity", "product.template"):
            self.assertFalse(guardrails.model_is_read_only(model), model)

    def test_credentials_are_secret_by_name(self):
        for field in (
            "password",
            "new_password",
            "smtp_password",
            "totp_secret",
            "stripe_secret_key",
            "api_key",
            "access_token",
            "signup_token",
            "oauth_access_token",
            "client_secret",
        ):
            self.assertTrue(guardrails.field_is_secret(field), field)
        for field in ("name", "keyword", "token_count_today", "secretary_id", "monkey", "passport_id", "api_key_ids"):
            self.assertFalse(guardrails.field_is_secret(field), field)

    def test_kept_fields_cannot_be_written(self):
        for field in (
            "id",
            "create_uid",
            "write_date",
            "group_ids",
            "share",
            "password",
            "alias_id",
            "message_partner_ids",
        ):
            self.assertTrue(guardrails.field_is_unwritable(field), field)
        self.assertFalse(guardrails.field_is_unwritable("active"))

    def test_primitives_cannot_be_called(self):
        for method in ("sudo", "with_user", "_compute_name", "write", "unlink", "web_save", "load", "message_post"):
            self.assertTrue(guardrails.method_is_uncallable(method), method)
        for method in ("action_confirm", "action_archive", "button_validate"):
            self.assertFalse(guardrails.method_is_uncallable(method), method)
