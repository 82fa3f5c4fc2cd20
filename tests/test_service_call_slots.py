import contextlib
import os
import secrets
import time

from odoo.tests import BaseCase, tagged

from ..services import host_files
from ..services.call_slots import LONGEST_WAIT, CallSlots, NoSlot


@tagged("post_install", "-at_install")
class TestCallSlots(BaseCase):
    def setUp(self):
        super().setUp()
        self.name = f"test-{secrets.token_hex(8)}"
        self.slots = CallSlots(self.name)
        self.addCleanup(self._remove)
        # No allowance: refusals come at once.
        self.slots._allowance = 0.0

    def _remove(self):
        for folder in host_files._FOLDERS:
            path = os.path.join(folder, f"odoo-mcp-{os.getuid()}-{self.name}")
            if os.path.exists(path):
                os.unlink(path)

    def hold(self, *, server=7, capacity=2, owner="db", token=1, token_capacity=0, slots=None):
        return (slots or self.slots).held(server, capacity, owner, token, token_capacity)

    def refused(self, **options):
        with self.assertRaises(NoSlot) as caught, self.hold(**options):
            pass
        return caught.exception.whose

    def test_as_many_as_there_are_and_no_more(self):
        with self.hold(), self.hold():
            self.assertEqual(self.refused(), "server")
        with self.hold(), self.hold():
            pass

    def test_servers_and_tokens_have_slots_of_their_own(self):
        with self.hold(capacity=1, token_capacity=1):
            self.assertEqual(self.refused(capacity=9, token_capacity=1), "token")
            with self.hold(server=8, capacity=1, token=2, token_capacity=1):
                pass
            # The same id in another database is another token.
            with self.hold(capacity=9, owner="other", token_capacity=1):
                pass

    def test_a_refused_call_keeps_no_slot(self):
        with self.hold(capacity=1, token=1):
            self.assertEqual(self.refused(capacity=1, token=2, token_capacity=1), "server")
        with self.hold(capacity=1, token=2, token_capacity=1):
            pass

    def test_a_failed_call_frees_its_slots(self):
        with contextlib.suppress(RuntimeError), self.hold(capacity=1):
            raise RuntimeError
        with self.hold(capacity=1):
            pass

    def test_processes_share_slots_and_a_killed_one_frees_its_own(self):
        reader, writer = os.pipe()
        if not (child := os.fork()):
            holding = CallSlots(self.name).held(7, 1, "db", 1, 1)
            holding.__enter__()
            os.write(writer, b"x")
            time.sleep(60)
            os._exit(0)
        os.read(reader, 1)
        self.assertEqual(self.refused(capacity=1, token_capacity=1), "token")
        self.assertEqual(self.refused(capacity=1), "server")
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
        with self.hold(capacity=1, token_capacity=1):
            pass

    def test_a_worker_waits_no_longer_than_its_allowance(self):
        now = [0.0]

        def clock():
            now[0] += 0.01
            return now[0]

        slots = CallSlots(None, clock)
        with self.hold(capacity=1, slots=slots):
            for number, longest in enumerate((LONGEST_WAIT, 0.05, 0.05)):
                before = now[0]
                with self.subTest(number), self.assertRaises(NoSlot), self.hold(capacity=1, slots=slots):
                    pass
                self.assertLess(now[0] - before, longest + 0.1)
