"""What needs no Redis; `tests/e2e/test_limits.py` has a real one."""

import time
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..services import redis_rate_limiter
from ..services.rate_window import Budget
from ..services.redis_rate_limiter import RedisStore, Unavailable, ping

BUDGETS = [Budget("token:1:calls", "calls", 5)]
# Nobody listens on this port.
GONE = "redis://:topsecret@127.0.0.1:1/0"


@tagged("post_install", "-at_install")
class TestRedisStore(BaseCase):
    def setUp(self):
        super().setUp()
        self.said = []
        self.store = RedisStore(GONE, "test", self.said.append)

    def refuse(self, store=None):
        with self.assertRaises(Unavailable) as caught:
            (store or self.store).take(BUDGETS)
        return str(caught.exception)

    def test_a_lost_redis_is_said_once_and_without_its_address(self):
        words = [self.refuse() for _number in range(5)]
        self.assertEqual(len(self.said), 1)
        self.assertNotIn("topsecret", " ".join([*self.said, *words]))

    def test_a_lost_redis_is_left_alone_for_a_while(self):
        self.refuse()
        with patch.object(self.store, "_script", side_effect=AssertionError("asked again")):
            self.assertEqual(self.refuse(), "waiting")

    def test_it_is_asked_again_and_its_return_is_said(self):
        self.refuse()
        self.store._ask_again_at = time.monotonic() - 1
        self.store._script = lambda keys, args: [1, 3]
        verdict = self.store.take(BUDGETS)
        self.assertEqual((verdict.allowed, verdict.remaining), (True, 2))
        self.assertEqual(len(self.said), 2)
        self.assertIn("again", self.said[1])

    def test_only_one_call_of_many_pays_for_the_question(self):
        self.refuse()
        self.store._ask_again_at = time.monotonic() - 1
        self.assertNotEqual(self.refuse(), "waiting")
        self.assertEqual(self.refuse(), "waiting")

    def test_an_address_of_something_else_is_no_crash(self):
        for url in ("http://example.com", "redis://", "nonsense", "redis://127.0.0.1:99999999/0"):
            with self.subTest(url=url):
                self.refuse(RedisStore(url, "test"))
                with self.assertRaises(Unavailable):
                    ping(url if url != "redis://" else GONE)

    def test_without_the_package(self):
        with patch.object(redis_rate_limiter, "redis", None):
            self.assertIn("not installed", self.refuse())
            with self.assertRaises(Unavailable):
                ping(GONE)
