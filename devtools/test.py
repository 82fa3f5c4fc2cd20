"""run the tests; the last line is `N passed, N failed`

  ./dev test                      everything: Odoo tests, lint, end-to-end tests
  ./dev test --tags TestPolicy    one class (or a module test_mcp_policy, a method .test_x, any Odoo tag)
  ./dev test --fast --tags …      in a resident process: about a second per run
  ./dev test --tags e2e           only the end-to-end tests; --tags lint: only the linters
"""

import sys

from . import e2e, lint, odoo_tests, results, setup


def add_arguments(parser):
    """What to run."""
    parser.add_argument("--tags", help="only these tests (Odoo's --test-tags syntax, or just a class name)")
    parser.add_argument("--fast", action="store_true", help="run Odoo tests in the resident process")
    parser.add_argument("--size", choices=["small", "full"], help="database for --tags (default: what the class asks)")
    parser.add_argument(
        "-k", dest="patterns", action="append", help="with --tags e2e: only tests whose name has this, or another -k"
    )


def run(arguments):
    """Run the chosen parts and print the total as the last line."""
    parts = []
    if arguments.tags == "lint":
        parts.append(lint.run())
    elif arguments.tags == "e2e":
        setup.ready()
        parts.append(e2e.run(arguments.patterns))
    elif arguments.tags or arguments.fast:
        setup.ready()
        parts += odoo_tests.run_chosen(arguments.tags, size=arguments.size, fast=arguments.fast)
    else:
        setup.ready()
        parts = [lint.run(), *odoo_tests.run_all(), e2e.run()]
    total = results.add(parts)
    sys.stderr.flush()
    # Once more, together: what came before may be long.
    for failure in total.failures:
        print(f"✗ {failure}")
    print(total.line(), flush=True)
    return 0 if total.is_success() else 1
