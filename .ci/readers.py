"""Reads every machine-readable report with a program that others read it with."""

import json
import os
import pathlib
import subprocess
import tempfile

import junitparser
from sarif import loader

GPULINT = os.environ["GPULINT"]
POOL = """apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: "größer <&> %"}
spec:
  template:
    spec:
      requirements: [{key: karpenter.k8s.aws/instance-gpu-name, operator: In, values: [h100]}]
"""


def gpulint(folder, *arguments):
    return subprocess.run([GPULINT, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, encoding="utf-8")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "deploy").mkdir()
    (folder / "clean").mkdir()
    (folder / "deploy/pool.yaml").write_text(POOL, encoding="utf-8")
    outputs = []
    for form in ["json", "sarif", "gitlab", "junit"]:
        outputs += ["--format", form, "--output", f"report.{form}"]
    assert gpulint(folder, *outputs, "deploy").returncode == 1
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    found = [(one["rule"], one["file"], one["line"], one["fingerprint"]) for one in report["diagnostics"]]
    assert len(found) >= 2 and any(rule == "gpu-pool-consolidation" for rule, *_ in found), found
    summary = report["summary"]

    (folder / "schema.json").write_text(gpulint(folder, "schema", "report").stdout, encoding="utf-8")
    check = ["check-jsonschema", "--schemafile", folder / "schema.json", folder / "report.json"]
    subprocess.run(check, check=True, stdout=subprocess.DEVNULL)

    sarif = loader.load_sarif_file(str(folder / "report.sarif"))
    records = [(one["Code"], one["Location"], one["Line"]) for one in sarif.get_records()]
    assert sorted(records) == sorted(one[:3] for one in found), records
    levels = [one["Severity"] for one in sarif.get_records()]
    counts = {"errors": levels.count("error"), "warnings": levels.count("warning"), "infos": levels.count("note")}
    assert counts == {key: summary[key] for key in counts}, counts

    suites = junitparser.JUnitXml.fromfile(str(folder / "report.junit"))
    cases = [case for suite in suites for case in suite]
    assert len(cases) == len(found) and all(case.is_failure for case in cases), cases
    assert suites.failures == len(found), suites.failures
    assert any("größer <&> %" in failure.text for case in cases for failure in case.result)

    # Code Quality: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    degradations = json.loads((folder / "report.gitlab").read_text(encoding="utf-8"))
    assert [one["fingerprint"] for one in degradations] == [one[3] for one in found], degradations
    for one in degradations:
        assert one["severity"] in {"info", "minor", "major", "critical", "blocker"} and one["description"], one
        assert one["location"]["path"] == "deploy/pool.yaml" and not one["check_name"].startswith("gpulint"), one

    # A clean run is readable, too.
    assert gpulint(folder, *outputs, "clean").returncode == 0
    assert loader.load_sarif_file(str(folder / "report.sarif")).get_records() == []
    suites = junitparser.JUnitXml.fromfile(str(folder / "report.junit"))
    assert suites.tests == 1 and suites.failures == 0, suites.tests
    assert json.loads((folder / "report.gitlab").read_text()) == []

print("json, sarif, gitlab and junit are read as they were meant")
