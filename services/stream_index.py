"""The open streams of one process and database: how many there may be, and which of them a change concerns.

In memory only. It knows no database and decides nothing about who may hear what.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from . import topics
from .errors import HttpRefusal
from .exchange import Credential
from .held_stream import HeldStream
from .peer import is_gone

RETRY_SECONDS = 20
# Longer than a request takes to become a stream.
PLACE_SECONDS = 20.0


@dataclass(frozen=True)
class StreamLimits:
    """How many streams there may be.

    :param total: in this process
    :param per_token: of one token, and as many again that fetch the answers to its calls
    :param per_user: of all tokens of one user, likewise
    """

    total: int
    per_token: int
    per_user: int


@dataclass(frozen=True)
class Place:
    """What is kept for a stream while its request is on the way to it.

    :param name: the request's, which Odoo may run again
    :param resumed: for one that fetches the answer to a call
    """

    name: str
    credential: Credential
    resumed: bool = False


@dataclass(frozen=True)
class Hit:
    """What a change means for one stream.

    :param lists: those that may be others
    :param uris: resources that may have changed, if their client may read them
    :param gone: resources that were deleted
    :param tasks: ids of those that may have come further
    """

    stream: HeldStream
    lists: tuple[str, ...]
    uris: tuple[str, ...]
    gone: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


class StreamIndex:
    """All open streams, found by token, session and topic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_token: dict[int, set[HeldStream]] = {}
        self._by_topic: dict[str, set[HeldStream]] = {}
        self._closed: list[HeldStream] = []
        # Until when, on the monotonic clock.
        self._places: dict[Place, float] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_token.values()))

    def all(self) -> list[HeldStream]:
        """Return the open streams."""
        with self._lock:
            return [stream for streams in self._by_token.values() for stream in streams]

    def reserve(self, place: Place, limits: StreamLimits) -> None:
        """Keep a place for a stream until it is added, or its request must have failed.

        Of those that fetch the answers to calls there may be as many as of all others, so that clients which only
        listen do not stand in the way of answers.

        :raises HttpRefusal: 429, there are too many streams, of this token, of this user or in all
        """
        if self._refusal(place, limits):
            self.drop_gone(self.all())
            if refusal := self._refusal(place, limits):
                raise HttpRefusal(429, f"{refusal} Close one, or retry later.", {"Retry-After": str(RETRY_SECONDS)})

    def _refusal(self, place: Place, limits: StreamLimits) -> str | None:
        """Take the place if it is free, else return what it is refused with."""
        token, user = place.credential.token_id, place.credential.user_id
        with self._lock:
            now = time.monotonic()
            self._places = {each: until for each, until in self._places.items() if until > now and each != place}
            taken = [(each.credential, each.resumed) for each in self._places]
            taken += [(each.credential, each.kind == "resumed") for own in self._by_token.values() for each in own]
            alike = [each for each, resumed in taken if resumed == place.resumed]
            if sum(each.token_id == token for each in alike) >= limits.per_token:
                return f"This token has {limits.per_token} event streams open, which is the limit."
            if sum(each.user_id == user for each in alike) >= limits.per_user:
                return f"This user has {limits.per_user} event streams open, which is the limit."
            if len(taken) >= limits.total:
                return "This server holds as many event streams as it may."
            self._places[place] = now + PLACE_SECONDS
            return None

    def add(self, stream: HeldStream) -> None:
        """Hold a stream. A session has one standalone stream: the newest, as its client may have lost the other."""
        with self._lock:
            self._places.pop(Place(stream.place, stream.credential, stream.kind == "resumed"), None)
            own = self._by_token.setdefault(stream.credential.token_id, set())
            replaced = [other for other in own if _replaces(stream, other)]
            own.add(stream)
        for other in replaced:
            other.end(farewell=b"")

    def file(self, stream: HeldStream) -> None:
        """Find the stream by its lists, resources, tasks, session and name from now on."""
        found = {f"session:{stream.session_id}"} if stream.session_id else set()
        if stream.kind in ("legacy", "resumed"):
            found.add(f"stream:{stream.name}")
        for name in stream.lists:
            found.update(topics.of_list(name, stream.credential.user_id))
        for uri, uri_topics in stream.uris.items():
            found.update(uri_topics)
            found.add(topics.gone(stream.credential.token_id, uri))
        found.update(stream.tasks)
        with self._lock:
            if stream not in self._by_token.get(stream.credential.token_id, ()):
                return
            self._unfile(stream)
            stream.topics = frozenset(found)
            for topic in stream.topics:
                self._by_topic.setdefault(topic, set()).add(stream)

    def remove(self, stream: HeldStream) -> None:
        """Forget a stream whose connection is done with it."""
        with self._lock:
            own = self._by_token.get(stream.credential.token_id, set())
            if stream not in own:
                return
            own.discard(stream)
            if not own:
                del self._by_token[stream.credential.token_id]
            self._unfile(stream)
            self._closed.append(stream)

    def take_closed(self) -> list[HeldStream]:
        """Return the streams removed since the last time."""
        with self._lock:
            closed, self._closed = self._closed, []
            return closed

    def concerned(self, changed: Collection[str]) -> set[HeldStream]:
        """Return the streams that one of these topics concerns."""
        with self._lock:
            return {stream for topic in changed for stream in self._by_topic.get(topic, ())}

    def end_all(self, farewell: Mapping[str, bytes]) -> None:
        """End every stream. `farewell` is by kind; the stream's own where there is none."""
        for stream in self.all():
            stream.end(farewell.get(stream.kind))

    def drop_gone(self, streams: Iterable[HeldStream]) -> None:
        """End those of these streams whose clients have closed the connection."""
        for stream in list(streams):
            if stream.connection is not None and is_gone(stream.connection):
                stream.end(farewell=b"")
                self.remove(stream)

    def _unfile(self, stream: HeldStream) -> None:
        for topic in stream.topics:
            filed = self._by_topic[topic]
            filed.discard(stream)
            if not filed:
                del self._by_topic[topic]
        stream.topics = frozenset()


def hits(streams: Iterable[HeldStream], changed: frozenset[str]) -> list[Hit]:
    """Return what a change means for each of these streams, those left out for which it means nothing."""
    found = []
    for stream in streams:
        here = stream.topics & changed
        user, token = stream.credential.user_id, stream.credential.token_id
        lists = tuple(name for name in stream.lists if not here.isdisjoint(topics.of_list(name, user)))
        gone = tuple(uri for uri in stream.uris if topics.gone(token, uri) in here)
        uris = tuple(uri for uri, of_uri in stream.uris.items() if uri not in gone and not here.isdisjoint(of_uri))
        tasks = tuple(task for topic, task in stream.tasks.items() if topic in here)
        if lists or uris or gone or tasks:
            found.append(Hit(stream, lists, uris, gone, tasks))
    return found


def by_credential(found: Iterable[Hit]) -> dict:
    """Return the resources that have to be checked, by the credential that would hear of them."""
    wanted: dict = defaultdict(set)
    for hit in found:
        if hit.uris:
            wanted[hit.stream.credential].update(hit.uris)
    return wanted


def _replaces(stream: HeldStream, other: HeldStream) -> bool:
    return stream.kind == other.kind == "session" and stream.session_id == other.session_id
