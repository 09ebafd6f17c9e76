#!/usr/bin/env bash
# Builds Maillon and shows it.
#
#   deploy/demo.sh [--yes] [DIR]     three territories on this machine, each with its pages to sign in on; Ctrl-C ends it
#   deploy/demo.sh [--yes] --check   the main story with separate daemons, then that demonstration, one line a sentence;
#                                    exit 0 if all is well
#
#   --yes    install missing Debian packages without asking
#   DIR      where the demo keeps its data (else a temporary folder that maillond names)
#
# Exit 2: something must be installed first, and the lines above say what.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

yes=()
check=false
dir=()
for word in "$@"; do
    case "$word" in
        --yes) yes=(--yes) ;;
        --check) check=true ;;
        --help | -h) usage; exit 0 ;;
        -*) complain "unknown option: $word"; usage >&2; exit 2 ;;
        *)
            [ ${#dir[@]} = 0 ] || { complain "one folder at most"; usage >&2; exit 2; }
            # The demo runs from the checkout; the folder is meant from where the reader stands.
            case "$word" in /*) dir=("$word") ;; *) dir=("$PWD/$word") ;; esac
            ;;
    esac
done

say "1/3  What this machine needs"
"$MAILLON_ROOT/deploy/needs.sh" "${yes[@]}" build

programs=(--bin maillond --bin maillonctl)
if $check; then programs+=(--bin maillon-story); fi
if compgen -G "$MAILLON_BIN/deps/librocksdb*" >/dev/null; then
    say "2/3  Build (what changed since the last time)"
else
    say "2/3  Build (the first one compiles RocksDB: 20 to 30 minutes on two cores, once)"
fi
say "     into $CARGO_TARGET_DIR"
started=$SECONDS
cd "$MAILLON_ROOT"
claim_target
cargo build --locked "${programs[@]}"
say "     built in $(duration $((SECONDS - started)))"

if $check; then
    say "3/3  The story: two daemons, then three, then the demonstration (three minutes at most)"
    exec "$MAILLON_BIN/maillon-story"
fi
say "3/3  The demo: three territories with their pages; Ctrl-C ends it"
exec "$MAILLON_BIN/maillond" demo "${dir[@]}"
