#!/usr/bin/env bash
# Builds, runs the benchmarks, and prints their figures as a table.
#
#   tests/bench.sh [--yes] [NAME...]     --yes: install missing Debian packages without asking
#                                        NAME: only these figures, as maillon-bench names them
#   tests/bench.sh [--yes] --curves      how figures grow with records, circles and peers, instead: an hour
#
# Each figure is a file target/figures/NAME.json in the checkout, with the fields name, value, unit, floor, ratio, goal,
# machine, date, commit; a curve is NAME.json and NAME.svg beside it. Absolute times on shared machines mean little: read
# the ratio to the floor, which was measured in the same run. Exit code: that of maillon-bench.
#
# Given to maillon-bench: MAILLON_FIGURES (the folder to write to), MAILLON_BIN, MAILLON_COMMIT, MAILLON_EXAMPLES.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"
cd "$MAILLON_ROOT"

yes=()
names=()
for word in "$@"; do
    case "$word" in
        --yes) yes=(--yes) ;;
        --curves) names=(--curves) ;;
        -*) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
        *) names+=("$word") ;;
    esac
done

deploy/needs.sh "${yes[@]}" build test
if ! has_program maillon-bench; then
    complain "there is no program maillon-bench in this checkout"
    exit 2
fi

export MAILLON_FIGURES="$MAILLON_ROOT/target/figures"
mkdir -p "$MAILLON_FIGURES"
MAILLON_COMMIT="$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)"
if [ -n "$(git status --porcelain 2>/dev/null)" ]; then MAILLON_COMMIT="$MAILLON_COMMIT+changes"; fi
export MAILLON_COMMIT
if [ -z "${MAILLON_EXAMPLES:-}" ] && [ -d ../shared/examples ]; then
    MAILLON_EXAMPLES="$(cd ../shared/examples && pwd)"
    export MAILLON_EXAMPLES
fi

claim_target
cargo build --locked --workspace --bins
code=0
"$MAILLON_BIN/maillon-bench" "${names[@]}" || code=$?

if [ "${names[*]}" = --curves ]; then exit $code; fi

python3 - "$MAILLON_FIGURES" <<'TABLE'
import json, pathlib, sys

columns = ["name", "value", "unit", "floor", "ratio", "goal", "date", "commit"]


def shown(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


rows, machines = [], set()
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    try:
        figures = json.loads(path.read_text())
    except ValueError as error:
        sys.exit(f"{path}: no JSON: {error}")
    if "points" in figures:
        continue
    for figure in figures if isinstance(figures, list) else [figures]:
        rows.append([shown(figure.get(column)) for column in columns])
        machines.add(shown(figure.get("machine")))

if not rows:
    sys.exit(f"no figures in {sys.argv[1]}")
numbers = {columns.index(column) for column in ("value", "floor", "ratio")}
widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
for row in [columns, ["-" * width for width in widths], *rows]:
    cells = (c.rjust(w) if i in numbers else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths)))
    print("| " + " | ".join(cells) + " |")
for machine in sorted(machines - {""}):
    print(f"machine: {machine}")
TABLE
exit $code
