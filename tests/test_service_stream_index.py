import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..services import stream_index
from ..services.errors import HttpRefusal
from ..services.exchange import Credential
from ..services.held_stream import LONGEST_FAREWELL, MOST_WAITING, HeldStream
from ..services.peer import is_gone
from ..services.stream_index import PLACE_SECONDS, Place, StreamIndex, StreamLimits, by_credential, hits

LIMITS = StreamLimits(total=3, per_token=2, per_user=10)
_numbers = count(1)


def stream(kind="session", token=1, user=1, session=None, **facts):
    credential = Credential("personal", token, user, 1, "127.0.0.1")
    return HeldStream(kind, credential, session_id=session or next(_numbers), **facts)


@tagged("post_install", "-at_install")
class TestHeldStream(BaseCase):
    def test_chunks_come_out_in_order_after_the_first_and_before_the_farewell(self):
        held = stream(first=b"first", farewell=b"bye")
        held.push(b"1")
        held.push(b"2")
        held.end()
        held.push(b"too late")
        self.assertEqual(list(held), [b"first", b"1", b"2", b"bye"])

    def test_another_farewell_and_none(self):
        for given, last in ((None, [b"bye"]), (b"other", [b"other"]), (b"", [])):
            held = stream(first=b"1", farewell=b"bye")
            held.end(given)
            held.end()
            self.assertEqual(list(held), [b"1", *last])

    def test_client_that_does_not_take_the_end_loses_the_connection(self):
        held = stream()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            held.connection = ours
            held.cut()
            held.end()
            held.cut()
            self.assertFalse(is_gone(theirs), "it has time to read what was waiting")
            held.ended_at -= LONGEST_FAREWELL + 1
            held.cut()
            self.assertTrue(is_gone(theirs))
            held.cut()

    def test_client_that_does_not_read_loses_the_stream(self):
        held = stream()
        for _number in range(3):
            held.push(b"x" * (MOST_WAITING // 2))
        self.assertTrue(held.is_over)
        self.assertLess(sum(map(len, held)), MOST_WAITING + 10)

    def test_reading_makes_room(self):
        held = stream(first=b":")
        next(held)
        for _number in range(5):
            held.push(b"x" * (MOST_WAITING // 2))
            next(held)
        self.assertFalse(held.is_over)

    def test_close_is_told_once(self):
        told = []
        held = stream()
        held.on_close(told.append)
        held.close()
        held.close()
        self.assertEqual(told, [held])


@tagged("post_install", "-at_install")
class TestServiceStreamIndex(BaseCase):
    def setUp(self):
        super().setUp()
        self.index = StreamIndex()

    def add(self, *args, **facts):
        held = stream(*args, **facts)
        held.on_close(self.index.remove)
        self.index.add(held)
        return held

    def reserve(self, token=1, user=1, limits=LIMITS, *, resumed=False):
        place = Place(f"request-{next(_numbers)}", stream(token=token, user=user).credential, resumed)
        self.index.reserve(place, limits)
        return place

    def opened(self, *args, **facts):
        place = self.reserve(*args, **facts)
        kind, credential = "resumed" if place.resumed else "session", place.credential
        return self.add(kind, credential.token_id, credential.user_id, place=place.name)

    def assertFull(self, *args, **facts):
        with self.assertRaises(HttpRefusal) as caught:
            self.reserve(*args, **facts)
        self.assertEqual(caught.exception.http_status, 429)
        self.assertIn("Retry-After", caught.exception.headers)
        return caught.exception.message

    def test_limits_of_a_token_and_of_the_process(self):
        self.opened(token=1)
        self.opened(token=1)
        self.assertIn("This token has 2", self.assertFull(1))
        last = self.opened(token=2)
        self.assertIn("This server", self.assertFull(2))
        last.close()
        self.opened(token=2)
        self.assertEqual(len(self.index), 3)

    def test_many_tokens_of_a_user_share_its_places(self):
        limits = StreamLimits(total=10, per_token=2, per_user=3)
        held = [self.opened(token, 7, limits) for token in (1, 2, 3)]
        self.assertIn("This user has 3", self.assertFull(4, 7, limits))
        self.opened(5, 8, limits)
        self.opened(4, 7, limits, resumed=True)
        held[0].close()
        self.opened(4, 7, limits)

    def test_places_that_are_kept_count(self):
        self.reserve()
        place = self.reserve()
        self.assertFull()
        # The same request, run again.
        self.index.reserve(place, LIMITS)
        held = self.add("session", 1, 1, place=place.name)
        self.assertFull()
        held.close()
        self.reserve()

    def test_parallel_requests_get_no_more_places_than_there_are(self):
        limits = StreamLimits(total=1000, per_token=10, per_user=1000)
        clients = Barrier(50)

        def attempt(_number):
            clients.wait()
            try:
                return self.opened(limits=limits)
            except HttpRefusal:
                return None

        with ThreadPoolExecutor(50) as pool:
            found = list(pool.map(attempt, range(50)))
        self.assertEqual((len(list(filter(None, found))), len(self.index)), (10, 10))

    def test_place_of_a_request_that_failed_is_free_again(self):
        self.reserve()
        self.reserve()
        self.assertFull()
        now = time.monotonic()
        with patch.object(stream_index, "time") as clock:
            clock.monotonic.return_value = now + PLACE_SECONDS + 1
            self.reserve()
            self.reserve()
            self.assertFull()

    def test_who_only_listens_leaves_room_for_answers(self):
        limits = StreamLimits(total=10, per_token=2, per_user=10)
        for _number in range(limits.per_token):
            self.opened(limits=limits)
        self.assertFull(limits=limits)
        for _number in range(limits.per_token):
            self.opened(limits=limits, resumed=True)
        self.assertFull(limits=limits, resumed=True)

    def test_streams_left_behind_make_room(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            held = self.add(token=1)
            held.connection = ours
            self.add(token=1)
            self.assertFalse(is_gone(ours))
            self.assertFull()
            theirs.close()
            self.assertTrue(is_gone(ours))
            self.reserve()
            self.assertTrue(held.is_over)
        self.assertTrue(is_gone(ours))

    def test_unread_bytes_are_no_end(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"x")
            self.assertFalse(is_gone(ours))
            self.assertEqual(ours.recv(10), b"x")

    def test_newest_standalone_stream_of_a_session_replaces_the_other(self):
        first, other = self.add(session=7), self.add(session=8)
        resumed = self.add("resumed", session=7)
        second = self.add(session=7)
        self.assertEqual([held.is_over for held in (first, other, resumed, second)], [True, False, False, False])

    def test_changes_find_whom_they_concern(self):
        held, deaf = self.add(user=5), self.add(user=6)
        held.lists = ("tools", "prompts")
        held.uris = {"odoo://record/a/1": ("uri:odoo://record/a/1", "record:a", "record:a:1")}
        for each in (held, deaf):
            self.index.file(each)
        for changed, lists, uris in (
            ({"tools"}, ("tools",), ()),
            ({"policy"}, ("tools", "prompts"), ()),
            ({"user:5"}, ("tools", "prompts"), ()),
            ({"record:a:1"}, (), ("odoo://record/a/1",)),
            ({"record:a", "tools"}, ("tools",), ("odoo://record/a/1",)),
        ):
            with self.subTest(changed=changed):
                self.assertEqual(self.index.concerned(changed), {held})
                (hit,) = hits([held], frozenset(changed))
                self.assertEqual((hit.lists, hit.uris), (lists, uris))
        for changed in ({"resources"}, {"user:6"}, {"record:a:2"}, set()):
            self.assertFalse(self.index.concerned(changed))
        self.assertEqual(by_credential(hits([held], frozenset({"record:a"}))), {held.credential: {"odoo://record/a/1"}})

    def test_filing_anew_forgets_what_was(self):
        held = self.add()
        held.uris = {"u": ("uri:u",)}
        self.index.file(held)
        held.uris = {}
        self.index.file(held)
        self.assertFalse(self.index.concerned({"uri:u"}))

    def test_a_stream_that_is_over_leaves_nothing_behind(self):
        held = self.add("listen")
        held.lists = ("tools",)
        self.index.file(held)
        held.close()
        self.index.file(held)
        self.assertEqual((len(self.index), self.index.concerned({"tools"}), self.index._by_topic), (0, set(), {}))
        self.assertEqual((self.index.take_closed(), self.index.take_closed()), ([held], []))

    def test_all_end_with_the_farewell_of_their_kind(self):
        session, listening = self.add(first=b"1", farewell=b"a"), self.add("listen", first=b"1", farewell=b"b")
        self.index.end_all({"session": b"c"})
        self.assertEqual((list(session), list(listening)), ([b"1", b"c"], [b"1", b"b"]))
