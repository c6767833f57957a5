#!/usr/bin/env bash
# Checks what gpulint is shipped as: hooks, action, workflows, wheel, and reports in front of programs that read them.
# Needs Rust, Python 3 and git; everything else is installed under target/ship.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n-- %s\n' "$*"; }

export SHIP="$PWD/target/ship"
mkdir -p "$SHIP"

step "tools"
if [ ! -e "$SHIP/venv/complete" ] || ! cmp -s .ci/requirements.txt "$SHIP/venv/complete"; then
    rm -rf "$SHIP/venv"
    python3 -m venv "$SHIP/venv"
    "$SHIP/venv/bin/pip" --quiet --disable-pip-version-check install --requirement .ci/requirements.txt
    cp .ci/requirements.txt "$SHIP/venv/complete"
fi
export PATH="$SHIP/venv/bin:$PATH"
# The environment of a workflow or of a hook that runs this would change what the program does.
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITHUB_OUTPUT RUNNER_TOOL_CACHE RUNNER_TEMP GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
cargo build --quiet
GPULINT="${CARGO_TARGET_DIR:-$PWD/target}/debug/gpulint"
export GPULINT

step "shell scripts"
shellcheck .ci/*.sh action/run.sh

step "workflows, action and hooks"
python3 .ci/workflows.py
zizmor --offline --quiet --no-progress --persona pedantic .
check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
pre-commit validate-manifest .pre-commit-hooks.yaml

step "reports, read by other programs"
python3 .ci/readers.py

step "wheel"
bash .ci/wheel.sh

step "hooks, run by pre-commit"
bash .ci/hooks.sh

step "action, with a release in a folder"
bash .ci/action.sh

printf '\nshipped files are sound\n'
