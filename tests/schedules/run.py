#!/usr/bin/env python3
"""Plays generated schedules with one seed after the other, far more than a run of the tests does, and records it.

    tests/schedules/run.py [--seconds N] [--seed S]     half an hour, from seed 2 on, where nothing is said

Each seed plays 400 schedules of each kind (tests/tests/schedules.rs): ordinary ones, with roads that lose and repeat, with rare troubles, with malign nodes.
It ends at the first that breaks, shrunk, as a value that replays exactly: mend it, and make it a test. What ran stands in tests/evidence/schedules.json.

The last line is `N passed, N failed, N skipped`.
"""

import argparse
import datetime
import importlib.util
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "tests/evidence/schedules.json"
CASES = 400
# Kinds of schedules that one seed plays.
KINDS = 4


def mutations():
    """The runner of mutations: the same small workspace serves here."""
    spec = importlib.util.spec_from_file_location("mutations", ROOT / "tests/mutations/run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def play(where, seed):
    """What one seed says where it breaks; nothing where all holds."""
    command = ["cargo", "test", "--quiet", "-p", "maillon-tests", "--no-fail-fast", "--test", "schedules"]
    done = subprocess.run(command, cwd=where, text=True, capture_output=True, check=False,
                          env=os.environ | {"CARGO_TARGET_DIR": str(where / "target"), "MAILLON_CASES": str(CASES), "MAILLON_SEED": str(seed),
                                            "RUST_BACKTRACE": "0", "CARGO_TERM_COLOR": "never"})
    if done.returncode == 0:
        return None
    said = done.stdout + done.stderr
    if re.search(r"^error(\[|: could not compile)", said, re.M):
        raise SystemExit("it does not compile:\n" + said[-3000:])
    found = re.search(r"^Test failed: .*?^\] \}", said, re.M | re.S)
    return found.group(0) if found else said[-3000:]


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=int, default=1800)
    asked.add_argument("--seed", type=int, default=2)
    asked = asked.parse_args()
    shared = mutations()
    target = os.environ.get("CARGO_TARGET_DIR") or pathlib.Path.home() / ".cache/maillon/target"
    where = pathlib.Path(target) / "schedules"
    shared.workspace(where)
    commit = shared.git("rev-parse", "HEAD")
    begun, seeds, findings = time.monotonic(), [], []
    while not seeds or time.monotonic() - begun < asked.seconds:
        seed = asked.seed + len(seeds)
        broken = play(where, seed)
        seeds.append(seed)
        print(f"{'FAIL' if broken else 'ok '} seed {seed}, {KINDS * CASES} schedules", flush=True)
        if broken:
            findings.append(f"seed {seed}: {broken}")
            print(broken)
            break
    EVIDENCE.write_text(json.dumps({
        "command": "tests/schedules/run.py", "commit": commit, "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} processors, {platform.machine()}", "seconds": round(time.monotonic() - begun),
        "executions": KINDS * CASES * len(seeds), "seeds": f"MAILLON_SEED={seeds[0]} to {seeds[-1]}, MAILLON_CASES={CASES}",
        "covers": [*shared.covers(), "tests/src/net", "tests/tests/schedules.rs"], "findings": findings}, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(seeds) - len(findings)} passed, {len(findings)} failed, 0 skipped")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
