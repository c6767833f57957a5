//! A GitLab Code Quality report.

use super::Options;
use super::json::write_value;
use super::place::Place;
use super::text::one_line;
use crate::diagnostic::{Report, Severity};
use crate::fingerprint::fingerprints;
use serde::Serialize;
use std::io::{self, Write};

/// One degradation, as GitLab's documentation on Code Quality lists its fields.
#[derive(Debug, Serialize)]
struct Degradation<'a> {
    /// GitLab shows this and not the check's name, so the name is part of it.
    description: String,
    check_name: &'a str,
    /// Equal fingerprints collapse into one; ours differ within a report.
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    /// Relative to the root of the repository.
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let degradations: Vec<Degradation<'_>> = report
        .diagnostics
        .iter()
        .zip(fingerprints(&report.files, &report.diagnostics))
        .map(|(diagnostic, fingerprint)| {
            let place = Place::of(&report.files, diagnostic.span);
            Degradation {
                description: format!("{}: {}", diagnostic.rule, one_line(&diagnostic.message)),
                check_name: diagnostic.rule,
                fingerprint,
                severity: match diagnostic.severity {
                    Severity::Error => "major",
                    Severity::Warning => "minor",
                    Severity::Info => "info",
                },
                location: Location {
                    path: options.repository_path(place.path),
                    lines: Lines { begin: place.start.line, end: place.end.line },
                },
            }
        })
        .collect();
    write_value(&degradations, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, sample};

    #[test]
    fn a_finding_is_a_degradation() {
        let expected = r##"[
  {
    "description": "scale-on-gpu-utilization: `DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100% <busy> at one request | or many",
    "check_name": "scale-on-gpu-utilization",
    "fingerprint": "5f8fdeff3c26335b",
    "severity": "minor",
    "location": {
      "path": "clusters/a/charts/über gpu/hpa,1.yaml",
      "lines": {
        "begin": 6,
        "end": 6
      }
    }
  },
  {
    "description": "gpu-pool-consolidation: pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node",
    "check_name": "gpu-pool-consolidation",
    "fingerprint": "5ff6e66986fef74d",
    "severity": "major",
    "location": {
      "path": "clusters/a/deploy/pool.yaml",
      "lines": {
        "begin": 7,
        "end": 7
      }
    }
  },
  {
    "description": "gpu-pool-consolidate-after: empty nodes of pool `gpu` go after 30s",
    "check_name": "gpu-pool-consolidate-after",
    "fingerprint": "3b207da1103eb296",
    "severity": "info",
    "location": {
      "path": "clusters/a/deploy/pool.yaml",
      "lines": {
        "begin": 8,
        "end": 8
      }
    }
  }
]
"##;
        assert_eq!(sample::render(Format::Gitlab, &sample::options()), expected);
    }

    #[test]
    fn a_clean_report_is_an_empty_list() {
        let mut out = Vec::new();
        write(&Report::default(), &Options::default(), &mut out).unwrap();
        assert_eq!(out, b"[]\n");
    }

    #[test]
    fn findings_that_mean_the_same_stay_apart() {
        let mut report = sample::report();
        let one = report.diagnostics.remove(0);
        report.diagnostics = vec![one; 3];
        let mut out = Vec::new();
        write(&report, &Options::default(), &mut out).unwrap();
        let list: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let fingerprints: std::collections::BTreeSet<&str> =
            list.as_array().unwrap().iter().map(|entry| entry["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(fingerprints.len(), 3);
    }
}
