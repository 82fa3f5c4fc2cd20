import ipaddress

from odoo.http import Controller, HttpDispatcher, Response, request, route
from odoo.models import BaseModel
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from ..models.file_links import PATH, as_json
from ..services.errors import ToolError

# What a form adds to the file it carries.
FORM_OVERHEAD = 64 * 1024
# Never kept by a browser or proxy, never interpreted as anything.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
STATUS = {"link_invalid": 404, "not_found": 404, "link_used": 410, "wrong_method": 405, "too_large": 413}
REFUSED = {"policy_denied", "access_denied"}


class FileDispatcher(HttpDispatcher):
    """Routes of `type="mcp_file"`: plain HTTP whose body is a file and is left alone until it is known to be wanted."""

    routing_type = "mcp_file"

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)


class McpDownloads(Controller):
    @route(
        f"{PATH}/<secret>",
        type=FileDispatcher.routing_type,
        auth="none",
        methods=["GET", "HEAD", "PUT", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def file(self, secret):
        method = request.httprequest.method
        request.session.can_save = False
        links = request.env["mcp.file.link"]
        try:
            link = links._verified(secret)
            if method == "HEAD":
                # Previews look before they fetch; that must not use the link up.
                return Response(status=200, headers=HEADERS)
            request.update_env(user=link.user_id, context={}, su=False)
            links = request.env["mcp.file.link"]
            if method == "GET":
                return _as_response(links._download(link, _address()))
            stored = links._upload(link, _address(), _body(links._upload_limit()))
            return request.make_json_response(stored, headers=HEADERS, status=201)
        except ToolError as error:
            status = 403 if error.code in REFUSED else STATUS.get(error.code, 400)
            return Response(as_json(error), status=status, headers=HEADERS, content_type="application/json")


def _as_response(file) -> Response:
    if not isinstance(file, BaseModel):
        response = request.make_response(file.data, headers=[("Content-Type", file.mimetype)])
        response.headers.set("Content-Disposition", "attachment", filename=file.name)
    else:
        stream = file._to_http_stream()
        if stream.type == "url":
            raise ToolError("no_content", "This file is stored outside Odoo.")
        response = stream.get_response(as_attachment=True, conditional=False, etag=False)
    response.headers.update(HEADERS)
    return response


def _body(limit: int) -> bytes:
    """Return the request's body, or the first file of a form.

    :raises ToolError: `too_large`, before it is read; cut off, or a form without a file
    """
    http = request.httprequest
    is_form = http.mimetype == "multipart/form-data"
    most = limit + FORM_OVERHEAD * is_form
    try:
        if (http.content_length or 0) > most:
            raise RequestEntityTooLarge
        # One byte more: where the length is not told, what exceeds the maximum is cut without an error.
        http.max_content_length = most + 1
        if is_form:
            file = next(iter(http.files.values()), None)
            data = file.read(limit + 1) if file else b""
        else:
            data = http.get_data(cache=False)
    except RequestEntityTooLarge:
        data = None
    except ClientDisconnected as error:
        raise ToolError("invalid_arguments", "The upload was cut off. Nothing was stored.") from error
    if data is None or len(data) > limit:
        raise ToolError("too_large", f"At most {limit:,} bytes can be uploaded here.")
    return data


def _address() -> str:
    try:
        return str(ipaddress.ip_address(request.httprequest.remote_addr or ""))
    except ValueError:
        return ""
