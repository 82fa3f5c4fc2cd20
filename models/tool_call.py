"""`ToolCall`: who asks, what for, and the only door to the ORM for tools.

Each method checks, in this order: guardrails and profiles (`CompiledPolicy`), then leaves access rights and record
rules to the ORM under the user's own environment. None hands out a model that has not been checked.
"""

from collections.abc import Iterable, Mapping, Sequence

from odoo.api import Environment
from odoo.exceptions import AccessError
from odoo.models import BaseModel

from ..services.errors import ToolError
from ..services.exchange import Exchange
from ..services.policy import CompiledPolicy
from ..services.questions import Question
from ..services.tool import ToolSpec
from ..services.untrusted import Boundary
from . import domain_guard
from .call_chatter import CallChatter
from .call_fields import ODOO_OPERATIONS, CallFields
from .call_files import CallFiles
from .call_questions import CallQuestions
from .call_reporting import CallReporting
from .call_writing import CallWriting
from .change_journal import Journal
from .domain_guard import CheckedDomain
from .provenance import telling_fields


class ToolCall(CallFields, CallQuestions, CallReporting, CallWriting, CallChatter, CallFiles):
    """One call of one tool, made by the pipeline and handed to the handler.

    :param env: the user's environment, its context built by us: language, time zone, companies
    :param rehearsing: the call will be rolled back (a dry run, or the preview of a confirmation)
    :param answers: what the human has answered so far, by question key
    """

    def __init__(
        self,
        env: Environment,
        exchange: Exchange,
        spec: ToolSpec,
        policy: CompiledPolicy,
        arguments: Mapping[str, object],
        *,
        rehearsing: bool = False,
        answers: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.env = env
        self.exchange = exchange
        self.spec = spec
        self.policy = policy
        self.arguments = arguments
        self.answers = dict(exchange.answers if answers is None else answers)
        self.notes: list[str] = []
        self.restart(rehearsing=rehearsing)

    def restart(self, *, rehearsing: bool) -> None:
        """Forget what the handler has done so far, as it was rolled back and will run again. Notes are kept once."""
        self.rehearsing = rehearsing
        self.journal = Journal(self)
        self.boundary = Boundary(hides=self.policy.lockdown)
        # It hands out an outsider's file, which cannot be marked: a picture, a link.
        self.gives_outsiders_file = False
        # What a rehearsed handler would have asked.
        self.asked: list[Question] = []
        # By model and id, whether a record is an outsider's.
        self.provenance: dict[str, dict[int, bool]] = {}
        # Records and lines that values were given for.
        self.values_checked = 0
        # By model, what this reading call has found by search: its transaction shows these records unchanged.
        self._found: dict[str, set[int]] = {}
        self._opened: set[str] = set()
        self.model: str | None = None
        self.record_ids: list[int] = []

    @property
    def seconds(self) -> int | None:
        """How long the call and each of its statements may take, where that is not as for every call."""
        return self.env["mcp.job"]._longest_part() if self.exchange.job_id else None

    def note(self, text: str) -> None:
        """Add a sentence to the result's `_meta.warnings`: something ignored, clamped, or worth knowing."""
        if text not in self.notes:
            self.notes.append(text)
            self.log("notice", text)

    # Reading

    def domain(self, model: str, raw: object = None, **criteria: object) -> CheckedDomain:
        """Return a checked domain of an untrusted one and of flat filters; see `domain_guard.checked`.

        :raises ToolError: `invalid_filter`, with the position and a corrected example; never "match everything"
        """
        return domain_guard.checked(self, model, raw, **criteria)

    def search(
        self,
        domain: CheckedDomain,
        *,
        order: str | None = None,
        limit: int,
        offset: int = 0,
        fetch: Sequence[str] = (),
    ) -> BaseModel:
        """Return the records that match, read access and record rules applied; `order` is checked.

        :param fetch: checked fields that will be read next, brought along by the same query where they are columns, and
            so is what `display_name` is computed from
        """
        records = self._readable(domain)
        order = domain_guard.checked_order(self, domain.model, order)
        known = records._fields
        columns = [name for name in fetch if name == "display_name" or (known[name].store and known[name].column_type)]
        columns += telling_fields(records, fetch) if columns else []
        # What is read of them next must come from this search: names and rules computed as superuser, in another
        # message of a batch, leave the real values in the cache, also those that a model masks for this user.
        # (Odoo looks at every field of the model and its inverses for that, so not where there is nothing to forget.)
        cached = self.env.transaction.field_data
        if any(map(cached.get, known.values())):
            records.invalidate_model()
        found = records.search_fetch(domain.domain, columns, order=order, limit=limit, offset=offset)
        if self.spec.access == "read":
            self._found.setdefault(domain.model, set()).update(found._ids)
        return found

    def count(self, domain: CheckedDomain, limit: int | None = None) -> int:
        """Return how many records match, counting no further than `limit`."""
        return self._readable(domain).search_count(domain.domain, limit=limit)

    def group(
        self,
        domain: CheckedDomain,
        groupby: Sequence[str],
        aggregates: Sequence[str],
        *,
        order: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[dict]:
        """Return `formatted_read_group` rows. `groupby` and `aggregates` are checked, `order` names only these."""
        for term in groupby:
            domain_guard.check_groupby(self, domain.model, term)
        for term in aggregates:
            domain_guard.check_aggregate(self, domain.model, term)
        order = domain_guard.checked_group_order(self, domain.model, order, list(groupby), list(aggregates))
        return self._readable(domain).formatted_read_group(
            domain.domain, groupby, aggregates, order=order, limit=limit, offset=offset
        )

    def records(self, model: str, operation: str, ids: Sequence[int]) -> BaseModel:
        """Return the records with these ids, checked for the operation.

        :raises ToolError: `not_found`, naming the ids that do not exist or are hidden from this user
        """
        records = self._model(model, operation).browse(dict.fromkeys(ids))
        existing = records.exists()
        visible = existing._filtered_access("read")
        if len(visible) != len(records):
            missing = sorted(set(ids) - set(visible.ids))
            raise ToolError(
                "not_found",
                f"{model} has no record with id {', '.join(map(str, missing[:20]))} that this user can see.",
                fix="Search for the right ids with odoo_search_records.",
                model=model,
                record=missing[0],
            )
        try:
            visible.check_access(ODOO_OPERATIONS[operation])
        except AccessError as error:
            raise ToolError("access_denied", str(error), model=model) from error
        self.touch(model, ids)
        return visible

    def read(self, records: BaseModel, fields: Sequence[str]) -> list[dict]:
        """Return raw values of checked fields. Binary fields come as sizes, never as content."""
        checked = [self.field(records._name, name, "read") for name in fields]
        self.touch(records._name, records.ids)
        if any(field.type in ("binary", "image") for field in checked):
            records = records.with_context(bin_size=True)
        # An empty list would mean all fields to `read`.
        names = list(fields) or ["id"]
        if self._found.get(records._name, set()).issuperset(records._ids):
            # The search that found them has applied the record rules; `search_read` saves the second check likewise.
            return records._read_format(names)
        # For the same reason as in `search`: a private meeting behind a link showed its subject.
        records.invalidate_recordset(names)
        return records.read(names)

    def touch(self, model: str, ids: Iterable[int]) -> None:
        """Remember what the audit row is about: the first model, and the ids of that model."""
        self.model = self.model or model
        if self.model == model:
            self.record_ids = list(dict.fromkeys([*self.record_ids, *ids]))

    def _readable(self, domain: CheckedDomain) -> BaseModel:
        return self._model(domain.model, "read").with_context(active_test=domain.active_test)
