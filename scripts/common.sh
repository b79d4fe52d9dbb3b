# Sourced by scripts/quickstart, scripts/test and .ci/run: packages, the log, configuring.
# All of them configure the same folder, build/release, in the same way, so that what one has built the others find;
# they differ in the targets that they build.
# shellcheck shell=bash

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
release=$root/build/release

# shellcheck disable=SC2034  # the scripts that source this file use both lists
build_packages=(build-essential cmake ninja-build libboost-dev libhdf5-dev zlib1g-dev nlohmann-json3-dev libcli11-dev doctest-dev librapidcheck-dev)
# shellcheck disable=SC2034
python_packages=(python3 python3-dev python3-venv)

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 1
}

# start_log FILE: where `logged` writes.
start_log() {
    log=$1
    mkdir -p "$(dirname "$log")"
    : >"$log"
    printf 'Details go to %s\n' "$log"
}

# logged WHAT COMMAND...: says WHAT, runs the command with its output in the log; shows the end of that if it fails.
logged() {
    local what=$1 begin=$SECONDS first
    shift
    first=$(($(wc -l <"$log") + 1))
    printf '%s ... ' "$what"
    printf '$ %s\n' "$*" >>"$log"
    if "$@" >>"$log" 2>&1 </dev/null; then
        printf '%d s\n' $((SECONDS - begin))
        return 0
    fi
    printf 'failed\n'
    tail -n "+$first" "$log" | tail -n 40 >&2
    printf 'The whole output is in %s\n' "$log" >&2
    return 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@"
}

# install_missing PACKAGE...: asks dpkg what is missing and installs only that.
install_missing() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        fail "this is no Debian or Ubuntu, so packages cannot be installed. Needed, by their names there: $*. \
README says how to build by hand."
    fi
    local package missing=()
    for package in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
            installed) ;;
            *) missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        fail "these packages are missing, and installing them needs root or sudo: ${missing[*]}"
    fi
    logged 'Updating the package lists' apt update || fail 'the package lists cannot be updated'
    logged "Installing ${missing[*]}" apt install --no-install-recommends "${missing[@]}" ||
        fail "these packages cannot be installed: ${missing[*]}"
}

# build_release TARGET...: configures the release preset and builds the targets.
build_release() {
    logged 'Configuring' cmake --preset release || fail 'configuring failed'
    logged 'Building (minutes the first time)' cmake --build "$release" --parallel "$(nproc)" --target "$@" ||
        fail 'the build failed'
}
