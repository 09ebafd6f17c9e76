#!/usr/bin/env bash
# Runs everything that must hold, one named step after the other.
#
#   tests/run.sh [--yes]             --yes: install missing Debian packages without asking
#   tests/run.sh [--yes] STEP...     only these steps: fmt clippy docs build tests doctests vectors evidence story deny
#
# Each step prints `ok  name (seconds)`, `--  name: why it was skipped`, or `FAIL name` and the log to read. The last
# line is `N passed, N failed, N skipped`, over all individual tests; a step without tests of its own counts as one.
# Exit 0 if nothing failed. Under CI=true a skip whose means are there, or could be installed, is a failure.
#
# Environment, for the tests too:
#   CARGO_TARGET_DIR   where it is built        (~/.cache/maillon/target)
#   MAILLON_BIN        maillond, maillonctl, …  (set here: the target folder's debug)
#   MAILLON_EXAMPLES   published examples       (../shared/examples beside the checkout, where there is one)
#   MAILLON_SKIPS      a file to which a test that cannot run here adds the line `name: why` (set here)
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"
cd "$MAILLON_ROOT" || exit 1

usage() { sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
all="fmt clippy docs build tests doctests vectors evidence story deny"
steps=""
yes=()
for word in "$@"; do
    case "$word" in
        --yes) yes=(--yes) ;;
        --help | -h) usage; exit 0 ;;
        *)
            case " $all " in
                *" $word "*) steps="$steps $word" ;;
                *) complain "unknown step or option: $word"; usage >&2; exit 2 ;;
            esac
            ;;
    esac
done

deploy/needs.sh "${yes[@]}" build test || {
    say "FAIL needs: what the lines above name"
    say "0 passed, 1 failed, 0 skipped"
    exit 1
}

# --- where things go -------------------------------------------------------------------------------------------------

# One folder of logs for each run, the ten newest kept.
runs="$CARGO_TARGET_DIR/logs"
logs="$runs/$(date -u +%Y%m%dT%H%M%SZ)-$$"
mkdir -p "$logs"
find "$runs" -mindepth 1 -maxdepth 1 -type d -name '2*Z-*' | sort -r | tail -n +11 | xargs -r rm -rf --

export MAILLON_SKIPS="$logs/skips"
: >"$MAILLON_SKIPS"
if [ -z "${MAILLON_EXAMPLES:-}" ]; then
    unset MAILLON_EXAMPLES
    if [ -d "$MAILLON_ROOT/../shared/examples" ]; then
        MAILLON_EXAMPLES="$(cd "$MAILLON_ROOT/../shared/examples" && pwd)"
        export MAILLON_EXAMPLES
    fi
fi
export CARGO_TERM_COLOR=never NO_COLOR=1

# --- counting --------------------------------------------------------------------------------------------------------

passed=0 failed=0 skipped=0

# count_of WORD FILE: the sum of `N WORD` over the lines of FILE.
count_of() { grep -Eo "[0-9]+ $1\b" "$2" | awk '{ sum += $1 } END { print sum + 0 }'; }

# Each reader takes a log and prints `passed failed skipped`, or fails if the log holds no summary.
nextest_counts() {
    local line
    line="$(grep -E '^ *Summary \[.*tests? run:' "$1" | tail -n 1)"
    [ -n "$line" ] || return 1
    line="${line#*run:}"
    # `12 passed (1 slow, 1 leaky), 2 failed, 1 exec failed, 1 timed out, 3 skipped`
    line="$(sed -E 's/\([^)]*\)//g; s/exec failed|timed out/failed/g' <<<"$line")"
    printf '%s\n' "$line" >"$logs/summary"
    say "$(count_of passed "$logs/summary") $(count_of failed "$logs/summary") $(count_of skipped "$logs/summary")"
}
libtest_counts() {
    grep -E '^test result: ' "$1" >"$logs/summary" || return 1
    say "$(count_of passed "$logs/summary") $(count_of failed "$logs/summary") $(count_of ignored "$logs/summary")"
}
own_counts() { # our programs end like this script does
    grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$1" | tail -n 1 >"$logs/summary"
    [ -s "$logs/summary" ] || return 1
    say "$(count_of passed "$logs/summary") $(count_of failed "$logs/summary") $(count_of skipped "$logs/summary")"
}
one_count() { say "1 0 0"; }

# --- steps -----------------------------------------------------------------------------------------------------------

wanted() { [ -z "$steps" ] || case " $steps " in *" $1 "*) true ;; *) false ;; esac; }

running=""
# Ctrl-C ends the step that runs, and what it started; `timeout` hands the signal on to them.
trap 'if [ -n "$running" ]; then kill "$running" 2>/dev/null; fi; complain "interrupted"; exit 130' INT TERM

# step NAME READER MINUTES COMMAND...
step() {
    local name="$1" reader="$2" minutes="$3" log counts code started=$SECONDS ok=true
    shift 3
    log="$logs/$name.log"
    [ ! -t 1 ] || printf '..  %s\r' "$name"
    timeout --kill-after=30 "${minutes}m" "$@" >"$log" 2>&1 &
    running=$!
    wait "$running"
    code=$?
    running=""

    local p=0 f=0 s=0 own=0
    if counts="$("$reader" "$log")"; then
        read -r p f s <<<"$counts"
    elif [ $code = 0 ]; then
        code=1
        say "run.sh: no summary in this log, so nothing was shown to hold" >>"$log"
    fi
    if [ "$reader" = one_count ] && [ $code != 0 ]; then p=0; fi
    # A runner that failed without naming a test (it did not compile, it hung) is one failure.
    if [ $code != 0 ] && [ "$f" = 0 ]; then f=1; fi
    [ $code != 124 ] || say "run.sh: ended after $minutes minutes" >>"$log"
    [ "$f" = 0 ] || ok=false

    # Tests that could not run here passed for their runner; they said so in a file.
    own="$(grep -c . "$MAILLON_SKIPS")"
    if [ "$own" -gt 0 ]; then
        sed 's/^/--  /' "$MAILLON_SKIPS"
        cat "$MAILLON_SKIPS" >>"$logs/skipped"
        : >"$MAILLON_SKIPS"
        p=$((p > own ? p - own : 0)) s=$((s + own))
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))

    local detail=""
    if [ "$reader" != one_count ]; then
        detail=": $p passed"
        [ "$f" = 0 ] || detail="$detail, $f failed"
        [ "$s" = 0 ] || detail="$detail, $s skipped"
    fi
    if $ok; then
        say "ok  $name ($((SECONDS - started)) s)$detail"
    else
        say "FAIL $name ($((SECONDS - started)) s)$detail"
        say "     $log"
        # What a reader looks for first; the rest is in the log.
        grep -E '^(error|FAIL| +FAIL |test .* FAILED|Diff in)' "$log" | sort -u | head -n 10 | sed 's/^ */     | /'
    fi
}

# leave_out NAME WHY [means]: a step that cannot run. `means`: needs.sh could have provided it, so CI calls it a failure.
leave_out() {
    if in_ci && [ "${3:-}" = means ]; then
        failed=$((failed + 1))
        say "FAIL $1: $2"
    else
        skipped=$((skipped + 1))
        say "--  $1: $2"
    fi
}

# The second implementation that checks the vectors lives in a virtual environment, made once for each list.
vectors() {
    local list="tests/vectors/requirements.txt" venv
    venv="$CARGO_TARGET_DIR/venv-$( (python3 --version; cat "$list" 2>/dev/null) | sha256sum | cut -c 1-12)"
    if [ ! -e "$venv/complete" ]; then
        python3 -m venv --clear "$venv" || return 1
        if [ -f "$list" ]; then "$venv/bin/pip" install --quiet --requirement "$list" || return 1; fi
        : >"$venv/complete"
    fi
    VIRTUAL_ENV="$venv" PATH="$venv/bin:$PATH" bash tests/vectors/check.sh
}

# Built again because the step may be called alone, and because another checkout may have built into the folder.
story() { cargo build --quiet --locked --workspace --bins && "$MAILLON_BIN/maillon-story"; }

say "logs in $logs"
claim_target || exit 1
if ! compgen -G "$MAILLON_BIN/deps/librocksdb*" >/dev/null; then
    say "first build into $CARGO_TARGET_DIR: 20 to 30 minutes on two cores"
fi

if wanted fmt; then step fmt one_count 5 cargo fmt --all --check; fi
if wanted clippy; then
    step clippy one_count 60 cargo clippy --locked --workspace --all-targets -- -D warnings
fi
if wanted docs; then
    step docs one_count 30 env RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc --locked --workspace --no-deps
fi
if wanted build; then step build one_count 60 cargo build --locked --workspace --bins; fi

if wanted tests; then
    if cargo nextest --version >/dev/null 2>&1; then
        step tests nextest_counts 45 cargo nextest run --locked --workspace --no-fail-fast
    else
        step tests libtest_counts 45 cargo test --locked --workspace --all-targets --no-fail-fast
    fi
fi
if wanted doctests; then
    step doctests libtest_counts 15 cargo test --locked --workspace --doc --no-fail-fast
fi

if wanted vectors; then
    if [ ! -f tests/vectors/check.sh ]; then
        leave_out vectors "there is no tests/vectors/check.sh in this checkout"
    elif ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        leave_out vectors "python3 has no venv here (deploy/needs.sh test)" means
    else
        export -f vectors
        step vectors own_counts 10 bash -c vectors
    fi
fi

# What was run by hand, and whether its code is newer; and that the rules which mutations break still stand.
if wanted evidence; then step evidence own_counts 5 python3 tests/evidence/check.py; fi

if wanted story; then
    if ! has_program maillon-story; then
        leave_out story "there is no program maillon-story in this checkout"
    else
        export -f story
        step story own_counts 30 bash -c story
    fi
fi

if wanted deny; then
    if ! cargo deny --version >/dev/null 2>&1; then
        leave_out deny "cargo-deny is not installed (cargo install --locked cargo-deny)"
    else
        step deny one_count 10 cargo deny --locked check bans licenses sources
        # The advisories come over the network; a machine without one can still run everything else.
        if cargo deny --locked fetch db >"$logs/advisories-fetch.log" 2>&1; then
            step advisories one_count 10 cargo deny --locked check --disable-fetch advisories
        else
            leave_out advisories "their database cannot be fetched from here"
        fi
    fi
fi

say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
