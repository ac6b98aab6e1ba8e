#!/usr/bin/env python3
"""Judges the suite's reports, strictly: prints a table and every bad case, and fails on any, or when too few cases ran.

report.py --expect CASES DIRECTION..., each a folder with the shards' folders in it, named for what was tested.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

# What these cases watch is left open by RFC 6455: the suite has no verdict on them.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
VERDICTS = ("OK", "NON-STRICT", "INFORMATIONAL", "FAILED")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect", type=int, required=True, help="cases that each direction has to run, at least")
    parser.add_argument("directions", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()
    print(f"{'direction':<12} {'cases':>6} {'OK':>6} {'non-strict':>11} {'informational':>14} {'failed':>7}")
    complaints = []
    results = [judge(folder, arguments.expect, complaints) for folder in arguments.directions]
    for complaint in complaints:
        print(complaint)
    passed, failed = map(sum, zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def judge(folder, expected, complaints):
    """Prints one row of the table and adds to the complaints; returns how many cases passed and how many did not."""
    cases = load(folder)
    verdicts = {case: verdict(entry) for case, (_, entry) in cases.items()}
    counts = collections.Counter(verdicts.values())
    print(
        f"{folder.name:<12} {len(cases):>6} {counts['OK']:>6} {counts['NON-STRICT']:>11}"
        f" {counts['INFORMATIONAL']:>14} {counts['FAILED']:>7}"
    )
    bad = sorted((case for case in cases if not good(case, verdicts[case])), key=by_number)
    complaints.extend(describe(folder.name, case, *cases[case]) for case in bad)
    missing = max(0, expected - len(cases))
    if missing:
        complaints.append(f"{folder.name}: {missing} of {expected} cases did not run")
    return len(cases) - len(bad), len(bad) + missing


def load(folder):
    """Case number -> (folder of its report, its entry in the shard's index)."""
    cases = {}
    for index in folder.glob("*/index.json"):
        for entries in json.loads(index.read_text()).values():
            cases.update((case, (index.parent, entry)) for case, entry in entries.items())
    return cases


def verdict(entry):
    """The worse of the two behaviors; every word of the suite's that isn't ours is a failure."""
    behaviors = (entry["behavior"], entry["behaviorClose"])
    return max((b if b in VERDICTS else "FAILED" for b in behaviors), key=VERDICTS.index)


def good(case, verdict):
    return verdict == "OK" or (verdict == "INFORMATIONAL" and case in INFORMATIONAL)


def describe(direction, case, folder, entry):
    detail = json.loads((folder / entry["reportfile"]).read_text())
    return (
        f"{direction}: case {case}: {entry['behavior']}, close {entry['behaviorClose']}"
        f"\n    case:   {plain(detail['description'])}"
        f"\n    result: {plain(detail['result'])}; {plain(detail['resultClose'])}"
    )


def plain(text):
    """The suite writes its texts for web pages."""
    return " ".join(re.sub("<[^>]*>", " ", text).split())


def by_number(case):
    return [int(part) for part in case.split(".")]


if __name__ == "__main__":
    main()
