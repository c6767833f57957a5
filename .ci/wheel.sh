#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment and runs what it brought.
set -euo pipefail
cd "$(dirname "$0")/.."
ship=${SHIP:-$PWD/target/ship}

rm -rf "$ship/wheels" "$ship/wheel-venv"
# The development profile: what is tested is the wheel, not the optimiser.
(cd python && maturin build --quiet --profile dev --out "$ship/wheels")
python3 -m venv "$ship/wheel-venv"
"$ship/wheel-venv/bin/pip" --quiet --disable-pip-version-check install --no-index "$ship"/wheels/*.whl

gpulint="$ship/wheel-venv/bin/gpulint"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ "$("$gpulint" --version)" = "gpulint $version" ]
"$gpulint" explain gpu-pool-consolidation >/dev/null
status=0
printf 'kind: ConfigMap\n' | "$gpulint" --no-config --require-input - >/dev/null || status=$?
[ "$status" -eq 3 ]
"$ship/wheel-venv/bin/pip" --disable-pip-version-check show gpulint | grep -E '^(Name|Version|Summary|License)'
