"""What no profile can allow: models, fields and methods that an assistant never reaches.

Data and predicates only. They hold on every path: filters, order, group by, dotted names, nested x2many commands.
A name is refused when it is listed or starts with a listed prefix. Admins may extend these lists, never shrink them.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Secrets, access control, code, mail transport, payments: neither read nor written, not even by an administrator.
UNREACHABLE_MODELS = frozenset(
    {
        "base.automation",
        "bus.bus",
        "certificate.certificate",
        "certificate.key",
        "fetchmail.server",
        "google.gmail.mixin",
        "iap.account",
        "iap.service",
        "ir.asset",
        "ir.attachment",
        "ir.config_parameter",
        "ir.exports",
        "ir.exports.line",
        "ir.http",
        "ir.logging",
        "ir.mail_server",
        "ir.model.access",
        "ir.profile",
        "ir.qweb",
        "ir.rule",
        "ir.ui.view",
        "ir.ui.view.custom",
        "ir.websocket",
        # Who follows or was told of what, also of records the user may not see; the chatter tools show it per record.
        "mail.followers",
        "mail.followers.edit",
        "mail.mail",
        "mail.notification",
        "mail.push",
        "mail.push.device",
        "mail.ice.server",
        "microsoft.outlook.mixin",
        "payment.method",
        "payment.provider",
        "payment.token",
        "payment.transaction",
        "portal.share",
        "portal.wizard",
        "portal.wizard.user",
        "pos.payment.method",
        "project.share.collaborator.wizard",
        "project.share.wizard",
        "res.config",
        "res.config.settings",
        "res.device",
        "res.device.log",
        "res.users.deletion",
        "res.users.identitycheck",
        "res.users.log",
        "res.users.settings",
        "sms.account.code",
        "sms.account.phone",
        "sms.account.sender",
        "sms.sms",
        "sms.tracker",
        "spreadsheet.dashboard.share",
        "task.share.wizard",
    }
)
UNREACHABLE_PREFIXES = (
    "_",
    "account_edi_proxy_client.",
    "auth.",
    "auth_totp.",
    "base.import",
    "base.language.",
    "base.module.",
    "base_import.",
    "change.password.",
    "ir.actions.",
    "ir.cron",
    "ir.module.",
    "mcp.",
    "res.users.apikeys",
)

# Readable with the user's own rights; changed in Odoo's own screens only, because a write there grants rights,
# changes code or schema, or forges a conversation.
READ_ONLY_MODELS = frozenset(
    {
        "discuss.channel",
        "mail.alias",
        "mail.alias.domain",
        "mail.activity.type",
        "mail.compose.message",
        "mail.gateway.allowed",
        "mail.guest",
        "mail.message",
        # Posted later with whatever author, sender and context its row names.
        "mail.scheduled.message",
        "mail.template",
        "mail.tracking.value",
        "publisher_warranty.contract",
        "res.company",
        "res.groups",
        "res.groups.privilege",
        "res.lang",
        "res.users",
        "website",
    }
)
READ_ONLY_PREFIXES = ("discuss.call.", "discuss.channel.", "ir.", "mail.message.")

# Credentials by name, whatever the model: `access_token` opens a document to whoever holds it.
SECRET_FIELD = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|api_?key|private_key|secret_key|access_key|credentials?"
    r"|access_token|refresh_token|auth_token|signup_token|token|totp_secret|otp|pin_code)$"
    r"|^(signup_type|signup_expiration|oauth_access_token|new_password|pin)$"
)

# Kept by Odoo itself, or a right in disguise: an alias routes mail, followers get a copy of all that is posted.
UNWRITABLE_FIELDS = frozenset(
    {
        "alias_id",
        "all_group_ids",
        "create_date",
        "create_uid",
        "display_name",
        "group_ids",
        "id",
        "message_follower_ids",
        "message_partner_ids",
        "parent_path",
        "share",
        "write_date",
        "write_uid",
    }
)

# ORM primitives, privilege changes and bulk doors. What starts with `_` is refused by name.
UNCALLABLE_METHODS = frozenset(
    {
        "browse",
        "check_access",
        "copy_data",
        "copy_translations",
        "create",
        "default_get",
        "export_data",
        "fetch",
        "fields_get",
        "filtered",
        "filtered_domain",
        "flush_model",
        "flush_recordset",
        "get_metadata",
        "get_property_definition",
        "get_view",
        "get_views",
        "grouped",
        "has_access",
        "import_data",
        "init",
        "invalidate_model",
        "invalidate_recordset",
        "load",
        "lock_for_update",
        "mapped",
        "message_mail_with_source",
        "message_post",
        "message_post_with_source",
        "message_process",
        "message_route",
        "message_subscribe",
        "message_update",
        "method_direct_trigger",
        "modified",
        "name_create",
        "onchange",
        "read",
        "run",
        "search",
        "search_count",
        "search_fetch",
        "search_read",
        "signup_get_auth_param",
        "signup_prepare",
        "sudo",
        "try_lock_for_update",
        "unlink",
        "update_field_translations",
        "web_override_translations",
        "web_save",
        "web_save_multi",
        "write",
    }
)
UNCALLABLE_PREFIXES = ("_", "with_", "web_", "init_")


def model_is_unreachable(model: str) -> bool:
    """Say whether nobody may read or write the model through us."""
    return model in UNREACHABLE_MODELS or model.startswith(UNREACHABLE_PREFIXES)


def model_is_read_only(model: str) -> bool:
    """Say whether nobody may change the model through us."""
    return model in READ_ONLY_MODELS or model.startswith(READ_ONLY_PREFIXES)


# Asked for every field of a model, over and over the same few thousand names.
@lru_cache(maxsize=16_384)
def field_is_secret(field: str) -> bool:
    """Say whether a field holds a credential, judged by its name."""
    return SECRET_FIELD.search(field) is not None


def field_is_unwritable(field: str) -> bool:
    """Say whether nobody may write the field through us."""
    return field in UNWRITABLE_FIELDS or field_is_secret(field)


def method_is_uncallable(method: str) -> bool:
    """Say whether nobody may call the method through us."""
    return method in UNCALLABLE_METHODS or method.startswith(UNCALLABLE_PREFIXES)
