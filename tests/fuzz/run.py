#!/usr/bin/env python3
"""Fuzzes every target, and records it.

    tests/fuzz/run.py [--seconds N] [--at-once N] [--address] [TARGET...]     an hour each, two at a time where nothing is said

Needs `cargo install --locked cargo-fuzz`. Without --address no sanitizer: any stable Rust will do; with it AddressSanitizer, which needs
RUSTC_BOOTSTRAP=1. The targets of the daemon (bundle, configuration) build RocksDB once more: 20 to 30 minutes.

What is found lies in tests/fuzz/artifacts and ends the target that found it. What is new in the corpora stays there: `cargo fuzz cmin` before it is
committed. Each target has its own entry in tests/evidence/fuzz.json, with the commit at which it ran; one that ran for less than its entry says of the same
code does not replace it. The last line is `N passed, N failed, N skipped`.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EVIDENCE = ROOT / "tests/evidence/fuzz.json"
NODE = {"bundle", "configuration"}
# What each target is about: its entry is old when this has changed.
COVERS = {
    "frame": ["protocol/src/sync/message.rs"],
    "presentation": ["protocol/src/sync/presentation.rs", "protocol/src/charter"],
    "header": ["protocol/src/record", "protocol/src/sign.rs"],
    "body": ["protocol/src/record", "protocol/src/content"],
    "charter": ["protocol/src/charter", "protocol/src/seal.rs"],
    "letter": ["protocol/src/invite.rs", "protocol/src/identity", "protocol/src/charter/departure.rs"],
    "descriptor": ["protocol/src/descriptor.rs", "protocol/src/sign.rs"],
    "ack": ["protocol/src/circle/ack.rs", "protocol/src/sign.rs"],
    "pairing": ["protocol/src/pairing", "protocol/src/ids.rs"],
    "admin": ["protocol/src/admin"],
    "bundle": ["node/src/fhir"],
    "configuration": ["node/src/config.rs"],
}
ALL = ["protocol/src/cbor.rs"]


def command(target, address):
    words = ["cargo", "fuzz", "run", "--fuzz-dir", str(HERE), "--sanitizer", "address" if address else "none"]
    return words + (["--features", "node"] if target in NODE else []) + [target]


def fuzz(target, seconds, address):
    work = HERE / "corpus" / target
    work.mkdir(parents=True, exist_ok=True)
    environment = os.environ | ({"RUSTC_BOOTSTRAP": "1"} if address else {})
    begun = time.monotonic()
    done = subprocess.run(
        command(target, address) + [str(work), "--", f"-max_total_time={seconds}", "-print_final_stats=1", "-max_len=24000", "-timeout=20",
                                    "-rss_limit_mb=3072"],
        cwd=ROOT, env=environment, text=True, capture_output=True, check=False)
    said = done.stdout + done.stderr
    number = lambda name: int((re.findall(rf"stat::{name}:\s+(\d+)", said) or ["0"])[-1])
    coverage = re.findall(r"cov: (\d+)", said)
    found = re.findall(r"Test unit written to (\S+)", said)
    if done.returncode and not found:
        found = [said[-2000:]]
    return {"target": target, "seconds": round(time.monotonic() - begun), "executions": number("number_of_executed_units"),
            "coverage": int(coverage[-1]) if coverage else 0, "found": found}


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], text=True, capture_output=True, check=True).stdout.strip()


def record(results, commit):
    """Puts the entries of these targets beside those of the others."""
    held = json.loads(EVIDENCE.read_text()) if EVIDENCE.exists() else {}
    entries = {one["target"]: one for one in held.get("targets", [])}
    today = datetime.date.today().isoformat()
    for one in results:
        covers = COVERS[one["target"]] + ALL
        before = entries.get(one["target"], {})
        same = before.get("commit") and not git("diff", "--name-only", before["commit"], commit, "--", *covers)
        if not (same and before["seconds"] > one["seconds"] and not one["found"]):
            entries[one["target"]] = one | {"commit": commit, "date": today, "covers": covers}
    entries = [entries[target] for target in sorted(entries)]
    EVIDENCE.write_text(json.dumps({
        "command": "tests/fuzz/run.py", "commit": commit, "date": today,
        "machine": f"{os.cpu_count()} processors, {platform.machine()}", "seconds": sum(one["seconds"] for one in entries),
        "executions": sum(one["executions"] for one in entries), "seeds": "tests/fuzz/corpus",
        "covers": sorted({folder for one in entries for folder in one.get("covers", [])}),
        "findings": [f"{one['target']}: {found}" for one in entries for found in one["found"]], "targets": entries},
        indent=1, ensure_ascii=False) + "\n")


def main():
    every = sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))
    words = argparse.ArgumentParser(description="Fuzzes every target.")
    words.add_argument("--seconds", type=int, default=3600)
    words.add_argument("--address", action="store_true")
    words.add_argument("--at-once", type=int, default=2)
    words.add_argument("targets", nargs="*", choices=[*every, []], default=[])
    asked = words.parse_args()
    targets = asked.targets or every
    # Built one after the other, or they would wait for each other's locks.
    for target in targets:
        build = [word if word != "run" else "build" for word in command(target, asked.address)]
        environment = os.environ | ({"RUSTC_BOOTSTRAP": "1"} if asked.address else {})
        subprocess.run(build, cwd=ROOT, env=environment, check=True)
    results, commit = [], git("rev-parse", "HEAD")
    with concurrent.futures.ThreadPoolExecutor(max_workers=asked.at_once) as pool:
        running = [pool.submit(fuzz, target, asked.seconds, asked.address) for target in targets]
        for ended in concurrent.futures.as_completed(running):
            one = ended.result()
            results.append(one)
            # Each by itself: a run that is stopped keeps what has ended.
            record([one], commit)
            state = f"found {', '.join(one['found'])}" if one["found"] else "found nothing"
            print(f"{'FAIL' if one['found'] else 'ok '} {one['target']} {state} in {one['seconds']} s, {one['executions']} executions", flush=True)
    failed = sum(bool(one["found"]) for one in results)
    print(f"{len(results) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
