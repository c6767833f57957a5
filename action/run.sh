#!/usr/bin/env bash
# Installs gpulint and runs it. All inputs come as variables, GPULINT_*; nothing of them is ever part of the script.
# Works with the bash 3.2 of macOS. GPULINT_DOWNLOAD names another place of releases, also file:///…, for mirrors.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
table="$here/checksums.txt"
temp=${RUNNER_TEMP:-$(mktemp -d)}

fail() {
    printf '::error title=gpulint::%s\n' "$*"
    exit 2
}

# The version that this copy of the action belongs to.
own_version() {
    sed -n 's/^version = "\(.*\)"$/\1/p' "$here/../Cargo.toml" | head -n 1
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1" | cut -d ' ' -f 1
    else
        shasum -a 256 "$1" | cut -d ' ' -f 1
    fi
}

# The triple of this machine, as the archives are named; nothing where there is no archive.
target() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo x86_64-unknown-linux-musl ;;
        Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
        Darwin-x86_64) echo x86_64-apple-darwin ;;
        Darwin-arm64) echo aarch64-apple-darwin ;;
        MINGW*-x86_64 | MSYS*-x86_64 | CYGWIN*-x86_64) echo x86_64-pc-windows-msvc ;;
    esac
}

# place FOLDER FROM: the program, as its archive would leave it.
place() {
    mkdir -p "$1"
    cp "$2"/gpulint* "$1/" || fail "the program is not in $2"
}

# The three below say with their status whether there is something to install; what goes wrong ends the run. They are
# called in a condition, where bash does not stop at errors by itself.

# install_archive FOLDER: the archive of the release, if the table knows it.
install_archive() {
    local triple archive expected actual
    triple=$(target)
    [ -n "$triple" ] || return 1
    archive="gpulint-$version-$triple.tar.gz"
    expected=$(awk -v name="$archive" '$2 == name { print $1 }' "$table")
    [ -n "$expected" ] || return 1
    local base=${GPULINT_DOWNLOAD:-https://github.com/gpulint/gpulint/releases/download}
    curl --fail --silent --show-error --location --retry 3 --output "$temp/$archive" "$base/v$version/$archive" ||
        fail "$archive cannot be downloaded from $base"
    actual=$(sha256 "$temp/$archive")
    [ "$actual" = "$expected" ] ||
        fail "$archive has SHA-256 $actual, expected $expected: it is not what was released"
    mkdir -p "$1"
    tar -xzf "$temp/$archive" -C "$1" || fail "$archive cannot be unpacked"
    rm -f "$temp/$archive"
}

# install_wheel FOLDER: the wheel of the release, if the table knows any; pip refuses all others.
install_wheel() {
    local hashes python
    hashes=$(awk -v start="gpulint-$version-" \
        'index($2, start) == 1 && $2 ~ /\.whl$/ { printf " --hash=sha256:%s", $1 }' "$table")
    python=$(command -v python3 || command -v python) || return 1
    [ -n "$hashes" ] || return 1
    printf 'gpulint==%s%s\n' "$version" "$hashes" >"$temp/gpulint-requirements.txt"
    "$python" -m venv "$temp/gpulint-venv" || return 1
    local bin="$temp/gpulint-venv/bin"
    [ -d "$bin" ] || bin="$temp/gpulint-venv/Scripts"
    "$bin/python" -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps \
        --only-binary :all: --requirement "$temp/gpulint-requirements.txt" ||
        fail "the wheel of gpulint $version cannot be installed, or is not what was released"
    place "$1" "$bin"
}

# install_source FOLDER: what stands beside this script, which the commit of the action vouches for.
install_source() {
    [ "$version" = "$(own_version)" ] && command -v cargo >/dev/null || return 1
    echo "gpulint $version is in no release yet: building it"
    CARGO_TARGET_DIR="$temp/gpulint-build" cargo install --quiet --locked --path "$here/.." --root "$temp/gpulint-root" ||
        fail "gpulint cannot be built"
    place "$1" "$temp/gpulint-root/bin"
}

version=${GPULINT_VERSION:-$(own_version)}
version=${version#v}
case "$version" in
    '' | *[!0-9A-Za-z.+-]*) fail "'$version' is no version" ;;
esac

folder="${RUNNER_TOOL_CACHE:-$temp}/gpulint/$version/$(uname -m)"
if [ ! -e "$folder.complete" ]; then
    rm -rf "$folder"
    install_archive "$folder" || install_wheel "$folder" || install_source "$folder" ||
        fail "the action has no checksum of gpulint $version for $(uname -sm): use a newer one, or another version"
    : >"$folder.complete"
fi
gpulint="$folder/gpulint"
[ -x "$gpulint" ] || gpulint="$gpulint.exe"
"$gpulint" --version

arguments=()
option() {
    if [ -n "$2" ]; then arguments+=("$1=$2"); fi
}
option --fail-on "${GPULINT_FAIL_ON:-}"
option --profile "${GPULINT_PROFILE:-}"
option --config "${GPULINT_CONFIG:-}"
option --baseline "${GPULINT_BASELINE:-}"
option --changed-since "${GPULINT_CHANGED_SINCE:-}"

sarif="$temp/gpulint.sarif"
if [ "${GPULINT_ANNOTATIONS:-true}" = true ]; then format=github; else format=full; fi
arguments+=(--format "$format" --output - --format sarif --output "$sarif")
if [ "${GPULINT_SUMMARY:-true}" = true ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    arguments+=(--format markdown --output "$GITHUB_STEP_SUMMARY")
fi

# A path may hold anything but a line break; after -- it is no option.
arguments+=(--)
while IFS= read -r path; do
    if [ -n "$path" ]; then arguments+=("$path"); fi
done <<<"${GPULINT_PATHS:-.}"

rm -f "$sarif"
status=0
"$gpulint" "${arguments[@]}" || status=$?
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    echo "executable=$gpulint" >>"$GITHUB_OUTPUT"
    if [ -e "$sarif" ]; then echo "sarif=$sarif" >>"$GITHUB_OUTPUT"; fi
fi
exit "$status"
