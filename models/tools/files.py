import base64
import binascii

from odoo import models
from odoo.models import BaseModel

from ...services.errors import ToolError
from ...services.questions import Question
from ...services.schema import CURSOR, MODEL, boolean, choice, integer, params, text
from ...services.tool import ToolResult, tool
from ..attachment_text import image_block, is_image, read_pages
from ..call_files import Content
from ..file_links import check_target, issue, stored
from ..paging import next_cursor, page_start
from ..provenance import outside_ids

# Files listed at once.
PAGE = 50
MAX_INLINE = 5 * 1024 * 1024
LONGEST_NAME = 200


class McpToolRegistry(models.AbstractModel):
    _inherit = "mcp.tool.registry"

    @tool(
        "odoo_read_files",
        access="read",
        scoped=False,
        toolset="files",
        schema=params(
            model=MODEL,
            id=integer("Record id."),
            attachment_id=integer("One of the files listed."),
            field=text("Binary field instead.", example="image_1920"),
            mode=choice("Default: list, or text of a file.", "list", "text", "image", "link"),
            pages=text('e.g. "1-3"', example="1-3"),
            cursor=CURSOR,
        ),
    )
    def _tool_read_files(
        self,
        call,
        *,
        model=None,
        id=None,
        attachment_id=None,
        field=None,
        mode=None,
        pages=None,
        cursor=None,
    ) -> ToolResult:
        """List a record's files (model, id), then read one: text of PDF, Office, CSV, HTML by pages; images; or a
        one-time download link for the user.
        """
        if not attachment_id and not (model and id):
            raise ToolError("invalid_arguments", "Which files?", fix="Give model and id, or attachment_id.")
        record = call.records(model, "read", [id]) if model and id else None
        if mode == "list" or not (attachment_id or field):
            if record is None:
                raise ToolError("invalid_arguments", "mode=list needs model and id.")
            return _list(call, record, cursor)
        if attachment_id:
            attachment = call.attachment(attachment_id)
            call.give_file_of(attachment)
            if record is not None and field is None:
                _check_belongs(attachment, record)
            if mode == "link":
                return _link(call, call.file_facts(attachment), "attachment", attachment.id)
            return _show(call, call.content(attachment), mode, pages)
        content = call.binary(record, field)
        call.give_file_of(record)
        if mode == "link":
            return _link(call, {"name": content.name, "bytes": len(content.data)}, "field", model, id, field)
        return _show(call, content, mode, pages)

    @tool(
        "odoo_upload_file",
        access="write",
        scoped=False,
        toolset="files",
        schema=params(
            model=MODEL,
            id=integer("Record id."),
            name=text("File name with suffix.", example="notes.txt", max_length=LONGEST_NAME),
            text=text("Content.", max_length=1_000_000),
            data=text("Or as base64, up to 5 MB.", max_length=MAX_INLINE * 2),
            request_link=boolean("Or get a one-time PUT link."),
            field=text("Binary field instead.", example="image_1920"),
        ),
    )
    def _tool_upload_file(
        self, call, *, model, id, name="", text=None, data=None, request_link=False, field=None
    ) -> ToolResult:
        """Attach a file to a record, or fill a binary field. Large files: request a link, PUT the bytes there
        (curl -T file URL).
        """
        if [text is not None, data is not None, bool(request_link)].count(True) != 1:
            raise ToolError("invalid_arguments", "Give exactly one of text, data, request_link.")
        name = _safe_name(name) or (field or "")
        if not name:
            raise ToolError("invalid_arguments", "name is missing.", fix='Give the file a name like "notes.txt".')
        if request_link:
            return self._upload_link(call, model, id, field or "", name)
        content = text.encode() if data is None else _decoded(data)
        if not content:
            raise ToolError("invalid_arguments", "The file is empty.")
        facts = stored(call, model, id, field or "", name, content)
        verb = "Would store" if call.rehearsing else "Stored"
        where = f"{model} {id}" + (f", field {field}" if field else "")
        return ToolResult(facts, text=f"{verb} {name} ({len(content):,} bytes) on {where}.")

    def _upload_link(self, call, model: str, record_id: int, field: str, name: str) -> ToolResult:
        check_target(call, model, record_id, field)
        if call.tainted:
            question = f"Give a link by which whoever has it can put a file on {model} {record_id}?"
            call.need("confirm", Question(f"This assistant has just read text by outsiders. {question}"))
        limit = self.env["mcp.file.link"]._upload_limit()
        if call.rehearsing:
            return ToolResult({"max_bytes": limit}, text="A link would be given; nothing is stored before it is used.")
        link = {**issue(call, "upload", model, record_id, field, name), "method": "PUT", "max_bytes": limit}
        return ToolResult(
            {"model": model, "id": record_id, "name": name, **link},
            text=f"Send the bytes of {name} within 1 hour, once: curl -T '{name}' '{link['url']}'",
        )


def _list(call, record: BaseModel, cursor: str | None) -> ToolResult:
    criteria = {"model": record._name, "id": record.id}
    offset = page_start(call, criteria, cursor)["offset"]
    found = call.attachments(record, limit=PAGE + 1, offset=offset)
    rows = [call.file_facts(each) for each in found[:PAGE]]
    outside = outside_ids(call, found[:PAGE])
    for row in rows:
        row["name"] = call.boundary.cell(row["name"]) if row["id"] in outside else row["name"]
    facts: dict[str, object] = {"model": record._name, "id": record.id, "files": rows}
    lines = [f"{record._name} {record.id}: {len(rows) or 'no'} file(s)."]
    for row in rows:
        lines.append(f"[{row['id']}] {row['name']} · {row['mimetype']} · {row['bytes']:,} bytes · {row['date']}")
    if not offset and (fields := call.filled_binaries(record)):
        facts["fields"] = fields
        lines.append("Binary fields: " + ", ".join(f"{name} ({size})" for name, size in fields.items()))
    meta = {}
    if len(found) > PAGE:
        facts["next_cursor"] = meta["next_cursor"] = next_cursor(call, criteria, {"offset": offset + PAGE})
        lines.append(f"next_cursor: {meta['next_cursor']}")
    return ToolResult(facts, text="\n".join(lines), meta=meta)


def _show(call, content: Content, mode: str | None, pages: str | None) -> ToolResult:
    # Who named a file is not known here; it may have come with a mail.
    name = call.boundary.cell(content.name)
    facts: dict[str, object] = {"name": name, "mimetype": content.mimetype, "bytes": len(content.data)}
    if mode == "image" or (mode is None and is_image(content)):
        if call.policy.lockdown:
            raise ToolError("hidden", "Pictures are hidden: the access profile of this connection is in lockdown.")
        block, note = image_block(content)
        if note:
            call.note(note)
        return ToolResult(facts, text=f"{name}: image, {len(content.data):,} bytes.", content=[block])
    found = read_pages(content, pages)
    for note in found.notes:
        call.note(note)
    body = call.boundary.wrap(found.text)
    shown = f"{found.unit} {found.shown[0]} to {found.shown[-1]} of {found.count}"
    facts.update(unit=found.unit, count=found.count, pages=found.shown, text=body)
    lines = [f"{name}: {shown}.", body]
    meta = {}
    if found.rest:
        facts["next_pages"] = meta["next_pages"] = found.rest
        meta["truncated"] = True
        lines.append(f'More: pages="{found.rest}".')
    return ToolResult(facts, text="\n".join(lines), meta=meta)


def _link(call, facts: dict[str, object], kind: str, *target: object) -> ToolResult:
    link = issue(call, kind, *target)
    block = {"type": "resource_link", "uri": link["url"], "name": str(facts["name"])}
    text = f"One-time download link for {facts['name']}, valid for 1 hour: {link['url']}"
    return ToolResult({**facts, **link}, text=text, content=[block])


def _check_belongs(attachment: BaseModel, record: BaseModel) -> None:
    row = attachment.read(["res_model", "res_id"])[0]
    if (row["res_model"], row["res_id"]) != (record._name, record.id):
        raise ToolError(
            "not_found",
            f"Attachment {attachment.id} does not belong to {record._name} {record.id}.",
            fix="Leave out model and id to read it, or list the files of this record.",
            record=attachment.id,
        )


def _decoded(data: str) -> bytes:
    source = data.partition(",")[2] if data.startswith("data:") else data
    try:
        content = base64.b64decode("".join(source.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ToolError(
            "invalid_value", "data is not base64.", fix="Use text for plain text, or request_link for a file."
        ) from error
    if len(content) > MAX_INLINE:
        raise ToolError("too_large", f"data has {len(content):,} bytes.", fix="Use request_link for large files.")
    return content


def _safe_name(name: str) -> str:
    """Return the last part of a path, without characters that no file name has."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable()).strip(" .")[:LONGEST_NAME]
