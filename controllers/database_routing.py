"""Choosing the database of our own routes, where one server has several.

Odoo finds a database by the host name, by a browser's session, or because there is only one. Clients of ours have no
session, and a host name for each database is not everybody's. Where the addon is in `server_wide_modules`, its
addresses take the name of the database too, and answer in JSON when none can be told. `dbfilter` always holds.
"""

import functools
import threading

from odoo import http
from odoo.http import Request, Response, db_filter, db_list, get_default_session, root
from odoo.modules.registry import Registry
from werkzeug.exceptions import HTTPException, NotFound

from ..services import database_choice
from ..services.database_choice import DatabaseRefused, Place
from .oauth_dispatcher import CORS_HEADERS, NO_STORE, PREFLIGHT_HEADERS

ADDON = "mcp_endpoint"
PREFLIGHT = [("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"), *PREFLIGHT_HEADERS, *CORS_HEADERS]


def install() -> None:
    """Put the choice before Odoo's own, for the rest of this process."""
    for owner, name, wrapper in (
        (Request, "_get_session_and_dbname", _choose),
        (Request, "_serve_nodb", _serve_without),
        (Request, "_serve_ir_http_fallback", _serve_unrouted),
        (http, "_generate_routing_rules", _own_routes),
    ):
        replaced = getattr(owner, name)
        setattr(owner, name, functools.wraps(replaced)(wrapper(replaced)))


def _choose(odoo_choice):
    def choose(request):
        asked = request.httprequest
        try:
            place = database_choice.read(
                asked.path, asked.args.getlist(database_choice.QUERY), asked.headers.get(database_choice.HEADER)
            )
            if place is None:
                return odoo_choice(request)
            request.mcp_place = place
            if place.database is None and not place.ignores_cookies:
                return odoo_choice(request)
            name = _served(place.database, asked.environ["HTTP_HOST"])
        except DatabaseRefused as error:
            raise _refusal(request, error) from None
        request.mcp_original_path = asked.full_path
        if place.path != asked.path:
            request.reroute(place.path)
        return _session(request, odoo_choice, place, name), name

    return choose


def _serve_without(odoo_serving):
    def serve(request):
        if getattr(request, "mcp_place", None) is None:
            return odoo_serving(request)
        # With a name, or with only one database, this is reached because that one does not load.
        is_chosen = request.mcp_place.database is not None or request.mcp_place.ignores_cookies
        raise _refusal(request, database_choice.unavailable() if is_chosen else database_choice.undecided())

    return serve


def _serve_unrouted(odoo_serving):
    def serve(request, not_found):
        if getattr(request, "mcp_place", None) is not None and ADDON not in request.registry._init_modules:
            raise _refusal(request, database_choice.not_installed())
        return odoo_serving(request, not_found)

    return serve


def _own_routes(odoo_routes):
    """Keep our routes to the databases that have the addon. For Odoo, what is loaded server wide is everywhere."""

    def routes(modules, nodb_only, converters=None):
        if nodb_only or ADDON not in Registry(threading.current_thread().dbname)._init_modules:
            modules = [module for module in modules if module != ADDON]
        return odoo_routes(modules, nodb_only, converters)

    return routes


def _served(name: str | None, host: str) -> str:
    """Return the database to use. :raises DatabaseRefused: there is none of this name, or it is not told which"""
    if name is None:
        found = db_list(force=True, host=host)
        if len(found) != 1:
            raise database_choice.undecided()
        return found[0]
    # One that is loaded already need not be looked up in PostgreSQL for every request.
    if not db_filter([name], host=host) or (name not in Registry.registries and name not in db_list(True, host)):
        raise database_choice.unknown()
    return name


def _session(request, odoo_choice, place: Place, name: str):
    """Return the browser's session if it is one of this database, a new one otherwise."""
    if not place.ignores_cookies:
        session, database = odoo_choice(request)
        if database == name:
            return session
    session = root.session_store.new()
    session.update(get_default_session(), db=name)
    session.context["lang"] = request.default_lang()
    session.can_save = not place.ignores_cookies
    session.is_dirty = False
    return session


def _refusal(request, error: DatabaseRefused) -> HTTPException:
    if request.httprequest.method == "OPTIONS":
        # A browser would not let its page read why the request itself is refused.
        response = Response(status=204, headers=PREFLIGHT)
    else:
        headers = [*NO_STORE, *CORS_HEADERS]
        response = Response(error.body(), status=error.status, headers=headers, content_type="application/json")
    refusal = NotFound(response=response)
    # What Odoo sends when it is there. Otherwise addons make a page of the error.
    refusal.error_response = response
    return refusal
