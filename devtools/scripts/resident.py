# Run in `odoo shell` by `./dev test --fast`: the registry is loaded once, and every run is a fork of
# this process that reads the addon's Python anew. `env` and `odoo` come from the shell.
import json
import os
import socket
import sys
import threading

import odoo.http
import odoo.service.server
import odoo.sql_db
from odoo.modules.registry import Registry
from odoo.orm.models import MetaModel
from odoo.tests import loader
from odoo.tests.result import OdooTestResult
from odoo.tools import config

IDLE_LIMIT = 3600
database = env.cr.dbname


def forget(modules):
    """Make the next registry import these modules from their files."""
    for name in list(sys.modules):
        if name.startswith("odoo.addons.") and name.split(".")[2] in modules:
            del sys.modules[name]
    for module in modules:
        MetaModel._module_to_models__.pop(module, None)
        odoo.http.Controller.children_classes.pop(module, None)
        if hasattr(odoo.addons, module):
            delattr(odoo.addons, module)


def run_tests(modules, spec):
    """Load the addon and run its tests; counts as Odoo's own runner has them."""
    odoo.sql_db._Pool = odoo.sql_db._Pool_readonly = None  # the parent's connections are not ours
    forget(modules)
    config["test_enable"] = False  # otherwise loading runs the at_install tests a first time
    Registry.new(database)
    config["test_enable"], config["test_tags"], config["http_port"] = True, spec, 0
    suites = [loader.make_suite(modules, position) for position in ("at_install", "post_install")]
    if any(suite.has_http_case() for suite in suites):
        server = odoo.service.server.server = odoo.service.server.ThreadedServer(odoo.http.root)
        server.http_spawn()
    report = OdooTestResult()
    for suite in suites:
        report.update(loader.run_suite(suite, global_report=report))
    return {
        "failed": report.failures_count + report.errors_count,
        "total": report.testsRun,
        "skipped": report.skipped,
    }


def in_child(request):
    """The child's life: its log, the run, the counts into the file that the client reads."""
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        threading.current_thread().dbname = database
        counts = run_tests(request["modules"], request["spec"])
        with open(request["counts"], "w") as file:
            json.dump(counts, file)
        code = 0
    except BaseException:
        import logging

        logging.getLogger("odoo.tests.resident").critical("the addon does not load", exc_info=True)
    # No clean-up of Python objects: they hold the parent's connections.
    os._exit(code)


def serve(path):
    """Answer runs one after the other until nobody asked for an hour."""
    listener = socket.socket(socket.AF_UNIX)
    os.chdir(os.path.dirname(path))  # a socket's path has a length limit, a relative one is short
    listener.bind(os.path.basename(path))
    listener.listen(16)
    listener.settimeout(IDLE_LIMIT)
    while True:
        try:
            connection, _peer = listener.accept()
        except TimeoutError:
            return
        with connection, connection.makefile("rw") as stream:
            request = json.loads(stream.readline())
            child = os.fork()
            if not child:
                in_child(request)
            _pid, status = os.waitpid(child, 0)
            stream.write(f"{os.waitstatus_to_exitcode(status)}\n")


serve(os.environ["MCP_DEV_RESIDENT_SOCKET"])
