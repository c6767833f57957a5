#!/usr/bin/env bash
# Runs the script of the action as a runner does, with releases in a folder in place of the network.
set -euo pipefail
cd "$(dirname "$0")/.."
ship=${SHIP:-$PWD/target/ship}
gpulint=${GPULINT:-$PWD/target/debug/gpulint}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
mkdir -p "$work/action/action" "$work/repository/with space" "$work/releases/v$version" "$work/stripped"
cp action/run.sh "$work/action/action"
cp Cargo.toml "$work/action"
table="$work/action/action/checksums.txt"
cp "$gpulint" "$work/stripped/gpulint"
strip "$work/stripped/gpulint" 2>/dev/null || true

# The same archive for every Linux and macOS machine that may run this.
triples="x86_64-unknown-linux-musl aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin"
tar -czf "$work/archive" -C "$work/stripped" gpulint
for triple in $triples; do
    cp "$work/archive" "$work/releases/v$version/gpulint-$version-$triple.tar.gz"
done

sum() { # sum FILE
    python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
}

# The table as it is after a release.
cp action/checksums.txt "$table"
for triple in $triples; do
    printf '%s  gpulint-%s-%s.tar.gz\n' "$(sum "$work/archive")" "$version" "$triple" >>"$table"
done

cat >"$work/repository/pool.yaml" <<'YAML'
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec:
  template:
    spec:
      requirements: [{key: karpenter.k8s.aws/instance-gpu-name, operator: In, values: [h100]}]
YAML
cp "$work/repository/pool.yaml" "$work/repository/with space/b.yaml"
mkdir "$work/repository/clean"
printf 'kind: ConfigMap\n' >"$work/repository/clean/a.yaml"

# act STATUS VARIABLE=VALUE…: a run of the action with these inputs ends like this; its log is in $work/log.
act() {
    local expected=$1 status=0
    shift
    rm -rf "$work/temp" "$work/output" "$work/summary"
    mkdir "$work/temp"
    (cd "$work/repository" && env GITHUB_ACTIONS=true GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary" \
        RUNNER_TEMP="$work/temp" RUNNER_TOOL_CACHE="$work/tools" GPULINT_DOWNLOAD="file://$work/releases" "$@" \
        bash "$work/action/action/run.sh") >"$work/log" 2>&1 || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "expected exit $expected, got $status: $*"
        cat "$work/log"
        exit 1
    fi
}
has() { # has FILE WORDS
    if ! grep -qF -- "$2" "$1"; then
        echo "expected in $1: $2"
        cat "$1"
        exit 1
    fi
}

echo "an archive that is not the one released is not run"
mkdir -p "$work/tampered/v$version"
for triple in $triples; do
    (cat "$work/archive" && printf x) >"$work/tampered/v$version/gpulint-$version-$triple.tar.gz"
done
act 2 GPULINT_DOWNLOAD="file://$work/tampered"
has "$work/log" "it is not what was released"
act 2 GPULINT_DOWNLOAD="file://$work/nowhere"
has "$work/log" "cannot be downloaded"
[ ! -e "$work/tools/gpulint/$version/$(uname -m)/gpulint" ]

echo "a release is verified, kept and run, with annotations, a summary and SARIF"
act 1
has "$work/log" "::error file=pool.yaml,line="
has "$work/summary" "gpu-pool-consolidation"
has "$work/output" "sarif=$work/temp/gpulint.sarif"
has "$work/temp/gpulint.sarif" '"gpu-pool-consolidation"'

echo "the second run needs no download"
act 0 GPULINT_PATHS=clean GPULINT_DOWNLOAD=file:///nowhere
has "$work/summary" "no findings"

echo "inputs are arguments, whatever they hold"
act 1 GPULINT_PATHS=$'with space\nclean' GPULINT_ANNOTATIONS=false GPULINT_SUMMARY=false
has "$work/log" "with space/b.yaml"
[ ! -e "$work/summary" ]
# shellcheck disable=SC2016
act 0 GPULINT_PATHS='$(touch pwned); touch pwned'
act 0 GPULINT_PATHS='--write-baseline=pwned'
act 2 GPULINT_FAIL_ON='info --write-baseline=pwned'
act 2 GPULINT_VERSION='../../pwned'
[ ! -e "$work/repository/pwned" ]
act 1 GPULINT_PATHS=pool.yaml GPULINT_PROFILE=strict GPULINT_FAIL_ON=warning
act 2 GPULINT_BASELINE=nowhere.json
act 2 GPULINT_CONFIG=nowhere.yaml

echo "without an archive, the wheel with the hash of the table"
rm -rf "$work/tools"
cp action/checksums.txt "$table"
wheel=$(cd "$ship/wheels" && echo gpulint-*.whl)
hash=$(sum "$ship/wheels/$wheel")
printf '%s  %s\n' "${hash//[0-9]/0}" "$wheel" >>"$table"
act 2 PIP_NO_INDEX=1 PIP_FIND_LINKS="$ship/wheels" GPULINT_PATHS=clean
has "$work/log" "THESE PACKAGES DO NOT MATCH THE HASHES"
[ ! -e "$work/tools/gpulint/$version/$(uname -m)/gpulint" ]
printf '%s  %s\n' "$hash" "$wheel" >>"$table"
act 1 PIP_NO_INDEX=1 PIP_FIND_LINKS="$ship/wheels"
has "$work/log" "::error file=pool.yaml"

echo "without either, its own source; another version is refused"
rm -rf "$work/tools"
cp action/checksums.txt "$table"
act 2 GPULINT_VERSION=9.9.9
has "$work/log" "has no checksum of gpulint 9.9.9"
mkdir "$work/cargo"
cat >"$work/cargo/cargo" <<STUB
#!/bin/sh
while [ "\$1" != --root ]; do shift; done
mkdir -p "\$2/bin" && cp "$work/stripped/gpulint" "\$2/bin/gpulint"
STUB
chmod +x "$work/cargo/cargo"
act 0 GPULINT_PATHS=clean PATH="$work/cargo:$PATH"
has "$work/log" "building it"
