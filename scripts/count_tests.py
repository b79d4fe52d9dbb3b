"""Adds up JUnit result files and closes with "N passed, N failed".

usage: count_tests.py RESULTS.xml...

A test that was skipped or not run counts as failed, since a skip hides a failure; so does a file that is
missing, that cannot be read, or that holds no test. Exit status 1 if anything failed.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcomes(path: Path) -> tuple[int, list[str]]:
    """How many tests of one file passed, and what failed."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        return 0, [f"no results: {error}"]
    if not cases:
        return 0, ["no test was run"]
    failed = [case.get("name", "?") + printed(case) for case in cases if not has_passed(case)]
    return len(cases) - len(failed), failed


def has_passed(case: ElementTree.Element) -> bool:
    # CTest says "run" for a test that passed; pytest has no such attribute.
    bad = any(case.find(tag) is not None for tag in ("failure", "error", "skipped"))
    return not bad and case.get("status", "run") == "run"


def printed(case: ElementTree.Element) -> str:
    """The end of what a test printed; CTest keeps it in its results, pytest shows it by itself."""
    lines = (case.findtext("system-out") or "").strip().splitlines()
    return "".join("\n    " + line for line in lines[-30:])


def main(paths: list[str]) -> int:
    passed = 0
    failed = 0
    for path in map(Path, paths):
        good, bad = outcomes(path)
        passed += good
        failed += len(bad)
        print(f"{path.stem}: {good} of {good + len(bad)}")
        for name in bad:
            print(f"  failed: {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
