#!/usr/bin/env python3
"""Lives a month of the whole country in virtual time, and records it.

    tests/country/run.py [--seed N] [--nodes N...] [--program PATH]     about forty minutes of one processor, 4 GB of memory

279 nodes and 20,000 circles, and for comparison 30 and 100 nodes with as many circles each (--nodes says others). Each must agree at its end, and
what falls to one of a node's records may not grow with the number of nodes. --program is the test program `country`, built already.

Writes tests/evidence/country.json where the whole country was among them; the last line is `N passed, N failed, N skipped`.
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
import tempfile
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
    """One month: what it came to, or why not; seconds of the clock and of the processor, and the most memory."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as told:
        words = [program, "--ignored", "--exact", "a_month_of_the_whole_country", "--nocapture"]
        running = subprocess.Popen(words, stdout=told, stderr=told, env=os.environ | {"MAILLON_NODES": str(nodes), "MAILLON_SEED": str(seed)})
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        said = told.read()
    lived = {"seconds": round(time.monotonic() - begun), "processor_seconds": round(used.ru_utime + used.ru_stime),
             "memory_mib": used.ru_maxrss // 1024}
    found = re.search(r"^COUNTRY (.*)$", said, re.M)
    if running.returncode or not found:
        why = re.search(r"panicked at.*\n(.*)", said)
        return lived | {"nodes": nodes, "broken": why.group(1) if why else f"exit {running.returncode}"}
    table = said.split("COUNTRY ")[0].split("running 1 test")[-1].strip()
    return lived | json.loads(found.group(1)) | {"table": table.splitlines()}


def covers():
    """The protocol without the administrator's calls, which no simulated node hears."""
    found = sorted((ROOT / "protocol/src").iterdir())
    return [f"protocol/src/{one.name}" for one in found if one.name not in ("admin", "lib.rs")]


def main():
    words = argparse.ArgumentParser(description="Lives a month of the whole country.")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--nodes", type=int, nargs="+", default=[30, 100, WHOLE])
    words.add_argument("--program")
    asked = words.parse_args()
    program = asked.program or built()
    begun, findings = time.monotonic(), []
    # The largest first, two at a time.
    sizes = sorted(asked.nodes, reverse=True)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        lives = list(pool.map(lambda nodes: live(program, nodes, asked.seed), sizes))[::-1]
    for lived in lives:
        if "broken" in lived:
            findings.append(f"{lived['nodes']} nodes: {lived['broken']}")
            print(f"FAIL {findings[-1]} ({lived['seconds']} s)", flush=True)
            continue
        print("\n".join(lived.pop("table")))
        print(f"ok  {lived['nodes']} nodes agree ({lived['seconds']} s, {lived['processor_seconds']} s of the processor, "
              f"{lived['memory_mib']} MiB)", flush=True)
    whole = [lived for lived in lives if "broken" not in lived]
    for lived, part in [(lived, part) for lived in whole[1:] for part in PARTS]:
        grown = lived["all"][part] / whole[0]["all"][part]
        if grown > MARGIN:
            findings.append(f"{part} for a record: {grown:.2f} times as many among {lived['nodes']} nodes as among {whole[0]['nodes']}")
            print(f"FAIL {findings[-1]}", flush=True)
    if WHOLE in asked.nodes:
        EVIDENCE.write_text(json.dumps({
            "command": f"tests/country/run.py --seed {asked.seed}", "commit": git("rev-parse", "HEAD"),
            "date": datetime.date.today().isoformat(), "machine": f"{os.cpu_count()} processors, {platform.machine()}",
            "seconds": round(time.monotonic() - begun), "executions": len(lives), "seeds": f"MAILLON_SEED={asked.seed}",
            "covers": [*covers(), "tests/src/net", "tests/tests/country.rs"], "findings": findings, "countries": lives},
            indent=1, ensure_ascii=False) + "\n")
    print(f"{len(whole)} passed, {len(findings)} failed, 0 skipped")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
