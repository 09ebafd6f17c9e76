#!/usr/bin/env python3
"""What was run by hand, and whether the code that it covers is newer.

    tests/evidence/check.py

Each tests/evidence/*.json says what ran (command), at which commit, for how long, what it covers and what it found. One whose code has changed since
is told as skipped: run its command again. The mutations that the list names must still stand in the code.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIELDS = {"command": str, "commit": str, "date": str, "machine": str, "seconds": int, "executions": int, "seeds": str,
          "covers": list, "findings": list}


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], text=True, capture_output=True, check=False)


def newer(evidence):
    """The covered folders that have changed since; what ran at several commits says of each part what that covers."""
    parts = [part for part in evidence.get("targets", []) if "commit" in part] or [evidence]
    return sorted({folder for part in parts for folder in changed_since(part)})


def changed_since(evidence):
    commit = evidence["commit"]
    if git("cat-file", "-e", f"{commit}^{{commit}}").returncode != 0:
        return [f"commit {commit[:12]}, which is not in this clone"]
    changed = git("diff", "--name-only", commit, "HEAD", "--", *evidence["covers"]).stdout.split()
    return [folder for folder in evidence["covers"] if any(path.startswith(folder) for path in changed)]


def main():
    passed = failed = skipped = 0
    skips = os.environ.get("MAILLON_SKIPS")
    for path in sorted(HERE.glob("*.json")):
        evidence = json.loads(path.read_text())
        wrong = [name for name, kind in FIELDS.items() if not isinstance(evidence.get(name), kind)]
        missing = [folder for folder in evidence.get("covers", []) if not (ROOT / folder).exists()]
        if wrong or missing:
            failed += 1
            print(f"FAIL {path.name}: without {', '.join(wrong) or 'what it covers: ' + ', '.join(missing)}")
            continue
        since = newer(evidence)
        if not since:
            passed += 1
            continue
        line = f"evidence: {path.name} is of {evidence['date']}, newer is {', '.join(since)}: run {evidence['command']} again"
        if skips:
            # run.sh takes it off what passed, and tells it.
            passed += 1
            with open(skips, "a", encoding="utf-8") as told:
                told.write(line + "\n")
        else:
            skipped += 1
            print(f"--  {line}")
    listed = subprocess.run([sys.executable, ROOT / "tests/mutations/run.py", "--check"], text=True, capture_output=True, check=False)
    for line in listed.stdout.splitlines():
        if line.startswith("FAIL"):
            print(line)
    numbers = listed.stdout.split()[-6:] if listed.stdout else []
    passed += int(numbers[0]) if numbers else 0
    failed += int(numbers[2]) if numbers else 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
