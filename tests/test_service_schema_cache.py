import threading

from odoo.tests import BaseCase, tagged

from ..services import schema_cache
from ..services.schema_cache import SchemaCache


@tagged("post_install", "-at_install")
class TestSchemaCacheService(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 1000.0
        self.cache = SchemaCache(ttl=60, max_entries=3, max_bytes=400, clock=lambda: self.now)

    def test_returns_what_was_stored_for_that_variant_only(self):
        self.cache.set("fields:a", b"1", ("en", 1))
        self.assertEqual(self.cache.get("fields:a", ("en", 1)), b"1")
        self.assertIsNone(self.cache.get("fields:a", ("fr", 1)))
        self.assertIsNone(self.cache.get("fields:b", ("en", 1)))

    def test_old_entries_are_never_returned(self):
        self.cache.set("fields:a", b"1")
        self.now += 59
        self.assertEqual(self.cache.get("fields:a"), b"1")
        self.now += 1
        self.assertIsNone(self.cache.get("fields:a"))
        self.assertEqual(len(self.cache), 0)

    def test_reading_does_not_prolong_life(self):
        self.cache.set("fields:a", b"1")
        for _second in range(70):
            self.now += 1
            self.cache.get("fields:a")
        self.assertIsNone(self.cache.get("fields:a"))

    def test_a_shorter_age_limit_holds_for_what_is_there(self):
        self.cache.set("fields:a", b"1")
        self.now += 30
        self.assertEqual(self.cache.get("fields:a"), b"1")
        self.cache.ttl = 20
        self.assertIsNone(self.cache.get("fields:a"))

    def test_holds_a_thousand_entries_by_default(self):
        cache = SchemaCache()
        for number in range(1_001):
            cache.set(f"fields:{number}", b"1")
        self.assertEqual(len(cache), 1_000)
        self.assertIsNone(cache.get("fields:0"))
        self.assertIsNotNone(cache.get("fields:1"))

    def test_counts_hits_and_misses_until_emptied(self):
        self.cache.get("a")
        self.cache.set("a", b"1")
        self.cache.get("a")
        self.cache.get("a", "other variant")
        self.now += 60
        self.cache.get("a")
        self.assertEqual(self.cache.counts(), schema_cache.Counts(hits=1, misses=3, entries=0))
        self.cache.invalidate("fields:")
        self.assertEqual(self.cache.counts().hits, 1)
        self.cache.invalidate()
        self.assertEqual(self.cache.counts(), schema_cache.Counts(0, 0, 0))

    def test_least_recently_used_leaves_first(self):
        for name in "abc":
            self.cache.set(name, b"1")
        self.cache.get("a")
        self.cache.set("d", b"1")
        self.assertIsNone(self.cache.get("b"))
        self.assertEqual([self.cache.get(name) for name in "acd"], [b"1"] * 3)

    def test_bytes_are_bounded_and_giants_not_kept(self):
        self.cache.set("giant", b"x" * 101)
        self.assertIsNone(self.cache.get("giant"))
        cache = SchemaCache(max_entries=100, max_bytes=400)
        for number in range(20):
            cache.set(f"n{number}", b"x" * 100)
        self.assertEqual(len(cache), 4)
        self.assertIsNotNone(cache.get("n19"))

    def test_replacing_counts_bytes_once(self):
        cache = SchemaCache(max_entries=10, max_bytes=400)
        for _time in range(50):
            cache.set("same", b"x" * 100)
        for name in "abc":
            cache.set(name, b"x" * 100)
        self.assertEqual(len(cache), 4)

    def test_invalidate_by_prefix(self):
        for name in ("fields:sale.order", "fields:res.partner", "models"):
            self.cache.set(name, b"1", "v")
        self.assertEqual(self.cache.invalidate("fields:sale."), 1)
        self.assertIsNone(self.cache.get("fields:sale.order", "v"))
        self.assertIsNotNone(self.cache.get("models", "v"))
        self.assertEqual(self.cache.invalidate(), 2)

    def test_module_invalidate_reaches_every_cache_of_the_process(self):
        other = SchemaCache()
        self.cache.set("test-prefix:a", b"1")
        other.set("test-prefix:b", b"1")
        other.set("keep", b"1")
        self.assertEqual(schema_cache.invalidate("test-prefix:"), 2)
        self.assertIsNotNone(other.get("keep"))

    def test_forgotten_cache_is_not_kept_alive(self):
        cache = SchemaCache()
        cache.set("test-gone:a", b"1")
        del cache
        self.assertEqual(schema_cache.invalidate("test-gone:"), 0)

    def test_threads_leave_consistent_bounds(self):
        cache = SchemaCache(max_entries=8, max_bytes=800)
        failures = []

        def work(seed):
            try:
                for number in range(500):
                    name = f"n{(seed * 7 + number) % 20}"
                    cache.set(name, b"x" * (number % 100))
                    cache.get(name)
                    if not number % 50:
                        cache.invalidate("n1")
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertLessEqual(len(cache), 8)
        cache.invalidate()
        self.assertEqual(cache._bytes, 0)
