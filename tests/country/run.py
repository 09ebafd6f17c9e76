#!/usr/bin/env python3
"""Lives a month of the whole country in virtual time, and records it.

    tests/country/run.py [--seed N] [--nodes N...] [--program PATH]     about forty minutes of one processor, 4 GB of memory

279 nodes and 20,000 circles, and for comparison 30 and 100 nodes with as many circles each (--nodes says others). Each must agree at its end, and
what falls to one of a node's records may not grow with the number of nodes. --program is the test program `country`, built already.

Writes tests/evidence/country.json where the whole country was among them; the last line is `N passed, N failed, N skipped`.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "tests/evidence/country.json"
WHOLE = 279
# How much more may fall to a record in a larger country.
MARGIN = 1.3
PARTS = ["frames", "bytes", "commits", "rows"]


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], text=True, capture_output=True, check=True).stdout.strip()


def built():
    """The test program, from cargo."""
    done = subprocess.run(["cargo", "test", "--locked", "--workspace", "--test", "country", "--no-run", "--message-format", "json"],
                          cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True)
    programs = [json.loads(line).get("executable") for line in done.stdout.splitlines() if line.startswith("{")]
    return [program for program in programs if program][-1]


def live(program, nodes, seed):
    """One month: what it came to, or why not; seconds of the clock and of the processor."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([program, "--ignored", "--exact", "a_month_of_the_whole_country", "--nocapture"], text=True, capture_output=True,
                          check=False, env=os.environ | {"MAILLON_NODES": str(nodes), "MAILLON_SEED": str(seed)})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lived = {"seconds": round(time.monotonic() - begun),
             "processor_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)}
    found = re.search(r"^COUNTRY (.*)$", done.stdout, re.M)
    if done.returncode or not found:
        said = re.search(r"panicked at.*\n(.*)", done.stdout + done.stderr)
        return lived | {"nodes": nodes, "broken": said.group(1) if said else f"exit {done.returncode}"}
    print(done.stdout.split("COUNTRY ")[0].split("running 1 test")[-1].strip(), flush=True)
    return lived | json.loads(found.group(1))


def main():
    words = argparse.ArgumentParser(description="Lives a month of the whole country.")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--nodes", type=int, nargs="+", default=[30, 100, WHOLE])
    words.add_argument("--program")
    asked = words.parse_args()
    program = asked.program or built()
    begun, lives, findings = time.monotonic(), [], []
    for nodes in asked.nodes:
        lived = live(program, nodes, asked.seed)
        lives.append(lived)
        if "broken" in lived:
            findings.append(f"{nodes} nodes: {lived['broken']}")
            print(f"FAIL {nodes} nodes: {lived['broken']} ({lived['seconds']} s)", flush=True)
            continue
        print(f"ok  {nodes} nodes agree ({lived['seconds']} s, {lived['processor_seconds']} s of the processor)", flush=True)
        small = next((one for one in lives if "broken" not in one), lived)
        for part in PARTS:
            grown = lived["all"][part] / small["all"][part]
            if grown > MARGIN:
                findings.append(f"{part} for a record: {grown:.2f} times as many among {nodes} nodes as among {small['nodes']}")
                print(f"FAIL {findings[-1]}", flush=True)
    if WHOLE in asked.nodes:
        EVIDENCE.write_text(json.dumps({
            "command": f"tests/country/run.py --seed {asked.seed}", "commit": git("rev-parse", "HEAD"),
            "date": datetime.date.today().isoformat(), "machine": f"{os.cpu_count()} processors, {platform.machine()}",
            "seconds": round(time.monotonic() - begun), "executions": len(lives), "seeds": f"MAILLON_SEED={asked.seed}",
            "covers": ["protocol/src", "tests/src/net", "tests/tests/country.rs"], "findings": findings, "countries": lives},
            indent=1, ensure_ascii=False) + "\n")
    failed = sum("broken" in one for one in lives) + sum(" for a record: " in one for one in findings)
    print(f"{len(lives) - sum('broken' in one for one in lives)} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
