"""Run the unittest files of a folder and write the counts as JSON: run_unittest.py FOLDER FILE [PATTERN …]."""

import json
import sys
import unittest


def main(folder, file, *patterns):
    """Discover, run, write the counts."""
    sys.path.insert(0, folder)
    loader = unittest.TestLoader()
    if patterns:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in patterns]
    suite = loader.discover(folder, top_level_dir=folder)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    # A test with several failed subtests is one failed test.
    broken = [(getattr(test, "test_case", test), text) for test, text in (*result.failures, *result.errors)]
    failed = len({test.id() for test in (*(test for test, _text in broken), *result.unexpectedSuccesses)})
    skipped = len(result.skipped)
    counts = {
        "passed": max(0, result.testsRun - failed - skipped), "failed": failed, "skipped": skipped,
        "failures": [f"end-to-end: {test.id()} · {text.strip().splitlines()[-1]}" for test, text in broken],
    }  # fmt: skip
    with open(file, "w") as output:
        json.dump(counts, output)


main(*sys.argv[1:])
