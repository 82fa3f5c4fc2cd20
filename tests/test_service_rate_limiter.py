import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

from odoo.tests import BaseCase, tagged

from ..services import host_files
from ..services.rate_limiter import MemoryStore
from ..services.rate_window import Budget


@tagged("post_install", "-at_install")
class TestMemoryStore(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        self.store = MemoryStore(None, clock=lambda: self.now, places=64)

    def allowed(self, calls, *budgets, store=None):
        return sum((store or self.store).take(budgets).allowed for _number in range(calls))

    def test_a_call_counts_in_all_budgets_or_in_none(self):
        calls, writes = Budget("calls", "calls", 10), Budget("writes", "writes", 2)
        self.assertEqual(self.allowed(5, calls, writes), 2)
        self.assertEqual(self.allowed(20, calls), 8)

    def test_budgets_do_not_share_what_they_count(self):
        # Names that a sloppy key would join: 1+23 and 12+3, and one that is the other's beginning.
        for key in ("token:1:calls", "token:11:calls", "token:1", "token:1:calls:", "user:1:calls"):
            self.assertEqual(self.allowed(5, Budget(key, "calls", 3)), 3, key)

    def test_more_budgets_than_places_forget_the_oldest_and_never_fail(self):
        for number in range(500):
            self.now += 0.1
            self.assertTrue(self.store.take([Budget(f"k{number}", "calls", 1)]).allowed)
        self.assertEqual(self.allowed(3, Budget("k499", "calls", 1)), 0)

    def test_budgets_of_one_call_do_not_push_each_other_out(self):
        crowded = MemoryStore(None, clock=lambda: self.now, places=4)
        budgets = [Budget(f"b{number}", "calls", 5) for number in range(4)]
        self.assertEqual(self.allowed(9, *budgets, store=crowded), 5)

    def test_calls_taken_back_can_be_made_again(self):
        budget = Budget("calls", "calls", 1)
        self.assertEqual(self.allowed(2, budget), 1)
        self.assertEqual(self.store.add([budget], -1), [0])
        self.assertEqual(self.allowed(2, budget), 1)

    def test_threads_pass_no_limit(self):
        budget = Budget("calls", "calls", 500)
        with ThreadPoolExecutor(8) as pool:
            allowed = sum(pool.map(lambda _n: self.allowed(200, budget), range(8)))
        self.assertEqual(allowed, 500)

    def test_processes_share_one_table_and_pass_no_limit(self):
        name = f"test-{secrets.token_hex(8)}"
        store = MemoryStore(name, places=64)
        self.addCleanup(self._remove, name)
        self.assertTrue(store.is_shared)
        budget, children = Budget("calls", "calls", 1000), 4
        readers = []
        for _number in range(children):
            reader, writer = os.pipe()
            if not (child := os.fork()):
                os.write(writer, str(self.allowed(700, budget, store=store)).encode())
                os._exit(0)
            os.close(writer)
            readers.append((child, reader))
        allowed = 0
        for child, reader in readers:
            allowed += int(os.read(reader, 10))
            os.close(reader)
            os.waitpid(child, 0)
        self.assertEqual(allowed, 1000)
        self.assertFalse(store.take([budget]).allowed)
        # Another server of the machine opens it by its name.
        self.assertFalse(MemoryStore(name, places=64).take([budget]).allowed)

    def test_a_lock_dies_with_its_process(self):
        name = f"test-{secrets.token_hex(8)}"
        store = MemoryStore(name, places=64)
        self.addCleanup(self._remove, name)
        if not (child := os.fork()):
            # Gone while it holds the lock.
            holding = store._locked()
            holding.__enter__()
            os._exit(0)
        os.waitpid(child, 0)
        done = threading.Event()
        threading.Thread(target=lambda: (store.take([Budget("a", "calls", 1)]), done.set()), daemon=True).start()
        self.assertTrue(done.wait(5))

    def test_a_file_that_others_can_write_is_not_used(self):
        name = f"test-{secrets.token_hex(8)}"
        self.addCleanup(self._remove, name)
        descriptor = host_files.open_shared(name, 8)
        os.fchmod(descriptor, 0o666)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        os.close(descriptor)
        again = host_files.open_shared(name, 8)
        self.addCleanup(os.close, again)
        self.assertNotEqual(os.readlink(f"/proc/self/fd/{again}"), path)

    def test_a_link_in_its_place_is_not_followed(self):
        name = f"test-{secrets.token_hex(8)}"
        self.addCleanup(self._remove, name)
        os.symlink("/dev/null", f"/dev/shm/odoo-mcp-{os.getuid()}-{name}")
        descriptor = host_files.open_shared(name, 8)
        self.addCleanup(os.close, descriptor)
        self.assertNotIn("/dev/", os.readlink(f"/proc/self/fd/{descriptor}"))

    def _remove(self, name):
        for folder in host_files._FOLDERS:
            path = os.path.join(folder, f"odoo-mcp-{os.getuid()}-{name}")
            if os.path.lexists(path):
                os.unlink(path)
