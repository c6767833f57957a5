#!/usr/bin/env bash
# Makes commits in a throw-away repository with the real pre-commit. Needs the wheel that .ci/wheel.sh leaves behind.
set -euo pipefail
cd "$(dirname "$0")/.."
ship=${SHIP:-$PWD/target/ship}
gpulint=${GPULINT:-$PWD/target/debug/gpulint}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PRE_COMMIT_HOME="$work/cache" HOME="$work" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
PATH="$(dirname "$gpulint"):$PATH"
# Everything comes from these wheels, so that it is this gpulint that is tested.
pip --quiet --disable-pip-version-check download --dest "$ship/wheels" "setuptools>=77" wheel
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$ship/wheels"

mkdir "$work/hooks"
cp .pre-commit-hooks.yaml pyproject.toml "$work/hooks"
git -C "$work/hooks" init -q
git -C "$work/hooks" add .
git -C "$work/hooks" commit -qm hooks
revision=$(git -C "$work/hooks" rev-parse HEAD)

rule='apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: gpu}
spec: {groups: [{name: gpu, rules: [{record: llm_load, expr: avg(DCGM_FI_DEV_GPU_UTIL)}]}]}'
autoscaler() {
    printf '%s\n' 'apiVersion: autoscaling/v2' 'kind: HorizontalPodAutoscaler' 'metadata: {name: llm}' 'spec:' \
        '  maxReplicas: 4' '  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llm}' '  metrics:' \
        "    - {type: External, external: {metric: {name: $1}, target: {type: Value, value: 80}}}"
}

commits() { # commits MESSAGE: the commit is made
    if ! git commit -qm "$1" >"$work/log" 2>&1; then
        echo "this commit should pass: $1"
        cat "$work/log"
        exit 1
    fi
}
refuses() { # refuses MESSAGE WORDS: the commit is not made, and the log says why
    if git commit -qm "$1" >"$work/log" 2>&1; then
        echo "this commit should fail: $1"
        exit 1
    fi
    if ! grep -qF -- "$2" "$work/log"; then
        echo "the log of '$1' should have: $2"
        cat "$work/log"
        exit 1
    fi
}

for id in gpulint-system gpulint; do
    repository="$work/with-$id"
    mkdir "$repository"
    cd "$repository"
    git init -q
    printf 'repos:\n- repo: %s\n  rev: %s\n  hooks: [{id: %s}]\n' "$work/hooks" "$revision" "$id" >.pre-commit-config.yaml
    pre-commit install >/dev/null
    mkdir app
    printf 'kind: ConfigMap\n' >config.yaml
    git add .
    commits "nothing to find"

    # The rule renames GPU utilization. It is right by itself; only the autoscaler is wrong, because of it.
    printf '%s\n' "$rule" >rule.yaml
    git add rule.yaml
    commits "a recording rule"
    autoscaler llm_load >app/hpa.yaml
    git add app
    refuses "an autoscaler on the recorded metric" "app/hpa.yaml:8"
    grep -q scale-on-gpu-utilization "$work/log"

    # The rule is only in the working tree: it is no part of the commit, but of the judgement.
    git reset -q -- app
    git rm -q --cached rule.yaml
    git commit -qm "the rule goes" --no-verify
    git add app
    [ "$(git status --porcelain rule.yaml)" = "?? rule.yaml" ]
    refuses "an autoscaler beside a rule that is not staged" scale-on-gpu-utilization

    autoscaler vllm:num_requests_waiting >app/hpa.yaml
    git add app
    commits "an autoscaler on the queue"

    # What is wrong elsewhere is not this commit's.
    autoscaler llm_load >elsewhere.yaml
    printf 'kind: ConfigMap # changed\n' >config.yaml
    git add config.yaml
    commits "a change that has nothing to do with it"
    cd - >/dev/null
    echo "$id: good commits pass, bad ones do not"
done
