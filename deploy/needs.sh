#!/usr/bin/env bash
# What this machine lacks to build Maillon, and to test it: says it, and installs it after asking.
#
#   deploy/needs.sh [--yes] [build] [test]      (without a word: both)
#
#   --yes    do not ask. CI=true does not ask either.
#
# A need is asked of the system (is there a C++ compiler that works?), not of the package manager, so nothing is
# installed where another package already serves. Exit 0: all is there. 1: an installation failed. 2: something is
# missing that you must decide on; the lines above say what to type.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

yes=false
wanted=""
for word in "$@"; do
    case "$word" in
        --yes) yes=true ;;
        build | test) wanted="$wanted $word" ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done
wanted="${wanted:-build test}"

# --- how each need is seen -------------------------------------------------------------------------------------------

compiles() { # LANGUAGE COMPILER, a program on stdin; not to /dev/null, which some linkers replace when they are root
    local out works=true
    command -v "$2" >/dev/null || return 1
    out="$(mktemp)"
    "$2" -x "$1" -o "$out" - 2>/dev/null || works=false
    rm -f "$out"
    $works
}
has_c() { printf '#include <stdlib.h>\nint main(void){return 0;}\n' | compiles c cc; } # rustc links with `cc`
has_cxx() { printf '#include <string>\nint main(){return std::string().size();}\n' | compiles c++ "${CXX:-c++}"; }
# bindgen opens libclang while it runs, and libclang needs its own stddef.h, from a folder of its own.
has_libclang() {
    has_file "${LIBCLANG_PATH:-/nowhere}" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib \
        -- 'libclang.so*' 'libclang-*.so*' &&
        has_file /usr/lib/llvm-*/lib/clang/*/include /usr/lib*/clang/*/include /usr/local/lib/clang/*/include -- stddef.h
}
has_file() { # FOLDER... -- PATTERN...
    local folders=() folder pattern
    while [ "$1" != -- ]; do folders+=("$1"); shift; done
    shift
    for folder in "${folders[@]}"; do
        for pattern in "$@"; do compgen -G "$folder/$pattern" >/dev/null && return 0; done
    done
    return 1
}
has_certificates() { [ -s "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" ] || [ -d /etc/pki/tls/certs ]; }
has_venv() { python3 -c 'import venv, ensurepip' 2>/dev/null; }
has() { command -v "$1" >/dev/null; }
has_tool() { PATH="$PATH:/usr/sbin:/sbin" has "$1"; } # root's tools, which a user may not have on the path
has_faketime() { has_file /usr/lib/*/faketime -- libfaketimeMT.so.1; }

# group | Debian package | how it is seen | what for
needs='
build|gcc libc6-dev|has_c|C compiler and headers: AWS-LC, ring, every link
build|g++|has_cxx|C++ compiler: RocksDB
build|libclang-dev|has_libclang|bindgen reads the headers of RocksDB
build|ca-certificates|has_certificates|cargo fetches crates over HTTPS
build|nodejs npm|has npm|npm fetches what the pages need for the browser
test|git|has git|the commit that figures belong to
test|python3|has python3|known-answer vectors are checked by a second implementation
test|python3-venv|has_venv|its libraries go into a folder of their own
test|strace|has strace|durability: the order of system calls
test|iproute2|has_tool ip|faults: machines with a router between them (as root)
test|nftables|has_tool nft|faults: firewalls and address translation (as root)
test|faketime|has_faketime|faults: clocks that are wrong
test|chromium|has chromium|pages in a real browser
test|chromium-driver|has chromedriver|drives that browser
'

# --- Rust: not from Debian, and not ours to install --------------------------------------------------------------------

rust_is_needed() {
    local least have
    least="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$MAILLON_ROOT/Cargo.toml")"
    if ! has cargo || ! have="$(rustc --version 2>/dev/null | cut -d' ' -f2)" || [ -z "$have" ]; then
        complain "Rust is missing (at least $least). To install it, then call this script again:"
        complain "    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
        has curl || complain "curl is missing too: apt-get install curl"
        return 1
    fi
    if [ "$(printf '%s\n%s\n' "$least" "$have" | sort -V | head -n 1)" != "$least" ]; then
        complain "Rust $have is too old, Maillon needs $least. To update it:"
        complain "    rustup update stable"
        return 1
    fi
    case "$wanted" in
        *test*)
            if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
                complain "The tests use rustfmt and clippy, which are missing. To install them:"
                complain "    rustup component add rustfmt clippy"
                return 1
            fi
            ;;
    esac
}
rust_is_needed || exit 2

# --- Debian packages -----------------------------------------------------------------------------------------------------

missing=""
reasons=""
while IFS='|' read -r group package seen what; do
    case " $wanted " in *" $group "*) ;; *) continue ;; esac
    if ! $seen; then
        missing="$missing $package"
        reasons="$reasons$(printf '    %-24s %s' "$package" "$what")"$'\n'
    fi
done < <(printf '%s' "$needs" | grep .)
[ -n "$missing" ] || exit 0

say "Missing on this machine:"
printf '%s' "$reasons"
if ! has apt-get; then
    complain "This is no Debian: please install what serves the same purpose, under your system's names."
    exit 2
fi

root=()
if [ "$(id -u)" != 0 ]; then
    if ! has sudo; then
        complain "Neither root nor sudo. As root:"
        complain "    apt-get install --no-install-recommends$missing"
        exit 2
    fi
    root=(sudo)
fi

if ! $yes && ! in_ci; then
    if [ ! -t 0 ]; then
        complain "Nobody can be asked here. Call with --yes, or type:"
        complain "    ${root[*]:+${root[*]} }apt-get install --no-install-recommends$missing"
        exit 2
    fi
    read -r -p "Install these packages from Debian? [y/N] " answer
    case "$answer" in y | Y | yes | o | O | oui) ;; *) complain "Nothing was installed."; exit 2 ;; esac
fi

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words on purpose
install() { "${root[@]}" apt-get install --yes --quiet --no-install-recommends $missing; }
# The lists of a fresh machine are empty, those of an old one name packages that are gone: fetched when needed.
if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || ! install; then
    if ! { "${root[@]}" apt-get update --quiet && install; }; then
        complain "apt-get could not install:$missing"
        # The stories that need these say that they are skipped.
        for package in $missing; do
            case "$package" in iproute2 | nftables | faketime | chromium | chromium-driver) ;; *) exit 1 ;; esac
        done
    fi
fi
