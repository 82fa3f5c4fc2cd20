"""What open streams are sent: which notification to whom, asked with the rights of the moment."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from odoo.addons.bus.websocket import acquire_cursor
from odoo.api import Environment

from ..services import jsonrpc, sse, tasks, topics
from ..services.exchange import Credential
from ..services.held_stream import HeldStream
from ..services.stream_index import Hit, StreamIndex, by_credential, hits
from ..services.versions import V2025_11_25

UPDATED = "notifications/resources/updated"


class Delivery:
    """One turn of the hub, with the cursor that it has for it."""

    def __init__(self, env: Environment, index: StreamIndex) -> None:
        self.env = env
        self.index = index

    def begin(self, fresh: Iterable[HeldStream], newest: int, retry_ms: int) -> None:
        """Find streams from now on, and send what they have missed."""
        for stream in fresh:
            if stream.kind in ("session", "legacy"):
                stream.lists = tuple(topics.LISTS)
                self._load_uris(stream)
            self.index.file(stream)
            if stream.kind == "session":
                self._resume(stream, newest, retry_ms)
            elif stream.kind in ("legacy", "resumed"):
                if stream.kind == "resumed":
                    # Told at its beginning: a process that is killed cannot say it at the end. With an id: official
                    # TypeScript clients know only those of the stream that has broken off.
                    stream.push(sse.event(b"", f"{stream.name}_{stream.last}", retry_ms))
                self._send_stored(stream)
            elif stream.tasks:
                # What has changed since its client has asked for the last time, no notice will say.
                self._send_tasks(stream, stream.tasks.values())

    def deliver(self, changed: Mapping[str, int]) -> None:
        """Send what these changes mean to whoever wants to hear of them.

        :param changed: topics, with the ids of their notices
        """
        if not changed:
            return
        names = frozenset(changed)
        concerned = self.index.concerned(names)
        self._reload_sessions(concerned, names)
        self._send(hits(concerned, names), max(changed.values()))
        for stream in concerned:
            if f"stream:{stream.name}" in names and stream.kind in ("legacy", "resumed"):
                self._send_stored(stream)

    def check(self) -> None:
        """End the streams of clients that would not be let in any more."""
        for stream in self.index.all():
            stream.cut()
        streams = [stream for stream in self.index.all() if not stream.is_over]
        if not streams:
            return
        if waiting := [stream.name for stream in streams if stream.kind in ("legacy", "resumed")]:
            self.env["mcp.pending.call"]._settle(waiting)
        if self.env["mcp.policy"]._is_paused():
            self.index.end_all({})
            return
        good = self.env["mcp.token"]._still_good({stream.credential.token_id for stream in streams})
        sessions = {stream.session_id for stream in streams if stream.session_id}
        open_sessions = self.env["mcp.session"]._still_open(sessions)
        may: dict[Credential, bool] = {}
        for stream in streams:
            credential = stream.credential
            if credential not in may:
                may[credential] = credential.token_id in good and self.env["mcp.token"]._may_go_on(credential)
            if not may[credential] or (stream.session_id and stream.session_id not in open_sessions):
                stream.end()

    def note_use(self) -> None:
        """Note in the database that the sessions and listeners with an open stream are in use."""
        streams = self.index.all()
        if sessions := {stream.session_id for stream in streams if stream.session_id}:
            self.env["mcp.session"]._keep_open(sessions)
        if listeners := [stream.name for stream in streams if stream.kind == "listen"]:
            self.env["mcp.subscription"]._keep_listeners(listeners)

    def clean_up(self, closed: Collection[HeldStream]) -> None:
        """Remove what the database holds for streams that are over."""
        if listeners := [stream.name for stream in closed if stream.kind == "listen" and stream.uris]:
            self.env["mcp.subscription"]._forget_listeners(listeners)
        if sessions := [stream.session_id for stream in closed if stream.kind == "legacy"]:
            self.env["mcp.session"]._close(sessions)

    def _resume(self, stream: HeldStream, newest: int, retry_ms: int) -> None:
        if stream.last:
            missed = self.env["mcp.notice"]._missed(stream.last)
            self._send(hits([stream], stream.topics if missed is None else missed), newest)
        elif stream.version == V2025_11_25.name:
            stream.push(sse.event(b"", f"{stream.name}_{newest}", retry_ms))

    def _send_stored(self, stream: HeldStream) -> None:
        stored = self.env["mcp.stream.event"]._stored(f"{stream.name}_{stream.last}", stream.session_id)
        for event_id, data in stored.events:
            stream.last = int(event_id.rpartition("_")[2])
            stream.push(sse.event(data, None if stream.kind == "legacy" else event_id))
        if stored.is_finished:
            stream.end(farewell=b"")

    def _send(self, found: Collection[Hit], notice_id: int) -> None:
        readable = {credential: self._readable(credential, uris) for credential, uris in by_credential(found).items()}
        for hit in found:
            stream = hit.stream
            told = [(topics.LISTS[name], {}) for name in hit.lists]
            open_uris = [*hit.gone, *(uri for uri in hit.uris if uri in readable[stream.credential])]
            told += [(UPDATED, {"uri": uri}) for uri in open_uris]
            for number, (method, params) in enumerate(told, 1):
                # The id stands for all of a notice: a client that has only some of it gets it again.
                is_last = number == len(told) and stream.kind == "session"
                stream.push(_notification(stream, method, params, f"{stream.name}_{notice_id}" if is_last else None))
            if hit.tasks:
                self._send_tasks(stream, hit.tasks)

    def _readable(self, credential: Credential, uris: Collection[str]) -> set[str]:
        with self._acting(credential) as env:
            return env["mcp.server"]._readable(credential, uris)

    def _send_tasks(self, stream: HeldStream, ids: Iterable[str]) -> None:
        """Send those of these tasks that have come further, each as `tasks/get` would return it now."""
        credential = stream.credential
        # More than a hint that something has changed: it does not wait for the next heartbeat.
        if not self._is_let_in(credential):
            return
        with self._acting(credential) as env:
            states = [job._task_state(credential) for job in env["mcp.job"]._tasks(list(ids), credential)]
        for state in states:
            task, seen = state["taskId"], tasks.seen_of(state)
            if stream.told.get(task) != seen:
                stream.told[task] = seen
                stream.push(_notification(stream, tasks.NOTIFICATION, state, None))

    def _is_let_in(self, credential: Credential) -> bool:
        tokens = self.env["mcp.token"]
        is_good = credential.token_id in tokens._still_good({credential.token_id}) and tokens._may_go_on(credential)
        return is_good and not self.env["mcp.policy"]._is_paused()

    @contextmanager
    def _acting(self, credential: Credential) -> Iterator[Environment]:
        # A transaction of its own for each user: nothing that one may read is in the cache for another.
        with acquire_cursor(self.env.cr.dbname) as cr:
            env = Environment(cr, credential.user_id, {})
            env.transaction.default_env = env
            yield env

    def _reload_sessions(self, concerned: Iterable[HeldStream], names: frozenset[str]) -> None:
        streams = [stream for stream in concerned if f"session:{stream.session_id}" in names]
        if not streams:
            return
        still_open = self.env["mcp.session"]._still_open({stream.session_id for stream in streams})
        for stream in streams:
            if stream.session_id not in still_open:
                stream.end(farewell=b"")
            elif stream.lists:
                self._load_uris(stream)
                self.index.file(stream)

    def _load_uris(self, stream: HeldStream) -> None:
        subscriptions = self.env["mcp.subscription"]
        stream.uris = {uri: subscriptions._topics(uri) for uri in subscriptions._of_session(stream.session_id)}


def _notification(stream: HeldStream, method: str, params: Mapping, event_id: str | None) -> bytes:
    if stream.tag:
        params = {**params, "_meta": stream.tag}
    message = {"jsonrpc": "2.0", "method": method}
    if params:
        message["params"] = params
    return sse.event(jsonrpc.dump(message), event_id)
