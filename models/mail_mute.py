from odoo import models

from ..services import outgoing


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _connect__(self, *args, **kwargs):
        if outgoing.current() is not None:
            return None
        return super()._connect__(*args, **kwargs)

    def send_email(self, message, *args, **kwargs):
        notes = outgoing.current()
        if notes is None:
            return super().send_email(message, *args, **kwargs)
        recipients = [address for header in ("To", "Cc", "Bcc") for address in message.get_all(header, [])]
        notes.emails.append({"to": [str(address) for address in recipients], "subject": str(message["Subject"] or "")})
        return message["Message-Id"]


class MailMail(models.Model):
    _inherit = "mail.mail"

    def send(self, *args, **kwargs):
        # The rows stay, to be listed as what would have been sent, and go with the rollback.
        if outgoing.current() is not None:
            return True
        return super().send(*args, **kwargs)


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _web_push_send_notification(self, *args, **kwargs):
        # To a few devices Odoo pushes at once, without waiting for the commit.
        if outgoing.current() is not None:
            return None
        return super()._web_push_send_notification(*args, **kwargs)


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _run_action_webhook(self, eval_context=None):
        notes = outgoing.current()
        if notes is None:
            return super()._run_action_webhook(eval_context=eval_context)
        notes.webhooks.append(self.name)
        return None
