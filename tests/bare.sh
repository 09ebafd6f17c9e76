#!/usr/bin/env bash
# The README's two commands on a bare Debian 12: nothing installed but what debootstrap's minbase brings, and Rust.
# By hand and as root, not in CI; one to two hours on two cores.
#
#   tests/bare.sh FOLDER [demo] [tests] [shell]      (without a word: demo, then tests)
#
#   demo     deploy/demo.sh --yes --check
#   tests    tests/run.sh --yes
#   shell    a shell in there, to look around
#
# FOLDER is made by debootstrap, or used again if an earlier run made it; its target folder is emptied each time, unless
# MAILLON_BARE_KEEP=1. What is tested is the last commit, not the working tree. Rust is this machine's, read-only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout="$PWD"

stop() { printf '%s\n' "$*" >&2; exit 2; }
[ $# -ge 1 ] || { sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[ "$(id -u)" = 0 ] || stop "only root can make and enter a bare system"
for program in debootstrap unshare git rustc; do
    command -v "$program" >/dev/null || stop "$program is missing on this machine"
done
bare="$(realpath -m "$1")"
shift
[ $# -gt 0 ] || set -- demo tests
case "$bare" in / | /usr* | /etc* | /home | /root) stop "$bare is no place for this" ;; esac

# --- the bare system -------------------------------------------------------------------------------------------------

# The mirror that this machine already trusts: the first one that serves bookworm, in either of apt's two notations.
mirror() {
    {
        cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
            awk -v RS= '/Suites:[^\n]*bookworm( |\n|$)/ && match($0, /URIs: *[^ \n]+/) {
                print substr($0, RSTART + 5, RLENGTH - 5) }' || true
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) bookworm .*/\2/p' || true
    } | tr -d ' ' | head -n 1
}

if [ ! -e "$bare/.maillon-bare" ]; then
    [ ! -e "$bare" ] || [ -z "$(ls -A "$bare")" ] || stop "$bare is not empty, and no earlier run made it"
    from="$(mirror)"
    [ -n "$from" ] || stop "apt's sources name no mirror of bookworm on this machine"
    started=$SECONDS
    debootstrap --variant=minbase bookworm "$bare" "$from" >"$bare.log" 2>&1 || stop "debootstrap failed: $bare.log"
    : >"$bare/.maillon-bare"
    echo "bare system made in $((SECONDS - started)) s"
fi

# What a machine on this network has and debootstrap does not bring: names, and the certificates of its own proxy.
cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
certificates=()
for variable in SSL_CERT_FILE CARGO_HTTP_CAINFO PIP_CERT REQUESTS_CA_BUNDLE http_proxy https_proxy no_proxy; do
    value="${!variable:-}"
    [ -n "$value" ] || continue
    if [ -f "$value" ]; then
        install -D -m 644 "$value" "$bare/opt/certificates/$variable.pem"
        value="/opt/certificates/$variable.pem"
    fi
    certificates+=("$variable=$value")
done

# --- the checkout, and what lies beside it ---------------------------------------------------------------------------

rm -rf "$bare/srv/maillon"
git clone --quiet --no-hardlinks "$checkout" "$bare/srv/maillon"
rm -rf "$bare/srv/shared"
# A worktree has its examples beside the main checkout.
for shared in "$checkout/../shared" "$(git rev-parse --path-format=absolute --git-common-dir)/../../shared"; do
    if [ -d "$shared/examples" ]; then
        mkdir -p "$bare/srv/shared"
        cp -r "$shared/examples" "$bare/srv/shared/"
        break
    fi
done
[ "${MAILLON_BARE_KEEP:-}" = 1 ] || rm -rf "$bare/srv/target"

# --- inside ----------------------------------------------------------------------------------------------------------

toolchain="$(rustc --print sysroot)"
nextest="$(command -v cargo-nextest || true)"
registry="${CARGO_HOME:-$HOME/.cargo}/registry"
mkdir -p "$bare/opt/rust" "$bare/srv/target" "$bare/srv/cargo/registry"

# Mounts live in a namespace of their own and end with it: nothing to clean up, nothing left on the machine.
inside() {
    unshare --mount --pid --fork --kill-child bash -euc '
        bare="$1" toolchain="$2" registry="$3" nextest="$4"
        shift 4
        mount --make-rprivate /
        mount -t proc proc "$bare/proc"
        mount --rbind /dev "$bare/dev"
        # A machine has it; debootstrap brings a folder only.
        mount --rbind /sys "$bare/sys"
        mount --bind -o ro "$toolchain" "$bare/opt/rust"
        mount -o remount,bind,ro "$bare/opt/rust"
        # Crates that this machine already has, in a copy that may be written to, so that each is fetched once.
        if [ -d "$registry" ] && [ -z "$(ls -A "$bare/srv/cargo/registry")" ]; then
            cp -r "$registry/." "$bare/srv/cargo/registry/"
        fi
        if [ -n "$nextest" ]; then install -m 755 "$nextest" "$bare/usr/local/bin/cargo-nextest"; fi
        exec chroot "$bare" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
            PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            CARGO_HOME=/srv/cargo CARGO_TARGET_DIR=/srv/target "$@"
    ' bash "$bare" "$toolchain" "$registry" "$nextest" "${certificates[@]}" "$@"
}

result=0
for word in "$@"; do
    started=$SECONDS
    code=0
    case "$word" in
        demo) inside sh -c 'cd /srv/maillon && exec deploy/demo.sh --yes --check' || code=$? ;;
        tests) inside sh -c 'cd /srv/maillon && exec tests/run.sh --yes' || code=$? ;;
        shell) inside sh -c 'cd /srv/maillon && exec bash' || code=$? ;;
        *) stop "unknown word: $word" ;;
    esac
    echo "bare: $word took $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s, exit $code"
    [ $code = 0 ] || result=1
done
exit $result
