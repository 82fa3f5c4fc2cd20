import threading
from contextlib import ExitStack
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..services import running_calls
from ..services.errors import Cancelled
from ..services.running_calls import GONE, CallWatch, RunningCall

PLACE = ("db", 7, '"a"')


@tagged("post_install", "-at_install")
class TestRunningCalls(BaseCase):
    def setUp(self):
        super().setUp()
        self.posted = {}
        self.asked = []
        self.watch = CallWatch(self.look_up)
        # The thread is the tests' own.
        self.roused = self.startPatcher(patch.object(self.watch, "_rouse"))

    def look_up(self, database, places):
        self.asked.append((database, places))
        return {place: why for place, why in self.posted.items() if place in places}

    def running(self, *args, age=2.0):
        call = RunningCall(*args)
        call.started -= age
        return call

    def test_named_call_is_cancelled_with_the_reason(self):
        mine, other = self.running(PLACE), self.running(("db", 8, '"a"'))
        self.posted = {PLACE: "No more."}
        with self.watch.watching(mine), self.watch.watching(other):
            self.watch.look()
        other.check()
        with self.assertRaisesRegex(Cancelled, "No more."):
            mine.check()
        self.assertTrue(mine.stopped)

    def test_short_calls_cost_no_look(self):
        young = self.running(PLACE, lambda: self.fail("Nobody asks"), age=0.0)
        with self.watch.watching(young):
            self.assertTrue(self.watch.look())
        self.assertFalse(self.watch.look())
        self.assertEqual(self.asked, [])

    def test_databases_are_asked_once_each(self):
        calls = [self.running(("db", number, "1")) for number in range(3)] + [self.running(("other", 1, "1"))]
        with ExitStack() as stack:
            for call in calls:
                stack.enter_context(self.watch.watching(call))
            self.watch.look()
        self.assertEqual({database: len(places) for database, places in self.asked}, {"db": 3, "other": 1})

    def test_client_that_has_gone_cancels(self):
        call = self.running(None, lambda: True)
        with self.watch.watching(call):
            self.watch.look()
        self.assertEqual(call.cancelled, GONE)

    def test_connection_is_kept_alive(self):
        call = self.running(PLACE, lambda: False)
        beats = []
        call.beat = lambda: beats.append(1)
        with self.watch.watching(call):
            self.watch.look()
            self.watch.look()
        self.assertEqual(len(beats), 2)

    def test_only_a_query_is_interrupted(self):
        call, hits = self.running(), []
        call.cancel()
        call.interrupt = lambda: hits.append(1)
        call.between_queries()
        call.cancel("Again.")
        self.assertEqual(hits, [])
        self.assertNotEqual(call.cancelled, "Again.")

    def test_interruption_under_way_is_waited_for(self):
        call, order = self.running(), []
        begun, go_on = threading.Event(), threading.Event()

        def interrupt():
            begun.set()
            go_on.wait(10)
            order.append("interrupted")

        call.interrupt = interrupt
        thread = threading.Thread(target=call.cancel)
        thread.start()
        begun.wait(10)
        threading.Timer(0.01, go_on.set).start()
        call.between_queries()
        order.append("next query")
        thread.join()
        self.assertEqual(order, ["interrupted", "next query"])

    def test_interruption_that_was_not_heard_is_repeated(self):
        call, hits = self.running(PLACE), []
        with self.watch.watching(call):
            call.cancel()
            call.interrupt = lambda: hits.append(1)
            self.watch.look()
            self.watch.look()
            self.assertEqual(len(hits), 2)
            call.between_queries()
            self.watch.look()
        self.assertEqual(len(hits), 2)

    def test_last_look_at_the_client(self):
        gone = []
        call = self.running(None, lambda: bool(gone))
        call.check_client()
        gone.append(1)
        with self.assertRaises(Cancelled):
            call.check_client()

    def test_nothing_to_watch(self):
        with self.watch.watching(None):
            self.assertFalse(self.watch.look())
        self.roused.assert_not_called()


@tagged("post_install", "-at_install")
class TestCallWatchThread(BaseCase):
    def test_thread_looks_after_the_first_call_and_after_later_ones(self):
        looked = threading.Event()
        watch = CallWatch(lambda database, places: looked.set() or {})
        for name, value in (("LOOK_SECONDS", 0.001), ("YOUNG_SECONDS", 0.0), ("IDLE_LOOKS", 1)):
            self.startPatcher(patch.object(running_calls, name, value))
        for _round in range(3):
            looked.clear()
            with watch.watching(RunningCall(PLACE)):
                self.assertTrue(looked.wait(10))

    def test_fork_leaves_no_thread_behind(self):
        watch = CallWatch(lambda database, places: {})
        watch._thread = object()
        watch._forget_thread()
        self.assertIsNone(watch._thread)
        self.assertTrue(watch._sleeps)
