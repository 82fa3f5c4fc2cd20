"""A client that is a program of its own."""

import contextlib
import queue
import subprocess
import tempfile
import threading
import time

PATIENCE = 90


class Program:
    """A client that runs; its lines are read as they come."""

    def __init__(self, command, environment):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.said = []
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            command,
            env={**environment, "HOME": self.home.name, **self.silent_browser()},
            cwd=self.home.name,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @staticmethod
    def silent_browser():
        """Return what keeps a client from opening a browser of the machine's own."""
        return {"BROWSER": "/bin/true", "DISPLAY": ""}

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line)
            self.lines.put(line.strip())
        self.lines.put(None)

    def wait_for(self, fits):
        """Return the next line for which `fits` is true."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self.lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError("The client did not say what was expected:\n" + "".join(self.said))
            if fits(line):
                return line

    def tell(self, line=""):
        """Send it a line."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self):
        """End it."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):  # a line that it was told and has not read
            self.process.stdin.close()
        self.home.cleanup()
