# Sourced by demo.sh, needs.sh, tests/run.sh, tests/bench.sh: where things are, and how these scripts speak.
# shellcheck shell=bash

# The checkout, wherever the script was called from.
MAILLON_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Builds go outside the checkout, so that a fresh clone finds RocksDB and AWS-LC built.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/maillon/target}"
case "$CARGO_TARGET_DIR" in
    /*) ;;
    *) CARGO_TARGET_DIR="$MAILLON_ROOT/$CARGO_TARGET_DIR" ;;
esac

# The one profile's folder: maillond, maillonctl, maillon-story, maillon-bench.
export MAILLON_BIN="$CARGO_TARGET_DIR/debug"

# A rustup that was installed a minute ago is not yet on this shell's path.
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }

# in_ci: true where nobody can be asked and nothing may be left out.
in_ci() { [ "${CI:-}" = true ]; }

# duration SECONDS: 75 -> "1 min 15 s".
duration() {
    if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); fi
}

# has_program NAME: is there such a binary in the workspace? Asked of cargo, because the target folder is shared and
# may hold the programs of another checkout.
has_program() {
    local packages
    packages="$(cd "$MAILLON_ROOT" && cargo metadata --locked --no-deps --format-version 1)" || return 1
    grep -Eq '"kind":\["bin"\],"crate_types":\["bin"\],"name":"'"$1"'"' <<<"$packages"
}

# claim_target: to be called before a build. Fetches what the pages need for the browser, where that is missing. Cargo names what it builds by the crate's path *inside* the checkout and
# compares file times, so in a shared folder it takes another checkout's newer build for this one's. When the last
# build there was another checkout's, our own four crates are therefore built anew; the dependencies stay.
claim_target() {
    "$MAILLON_ROOT/deploy/assets.sh" || return
    local mark="$CARGO_TARGET_DIR/built-from"
    if [ -d "$CARGO_TARGET_DIR/debug" ] && [ "$(cat "$mark" 2>/dev/null)" != "$MAILLON_ROOT" ]; then
        (cd "$MAILLON_ROOT" && cargo clean --quiet --locked --workspace)
    fi
    mkdir -p "$CARGO_TARGET_DIR"
    printf '%s\n' "$MAILLON_ROOT" >"$mark"
}
