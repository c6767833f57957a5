use super::*;
use crate::report::{Format, sample};

#[test]
fn paths_become_uris() {
    for (path, uri) in [
        ("deploy/pool.yaml", "deploy/pool.yaml"),
        ("a b/ü#1?.yaml", "a%20b/%C3%BC%231%3F.yaml"),
        ("100%/x:y.yaml", "100%25/x%3Ay.yaml"),
        ("../a~b_c-d.yaml", "../a~b_c-d.yaml"),
    ] {
        assert_eq!(percent_encode(path), uri);
    }
    assert_eq!(file_uri("/a b/c"), "file:///a%20b/c");
    assert_eq!(file_uri("C:/a b"), "file:///C:/a%20b");
}

#[test]
fn messages_become_sentences() {
    for (text, expected) in [
        ("the pool is emptied", "The pool is emptied."),
        ("use `WhenEmpty`", "Use `WhenEmpty`."),
        ("vllm:num_requests_waiting is right", "vllm:num_requests_waiting is right."),
        ("`x` is", "`x` is."),
        ("why?", "why?"),
        ("", ""),
    ] {
        assert_eq!(sentence(text), expected);
    }
    assert_eq!(shorten(&"é".repeat(2000)).chars().count(), 1024);
    assert_eq!(shorten("short"), "short");
}

#[test]
fn the_root_is_said_only_where_it_is_known() {
    let write = |options: &Options| {
        let mut out = Vec::new();
        write(&Report::default(), &[], options, &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        log["runs"][0]["originalUriBaseIds"]["SRCROOT"].clone()
    };
    assert_eq!(write(&Options::default())["uri"], Value::Null);
    let options = Options { root: Some("/home/me/my repo".to_owned()), ..Options::default() };
    assert_eq!(write(&options)["uri"], "file:///home/me/my%20repo/");
}

#[test]
fn a_finding_is_a_result() {
    let expected = r##"{
  "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {
          "name": "gpulint",
          "version": "VERSION",
          "semanticVersion": "VERSION",
          "informationUri": "https://gpulint.dev",
          "rules": [
            {
              "id": "gpu-pool-consolidate-after",
              "shortDescription": {
                "text": "gpu-pool-consolidate-after"
              },
              "fullDescription": {
                "text": "gpu-pool-consolidate-after"
              },
              "help": {
                "text": "https://gpulint.dev/rules/gpu-pool-consolidate-after"
              },
              "helpUri": "https://gpulint.dev/rules/gpu-pool-consolidate-after"
            },
            {
              "id": "gpu-pool-consolidation",
              "shortDescription": {
                "text": "A GPU pool whose nodes are taken away while they work."
              },
              "fullDescription": {
                "text": "Reports a GPU node pool that Karpenter may consolidate while jobs run on it."
              },
              "help": {
                "text": "Reports a GPU node pool that Karpenter may consolidate while jobs run on it.\n\nhttps://gpulint.dev/rules/gpu-pool-consolidation",
                "markdown": "# gpu-pool-consolidation\nReports a GPU node pool that Karpenter may consolidate while jobs run on it.\n## Why\nMoving a pod kills the job.\n## Examples\n### the default\n```yaml bad\na: 1 # error\n```\n```yaml fixed\na: 2\n```\n## What passes\n### an empty pool\n```yaml good\na: 2\n```\n## Sources\n- karpenter.sh, disruption\n\n<https://gpulint.dev/rules/gpu-pool-consolidation>"
              },
              "helpUri": "https://gpulint.dev/rules/gpu-pool-consolidation",
              "defaultConfiguration": {
                "level": "error"
              },
              "properties": {
                "tags": [
                  "kubernetes",
                  "gpu",
                  "pool",
                  "L1.3",
                  "H.2"
                ],
                "precision": "high",
                "problem.severity": "error"
              }
            },
            {
              "id": "scale-on-gpu-utilization",
              "shortDescription": {
                "text": "scale-on-gpu-utilization"
              },
              "fullDescription": {
                "text": "scale-on-gpu-utilization"
              },
              "help": {
                "text": "https://gpulint.dev/rules/scale-on-gpu-utilization"
              },
              "helpUri": "https://gpulint.dev/rules/scale-on-gpu-utilization"
            }
          ]
        }
      },
      "invocations": [
        {
          "executionSuccessful": true,
          "toolExecutionNotifications": [
            {
              "level": "error",
              "message": {
                "text": "clusters/a/deploy/broken: a.yaml:3:7: not linted: did not find expected key"
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "clusters/a/deploy/broken%3A%20a.yaml",
                      "uriBaseId": "SRCROOT"
                    },
                    "region": {
                      "startLine": 3,
                      "startColumn": 7
                    }
                  }
                }
              ]
            }
          ]
        }
      ],
      "originalUriBaseIds": {
        "SRCROOT": {
          "description": {
            "text": "The root of the repository."
          }
        }
      },
      "columnKind": "unicodeCodePoints",
      "results": [
        {
          "ruleId": "scale-on-gpu-utilization",
          "ruleIndex": 2,
          "level": "warning",
          "message": {
            "text": "`DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100% <busy> at one request | or many.\nScale on `vllm:num_requests_waiting`."
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "clusters/a/charts/%C3%BCber%20gpu/hpa%2C1.yaml",
                  "uriBaseId": "SRCROOT"
                },
                "region": {
                  "startLine": 6,
                  "startColumn": 43,
                  "endLine": 6,
                  "endColumn": 63
                }
              },
              "logicalLocations": [
                {
                  "name": "llm",
                  "fullyQualifiedName": "HorizontalPodAutoscaler/llm in namespace serving (autoscaling/v2)",
                  "kind": "object"
                }
              ],
              "message": {
                "text": "high at any load"
              }
            }
          ],
          "partialFingerprints": {
            "gpulint/v1": "5f8fdeff3c26335b"
          }
        },
        {
          "ruleId": "gpu-pool-consolidation",
          "ruleIndex": 1,
          "level": "error",
          "message": {
            "text": "Pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node.\nRemove only empty nodes.\n[clusters/a/charts/über gpu/hpa,1.yaml:6](1): These replicas land on the pool.\n[clusters/a/deploy/pool.yaml:3](2): This pool."
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "clusters/a/deploy/pool.yaml",
                  "uriBaseId": "SRCROOT"
                },
                "region": {
                  "startLine": 7,
                  "startColumn": 26,
                  "endLine": 7,
                  "endColumn": 50
                }
              },
              "logicalLocations": [
                {
                  "name": "gpu",
                  "fullyQualifiedName": "NodePool/gpu (karpenter.sh/v1)",
                  "kind": "object"
                }
              ],
              "message": {
                "text": "takes away nodes that work"
              }
            }
          ],
          "relatedLocations": [
            {
              "id": 1,
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "clusters/a/charts/%C3%BCber%20gpu/hpa%2C1.yaml",
                  "uriBaseId": "SRCROOT"
                },
                "region": {
                  "startLine": 6,
                  "startColumn": 43,
                  "endLine": 6,
                  "endColumn": 63
                }
              },
              "message": {
                "text": "these replicas land on the pool"
              }
            },
            {
              "id": 2,
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "clusters/a/deploy/pool.yaml",
                  "uriBaseId": "SRCROOT"
                },
                "region": {
                  "startLine": 3,
                  "startColumn": 1,
                  "endLine": 3,
                  "endColumn": 5
                }
              },
              "message": {
                "text": "this pool"
              }
            }
          ],
          "partialFingerprints": {
            "gpulint/v1": "5ff6e66986fef74d"
          },
          "fixes": [
            {
              "description": {
                "text": "Remove only empty nodes, after an hour."
              },
              "artifactChanges": [
                {
                  "artifactLocation": {
                    "uri": "clusters/a/deploy/pool.yaml",
                    "uriBaseId": "SRCROOT"
                  },
                  "replacements": [
                    {
                      "deletedRegion": {
                        "startLine": 7,
                        "startColumn": 26,
                        "endLine": 7,
                        "endColumn": 50,
                        "byteOffset": 145,
                        "byteLength": 24
                      },
                      "insertedContent": {
                        "text": "WhenEmpty"
                      }
                    },
                    {
                      "deletedRegion": {
                        "startLine": 8,
                        "startColumn": 23,
                        "endLine": 8,
                        "endColumn": 26,
                        "byteOffset": 204,
                        "byteLength": 3
                      },
                      "insertedContent": {
                        "text": "1h"
                      }
                    }
                  ]
                }
              ]
            }
          ]
        },
        {
          "ruleId": "gpu-pool-consolidate-after",
          "ruleIndex": 0,
          "level": "note",
          "message": {
            "text": "Empty nodes of pool `gpu` go after 30s."
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "clusters/a/deploy/pool.yaml",
                  "uriBaseId": "SRCROOT"
                },
                "region": {
                  "startLine": 8,
                  "startColumn": 23,
                  "endLine": 8,
                  "endColumn": 26
                }
              },
              "logicalLocations": [
                {
                  "name": "gpu",
                  "fullyQualifiedName": "NodePool/gpu (karpenter.sh/v1)",
                  "kind": "object"
                }
              ]
            }
          ],
          "partialFingerprints": {
            "gpulint/v1": "3b207da1103eb296"
          }
        }
      ]
    }
  ]
}
"##;
    let expected = expected.replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(sample::render(Format::Sarif, &sample::options()), expected);
}
