"""One-time links for files that do not fit into an answer: made by tools, redeemed without a session.

A link is a signed sentence: which user and token it was made for, what it opens, until when. Redeeming it uses it up
and checks everything again, as that user and under that token's policy as they are then: what was revoked or taken
away since stays closed.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.api import Environment
from odoo.models import BaseModel
from odoo.tools import hash_sign, verify_hash_signed

from ..services.errors import PolicyDenied, ToolError
from ..services.exchange import Credential, Exchange, Message
from ..services.policy import FOLLOW_UP_TOOL
from ..services.versions import V2026_07_28
from .call_environment import call_environment
from .call_files import Content
from .odoo_errors import translating
from .rehearsal import changing, rehearsed
from .reports import render_pdf
from .tool_call import ToolCall

SCOPE = "mcp-file-link"
LIFE = timedelta(hours=1)
PATH = "/mcp/files"
UPLOAD_PARAMETER = "mcp_endpoint.max_upload_bytes"
DEFAULT_UPLOAD = 64 * 1024 * 1024
LONGEST_LINK = 4096
# By what a link opens: the tool that gives such links, and whether it takes a file instead of giving one.
TOOLS = {
    "attachment": "odoo_read_files",
    "field": "odoo_read_files",
    "job": FOLLOW_UP_TOOL,
    "report": "odoo_render_report",
    "upload": "odoo_upload_file",
}


@dataclass(frozen=True)
class FileLink:
    """What a link says. `target` is by kind: (attachment id), (model, id, field), (job id), (report id, model,
    ids), or (model, id, field or "", file name).
    """

    kind: str
    user_id: int
    token_id: int
    nonce: str
    company_id: int | None
    lang: str | None
    client: str
    target: tuple


def issue(call, kind: str, *target: object) -> dict[str, object]:
    """Return the address of a new one-time link, and for how long it works.

    What it opens has been checked by the caller; it is checked again when the link is used.
    """
    companies = call.env.companies.ids
    company_id = companies[0] if len(companies) == 1 else None
    token_id = call.exchange.credential.token_id
    nonce = secrets.token_hex(12)
    said = [kind, call.env.uid, token_id, nonce, company_id, call.env.lang, call.client_name, list(target)]
    # sudo: hash_sign reads the database's secret.
    secret = hash_sign(call.env(su=True), SCOPE, said, expiration=LIFE)
    base = call.env["ir.config_parameter"].get_base_url()
    query = call.env["mcp.oauth.server"]._database_query()
    return {"url": f"{base}{PATH}/{secret}{query}", "expires_in_seconds": int(LIFE.total_seconds()), "uses": 1}


class McpFileLink(models.AbstractModel):
    _name = "mcp.file.link"
    _description = "MCP One-Time File Link"

    @api.model
    def _verified(self, secret: str) -> FileLink:
        """Return what a link says, if we have said it, it has not expired, and its token still counts.

        :raises ToolError: `link_invalid`, the same for every reason
        """
        try:
            # sudo: reads the database's secret.
            said = verify_hash_signed(self.env(su=True), SCOPE, secret) if len(secret) <= LONGEST_LINK else None
        except ValueError:
            said = None
        if said:
            link = FileLink(*said[:-1], target=tuple(said[-1]))
            # sudo: whether the token that asked for this link still counts.
            token = self.env["mcp.token"].sudo().browse(link.token_id).exists()
            user = token.user_id
            if token._counts() and user.id == link.user_id and user._may_use_mcp():
                return link
        raise ToolError("link_invalid", "This link is not valid, or no longer. Ask for a new one.")

    @api.model
    def _upload_limit(self) -> int:
        """Return how many bytes an upload may have."""
        # sudo: a system parameter that users may not read in general.
        value = self.env["ir.config_parameter"].sudo().get_param(UPLOAD_PARAMETER, "")
        return int(value) if value.isdecimal() and int(value) else DEFAULT_UPLOAD

    @api.model
    def _download(self, link: FileLink, ip: str) -> Content | BaseModel:
        """Use a link up and return its file: an attachment to be streamed, or bytes.

        The environment must be that of the link's user.

        :raises ToolError: used before, or closed meanwhile
        """
        if link.kind == "upload":
            raise ToolError("wrong_method", "This link takes a file: send it with PUT.")
        return self._redeem(link, ip, "files/download", 0, lambda call: _opened(call, link))

    @api.model
    def _upload(self, link: FileLink, ip: str, data: bytes) -> dict[str, object]:
        """Use a link up and store the file it is for; return what was stored.

        :raises ToolError: used before, or closed meanwhile
        """
        if link.kind != "upload":
            raise ToolError("wrong_method", "This link gives a file: fetch it with GET.")
        if not data:
            raise ToolError("invalid_arguments", "The request has no body: send the bytes of the file.")
        return self._redeem(link, ip, "files/upload", len(data), lambda call: stored(call, *link.target, data))

    def _redeem(self, link: FileLink, ip: str, method: str, size: int, handle: Callable) -> object:
        """Run `handle` once in the life of this link, with an audit row for each attempt."""
        started = time.perf_counter()
        call = self._call(link, ip, method, size)
        try:
            expires = fields.Datetime.now() + LIFE
            if not self.env["mcp.idempotency"]._insert(f"link:{link.nonce}", expires, tool=call.spec.name):
                raise ToolError("link_used", "This link has been used. Ask for a new one.")
            self.env["mcp.policy"]._authorize(call)
            # A report may write on its way, as in the tool: none of it is kept.
            keeping = rehearsed if link.kind == "report" else changing
            result = _run(call.env, keeping, lambda: handle(call))
        except ToolError as error:
            outcome = "refused" if isinstance(error, PolicyDenied) else "error"
            self._audit(call, outcome, error, started)
            raise
        self._audit(call, "ok", None, started)
        return result

    def _audit(self, call: ToolCall, outcome: str, reason: ToolError | None, started: float) -> None:
        self.env["mcp.audit.log"]._record(
            call.exchange,
            tool=call.spec.name,
            outcome=outcome,
            reason=reason,
            model=call.model,
            record_ids=call.record_ids,
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    def _call(self, link: FileLink, ip: str, method: str, size: int) -> ToolCall:
        # sudo: the profile and the scopes of the token that the link was verified against.
        token = self.env["mcp.token"].sudo().browse(link.token_id)
        exchange = Exchange(
            message=Message(method=method, params={}, id=link.nonce),
            version=V2026_07_28,
            credential=Credential(
                "link",
                link.token_id,
                link.user_id,
                token.profile_id.id,
                ip,
                scopes=token._scopes(),
                client_profile_id=token.oauth_client_id.profile_id.id or None,
            ),
            request_id=secrets.token_hex(8),
            client={"name": link.client},
            transport="link",
            size=size,
        )
        spec = self.env["mcp.tool.registry"]._specs().get(TOOLS[link.kind])
        if spec is None:
            raise ToolError("link_invalid", "An administrator has switched off what this link is for.")
        policy = self.env["mcp.profile"]._compiled_for(exchange.credential)
        env = call_environment(self.env, policy, company_id=link.company_id, lang=link.lang)
        return ToolCall(env, exchange, spec, policy, {})


def stored(call, model: str, record_id: int, field: str, name: str, data: bytes) -> dict[str, object]:
    """Attach a file to a record, or write it into a binary field of it; return what was stored.

    :raises ToolError: the record, its model or the field is closed for this
    """
    record = check_target(call, model, record_id, field)
    facts: dict[str, object] = {"model": model, "id": record_id, "bytes": len(data)}
    if field:
        call.write(record, {field: base64.b64encode(data).decode()})
        return {**facts, "field": field}
    attachment = call.attach(record, name, data)
    return {**facts, "name": name, "attachment_id": attachment.id, "mimetype": attachment.mimetype}


def check_target(call, model: str, record_id: int, field: str) -> BaseModel:
    """Return the record that is to take a file. :raises ToolError: it, its model or the field is closed for this"""
    call.policy.check_model(model, "write")
    record = call.records(model, "write", [record_id])
    if field and call.field(model, field, "write").type != "binary":
        raise ToolError(
            "invalid_field", f"{model}.{field} holds no file.", fix="Leave field out to attach the file.", model=model
        )
    return record


def _opened(call, link: FileLink) -> Content | BaseModel:
    if link.kind == "attachment":
        attachment = call.attachment(link.target[0])
        call.give_file_of(attachment)
        return attachment
    if link.kind == "job":
        job = call.env["mcp.job"]._own(call, link.target[0])
        if not job:
            raise ToolError("not_found", "This job and its result are not kept any more.")
        return Content(f"job-{job.id}.json", "application/json", job._file(call))
    if link.kind == "field":
        model, record_id, field = link.target
        record = call.records(model, "read", [record_id])
        call.give_file_of(record)
        return call.binary(record, field)
    report_id, model, ids = link.target
    return render_pdf(call, report_id, call.records(model, "read", ids))


def _run(env: Environment, keeping: Callable, handle: Callable) -> object:
    with translating(env), keeping(env):
        return handle()


def as_json(error: ToolError) -> str:
    """Return the body that tells an error to whoever used the link."""
    return json.dumps({"error": error.code, "message": error.message})
