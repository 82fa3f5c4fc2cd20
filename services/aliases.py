"""Names that tools of other Odoo servers go by, and how their arguments are said here.

Users switch servers with their prompts, skills and habits; `tools/call` answers to the old names without listing them.
This only rewrites: the tool that a name stands for validates, authorizes and audits as if it had been called itself.
Arguments without a counterpart are passed on unchanged, so that validation reports them instead of losing them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# How others name the arguments that all our tools share.
_COMMON_RENAMES = {"model_name": "model", "res_model": "model"}
_ONE_RECORD = {"record_id": "ids", "res_id": "ids", "id": "ids", "record_ids": "ids"}
_READ = {**_ONE_RECORD, "sort": "order", "order_by": "order", "field_names": "fields", "max_results": "limit"}
_VALUES = {"vals": "values", "data": "values"}
_NEW_RECORDS = {"values": "records", "vals": "records", "data": "records", "values_list": "records",
                "vals_list": "records", "record": "records"}  # fmt: skip
_GROUPED = {"groupby": "group_by", "order_by": "order", "orderby": "order", "aggregates": "measures"}
_METHOD = {**_ONE_RECORD, "method": "action", "method_name": "action", "kwargs": "params"}
_ONE_ID = {"record_id": "id", "res_id": "id", "message": "body"}

_IN_LISTS = frozenset({"ids", "records"})
_AGGREGATE = re.compile(r"(?:\w+:)?(?P<function>[a-z_]+)\((?P<field>[\w.]+)\)")


@dataclass(frozen=True)
class Alias:
    """What a foreign name stands for.

    :param rename: our argument by theirs
    :param fixed: arguments that their name implies; they win over what the caller sends
    :param adapt: a last rewriting of the arguments, already renamed
    """

    tool: str
    rename: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    adapt: Callable[[dict[str, object]], dict[str, object]] | None = None


def resolve(name: str, arguments: Mapping[str, object]) -> tuple[str, dict[str, object]] | None:
    """Return our tool and its arguments for a call by a foreign name; None when the name is not one of them."""
    alias = ALIASES.get(name)
    if alias is None:
        return None
    renames = {**_COMMON_RENAMES, **alias.rename}
    renamed: dict[str, object] = {}
    for key, value in arguments.items():
        target = renames.get(key, key)
        # An argument already there under our name stays; theirs is then reported as unknown.
        target = key if target != key and (target in arguments or target in renamed) else target
        renamed[target] = _listed(value) if target in _IN_LISTS else value
    if alias.adapt is not None:
        renamed = alias.adapt(renamed)
    return alias.tool, {**renamed, **alias.fixed}


def _listed(value: object) -> object:
    """Return a single id or object as a list of one; text that holds a list is left to validation."""
    if isinstance(value, list) or (isinstance(value, str) and value.lstrip().startswith("[")):
        return value
    return [value]


def _measures(arguments: dict[str, object]) -> dict[str, object]:
    """Turn the `fields` of a read_group into measures, less those that are grouped by and `__count`."""
    fields = _strings(arguments.pop("fields", None)) + _strings(arguments.get("measures"))
    groups = {group.partition(":")[0] for group in _strings(arguments.get("group_by"))}
    measures = [_measure(text) for text in fields if text not in groups and text != "__count"]
    if measures:
        arguments["measures"] = list(dict.fromkeys(measures))
    else:
        arguments.pop("measures", None)
    return arguments


def _measure(text: str) -> str:
    """Return `field:function` for `field`, `field:function` or read_group's `name:function(field)`."""
    if called := _AGGREGATE.fullmatch(text):
        return f"{called['field']}:{called['function']}"
    return text if ":" in text else f"{text}:sum"


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = value.split(",")
    return [item.strip() for item in value if isinstance(item, str)] if isinstance(value, list) else []


_SEARCH = Alias("odoo_search_records", _READ)
_COUNT = Alias("odoo_search_records", _READ, {"count_only": True})
_NAMES = Alias("odoo_search_records", {**_READ, "name": "query"})
_FIND = Alias("odoo_find_models", {"filter": "query", "search": "query", "pattern": "query", "name": "query"})
_FIELDS = Alias(
    "odoo_describe_model",
    {"field_names": "fields", "allfields": "fields", "field_filter": "field_query", "query": "field_query"},
)
_CREATE = Alias("odoo_create_records", _NEW_RECORDS)
_UPDATE = Alias("odoo_update_records", {**_ONE_RECORD, **_VALUES})
_DELETE = Alias("odoo_delete_records", _ONE_RECORD, {"mode": "delete"})
_GROUP = Alias("odoo_aggregate_records", _GROUPED, adapt=_measures)
_CALL = Alias("odoo_run_action", _METHOD)
_PREVIEW = Alias("odoo_preview_record", {**_VALUES, "fields_list": "fields"})
_CONTEXT = Alias("odoo_get_context")
_POST = Alias("odoo_post_message", _ONE_ID)
_ATTACH = Alias("odoo_upload_file", {**_ONE_ID, "datas": "data", "filename": "name", "field_name": "field"})
_FILES = Alias("odoo_read_files", _ONE_ID)
_SKILLS = Alias("odoo_find_skills", {"skill_id": "id", "name": "query"})
_ACCESS = Alias("odoo_explain_access", _ONE_RECORD)
_JOBS = Alias("odoo_list_jobs", {"job_id": "id", "state": "status"}, {"kind": "job"})

ALIASES: dict[str, Alias] = {
    # Models and fields
    **dict.fromkeys(("odoo_get_models", "list_models", "get_models", "search_models", "schema_catalog"), _FIND),
    "lookup_model_history": Alias("odoo_find_models", {"model": "query", "model_name": "query", "name": "query"}),
    **dict.fromkeys(
        ("odoo_fields_get", "fields_get", "get_fields", "get_model_fields", "describe_model", "get_model_schema",
         "inspect_model_relationships"),
        _FIELDS,
    ),
    "get_create_requirements": Alias("odoo_describe_model", fixed={"purpose": "create"}),
    "odoo_get_views": Alias("odoo_describe_model", fixed={"purpose": "actions"}),
    "get_record_actions": Alias("odoo_describe_model", _ONE_RECORD, {"purpose": "actions"}),
    # Context
    **dict.fromkeys(
        ("whoami", "get_current_context", "get_my_profile", "get_odoo_profile", "server_info", "get_context"), _CONTEXT
    ),
    "list_companies": Alias("odoo_get_context", fixed={"sections": ["companies"]}),
    "list_modules": Alias("odoo_get_context", {"query": "app_query", "filter": "app_query"}, {"sections": ["apps"]}),
    "health_check": Alias("odoo_get_context", fixed={"sections": ["health"]}),
    # Reading
    **dict.fromkeys(
        ("odoo_search_read", "search_read", "search_records", "odoo_read", "read", "read_record", "read_records",
         "get_record", "get_records", "odoo_search"),
        _SEARCH,
    ),
    **dict.fromkeys(("odoo_count", "count", "search_count", "count_records", "odoo_search_count"), _COUNT),
    **dict.fromkeys(("odoo_name_search", "name_search"), _NAMES),
    **dict.fromkeys(("odoo_read_group", "read_group", "aggregate_records", "formatted_read_group"), _GROUP),
    # Writing
    **dict.fromkeys(("odoo_create", "create", "create_record", "create_records", "bulk_create"), _CREATE),
    **dict.fromkeys(
        ("odoo_write", "write", "odoo_update", "update_record", "update_records", "bulk_update"), _UPDATE
    ),
    **dict.fromkeys(("odoo_unlink", "unlink", "odoo_delete", "delete_record", "delete_records"), _DELETE),
    **dict.fromkeys(
        ("odoo_default_get", "default_get", "get_defaults", "odoo_onchange", "onchange", "get_onchange"), _PREVIEW
    ),
    "import_records": Alias("odoo_import_records"),
    # Actions, chatter, files
    **dict.fromkeys(
        ("odoo_call_method", "call_method", "method_call", "execute_method", "call_model_method", "odoo_execute"), _CALL
    ),
    **dict.fromkeys(("odoo_message_post", "message_post", "post_message", "chatter_post"), _POST),
    "schedule_activity": Alias("odoo_post_message", {**_ONE_ID, "date_deadline": "due", "note": "body"},
                               {"kind": "activity"}),
    **dict.fromkeys(("get_messages", "read_messages"), Alias("odoo_read_thread", _ONE_ID)),
    **dict.fromkeys(("odoo_create_attachment", "upload_attachment", "set_binary_field"), _ATTACH),
    "authorize_upload": Alias("odoo_upload_file", _ONE_ID, {"request_link": True}),
    "authorize_download": Alias("odoo_read_files", _ONE_ID, {"mode": "link"}),
    "list_record_attachments": Alias("odoo_read_files", _ONE_ID, {"mode": "list"}),
    "read_attachment": _FILES,
    **dict.fromkeys(("odoo_print_report", "print_report", "render_report"),
                    Alias("odoo_render_report", {**_ONE_RECORD, "report_name": "report"})),
    **dict.fromkeys(("get_access_rights", "diagnose_access", "check_access"), _ACCESS),
    "read_resource": Alias("fetch", {"uri": "id"}),
    # Analysis and exports
    "odoo_time_series": Alias("odoo_timeseries"),
    "odoo_export_csv": Alias("odoo_export_records", fixed={"format": "csv"}),
    "odoo_export_xlsx": Alias("odoo_export_records", fixed={"format": "xlsx"}),
    # Jobs, pages, builder, skills
    "odoo_submit_job": Alias("odoo_run_job", {"tool_name": "tool", "args": "arguments"}),
    "odoo_job_cancel": Alias("odoo_run_job", {"id": "job_id"}, {"op": "cancel"}),
    **dict.fromkeys(("odoo_job_status", "odoo_job_list"), _JOBS),
    "odoo_list_portal_pages": Alias("odoo_read_pages", fixed={"op": "list"}),
    **dict.fromkeys(("odoo_create_portal_page", "odoo_update_portal_page"), Alias("odoo_save_page")),
    "odoo_validate_module_spec": Alias("odoo_check_module", fixed={"op": "validate"}),
    "odoo_list_generated_modules": Alias("odoo_check_module", fixed={"op": "list"}),
    "odoo_generate_module": Alias("odoo_build_module"),
    "odoo_install_generated_module": Alias("odoo_install_module", {"id": "module_id"}),
    **dict.fromkeys(("list_skills", "get_skill", "find_skill"), _SKILLS),
}  # fmt: skip
