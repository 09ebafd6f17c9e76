#!/usr/bin/env python3
"""Breaks the rules of the protocol on purpose, one at a time, and looks whether the simulation sees it.

    tests/mutations/run.py              all of them: about two hours on two cores; writes tests/evidence/mutations.json
    tests/mutations/run.py NAME...      only these; renews their entries, where the protocol is that of the others
    tests/mutations/run.py --fresh      the same, what an earlier run of the same code has seen too
    tests/mutations/run.py --check      whether every rule that is to be broken still stands where the list says

A mutation replaces one text of one file (list.toml) in a copy of the protocol and of the simulated net, outside the checkout. It is seen where a
test of those that run here fails: generated schedules first (`schedules`), then the stories in virtual time. What nobody sees is a hole.

A run that is stopped goes on where it was, as long as the code of protocol, simulated net and stories is the same.

The last line is `N passed, N failed, N skipped`. Exit 0 if every mutation was seen.
"""

import datetime
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).resolve().parent / "list.toml"
EVIDENCE = ROOT / "tests/evidence/mutations.json"
# The stories that run over the simulated net, and so without a daemon.
STORIES = ["replication", "leaving", "successors", "attachments", "requests", "erasing", "replacing",
           "forks", "clocks", "malice", "letters", "deliveries", "presenting", "carrying_over", "late"]
TREES = ["schedules.rs", *(name if (ROOT / "tests/tests" / name).is_dir() else f"{name}.rs" for name in STORIES)]
CASES = "400"
# Bytes of a program's memory: some mutations make nodes that never come to rest.
MEMORY = 6 << 30
# Seconds of one run, its build included.
PATIENCE = 900


def mutations():
    return tomllib.loads(LIST.read_text())["mutation"]


def stands(root, mutation):
    """What is wrong with the place that a mutation names; nothing, or a line."""
    path = root / mutation["file"]
    if not path.is_file():
        return f"{mutation['file']} is not there"
    found = path.read_text().count(mutation["old"])
    return None if found == 1 else f"{mutation['file']} has the text {found} times"


def check():
    failed = 0
    for mutation in mutations():
        complaint = stands(ROOT, mutation)
        if complaint:
            failed += 1
            print(f"FAIL mutation {mutation['name']}: {complaint}")
    print(f"{len(mutations()) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def workspace(where):
    """The protocol and the simulated net, without what needs a daemon: it builds in half a minute."""
    shutil.rmtree(where / "protocol", ignore_errors=True)
    shutil.rmtree(where / "tests", ignore_errors=True)
    where.mkdir(parents=True, exist_ok=True)
    manifest = (ROOT / "Cargo.toml").read_text()
    (where / "Cargo.toml").write_text(
        re.sub(r"members = \[[^\]]*\]", 'members = ["protocol", "tests"]', manifest, count=1))
    shutil.copy(ROOT / "Cargo.lock", where / "Cargo.lock")
    # Copied with the time of now: a build of what an earlier run had broken last is older.
    shutil.copytree(ROOT / "protocol", where / "protocol", copy_function=shutil.copy)
    (where / "tests/src").mkdir(parents=True)
    (where / "tests/tests").mkdir()
    shutil.copytree(ROOT / "tests/src/net", where / "tests/src/net", copy_function=shutil.copy)
    for name in ["schedules", *STORIES]:
        folder = ROOT / "tests/tests" / name
        if folder.is_dir():
            shutil.copytree(folder, where / "tests/tests" / name, copy_function=shutil.copy)
        else:
            shutil.copy(f"{folder}.rs", where / "tests/tests")
    (where / "tests/src/lib.rs").write_text("//! The simulated net.\npub mod net;\n")
    needs = ["maillon-protocol", "rand", "rand_chacha", "proptest", "minicbor"]
    lines = "".join(f"{name}.workspace = true\n" for name in needs)
    (where / "tests/Cargo.toml").write_text(
        f'[package]\nname = "maillon-tests"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n{lines}')


def run(where, tests):
    """Whether some test fails, and the name of the first one."""
    names = [word for test in tests for word in ("--test", test)]
    bound = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    build = ["cargo", "test", "--quiet", "-p", "maillon-tests", "--no-fail-fast", *names]
    process = subprocess.Popen(
        build, cwd=where, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=bound, start_new_session=True,
        env=os.environ | {"CARGO_TARGET_DIR": str(where / "target"), "MAILLON_CASES": CASES, "MAILLON_SEED": "2", "MAILLON_SHRINK_MS": "1",
                          "RUST_BACKTRACE": "0", "CARGO_TERM_COLOR": "never"})
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True, f"no end within {PATIENCE} s"
    if re.search(r"^error(\[|: could not compile)", said, re.M):
        raise SystemExit("the mutated code does not compile:\n" + said[-3000:])
    found = re.search(r"^---- (\S+) stdout ----", said, re.M)
    if process.returncode and not found and "memory allocation of" in said:
        return True, f"more than {MEMORY >> 30} GiB of memory"
    return process.returncode != 0, found.group(1) if found else None


def same_code():
    """A name of everything that a result hangs on, but the mutation."""
    trees = ["protocol/src", "tests/src/net", *(f"tests/tests/{name}" for name in TREES), "Cargo.lock"]
    return " ".join(git("rev-parse", f"HEAD:{tree}") for tree in trees)


def covers():
    """The protocol without the administrator's calls, which no simulated node hears."""
    found = sorted((ROOT / "protocol/src").iterdir())
    return [f"protocol/src/{one.name}" for one in found if one.name not in ("admin", "lib.rs")]


def kept(where):
    """What earlier runs of the same code have seen, by the mutation's whole text."""
    path = where / "seen.json"
    held = json.loads(path.read_text()) if path.exists() else {}
    return held["results"] if held.get("code") == same_code() else {}


def keep(where, results):
    (where / "seen.json").write_text(json.dumps({"code": same_code(), "results": results}))


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], text=True, capture_output=True, check=True).stdout.strip()


def record(results, some):
    """Writes down what was seen. Some of them take the places of their entries, where the others were seen in the same protocol."""
    covered = [*covers(), "tests/src/net", "tests/tests/schedules.rs"]
    head = git("rev-parse", "HEAD")
    commit = head
    if some:
        held = json.loads(EVIDENCE.read_text()) if EVIDENCE.exists() else None
        if not held or git("diff", "--name-only", held["commit"], head, "--", *covered):
            print("--  the others were seen in another protocol, or not at all: nothing is written down")
            return
        commit = held["commit"]
        renewed = {one["name"]: one for one in results}
        results = [renewed.get(one["name"], one) for one in held["mutations"]]
    EVIDENCE.write_text(json.dumps({
        "command": "tests/mutations/run.py", "commit": commit,
        "date": datetime.date.today().isoformat(), "machine": f"{os.cpu_count()} processors, {platform.machine()}",
        "seconds": sum(one["seconds"] for one in results), "covers": covered,
        "executions": len(results), "seeds": f"MAILLON_CASES={CASES} MAILLON_SEED=2",
        "findings": [f"nobody sees {one['name']}" for one in results if not one["seen"]],
        "mutations": results}, indent=1, ensure_ascii=False) + "\n")


def main(words):
    if words == ["--check"]:
        return check()
    fresh = words == ["--fresh"]
    words = [] if fresh else words
    chosen = [one for one in mutations() if not words or one["name"] in words]
    target = os.environ.get("CARGO_TARGET_DIR") or pathlib.Path.home() / ".cache/maillon/target"
    where = pathlib.Path(target) / "mutations"
    workspace(where)
    started, results = time.monotonic(), []
    broken, test = run(where, ["schedules", *STORIES])
    if broken:
        raise SystemExit(f"a test fails before anything is broken: {test}")
    print(f"ok  nothing broken, nothing seen ({time.monotonic() - started:.0f} s)", flush=True)
    before = {} if words or fresh else kept(where)
    for mutation in chosen:
        text = json.dumps(mutation, sort_keys=True)
        if text in before:
            results.append(before[text])
            print(f"ok  {mutation['name']} was seen before", flush=True)
            continue
        complaint = stands(where, mutation)
        if complaint:
            raise SystemExit(f"mutation {mutation['name']}: {complaint}")
        path, begun = where / mutation["file"], time.monotonic()
        whole = path.read_text()
        path.write_text(whole.replace(mutation["old"], mutation["new"]))
        try:
            seen, by = run(where, ["schedules"])
            simulation = seen
            if not seen:
                seen, by = run(where, STORIES)
        finally:
            path.write_text(whole)
        seconds = round(time.monotonic() - begun)
        results.append({"name": mutation["name"], "breaks": mutation["breaks"], "seen": seen,
                        "by": "schedules" if simulation else "stories", "test": by, "seconds": seconds, "commit": git("rev-parse", "HEAD")})
        if seen and not words:
            before[text] = results[-1]
            keep(where, before)
        how = f"{results[-1]['by']}: {by}" if seen else "nobody"
        print(f"{'ok ' if seen else 'FAIL'} {mutation['name']} is seen by {how} ({seconds} s)", flush=True)
    unseen = sum(not one["seen"] for one in results)
    record(results, bool(words))
    print(f"{len(results) - unseen} passed, {unseen} failed, 0 skipped")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
