//! No text panics, and every span fits its file.

use super::*;
use proptest::prelude::*;

/// Pieces of command lines, so that random lines are not all noise.
fn piece() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "vllm serve m",
        "--tensor-parallel-size",
        "-tp",
        "=",
        "8",
        "$TP",
        "${TP:-8}",
        "${TP",
        "$(TP)",
        "$((TP*2))",
        "\"",
        "'",
        "\\",
        "\\\n",
        "\n",
        ";",
        "&&",
        "||",
        "|",
        "&",
        "(",
        ")",
        "{",
        "}",
        "{{",
        "}}",
        "if",
        "then",
        "fi",
        "case x in",
        "esac",
        ";;",
        "<<EOF",
        "EOF",
        "<",
        ">",
        "<TP>",
        "#",
        "TP=8",
        "A+=(",
        "eval",
        "exec",
        "export",
        "bash -c",
        "$@",
        "`",
        "é",
        "😀",
        "\u{fffc}",
        "[[",
        "]]",
        " ",
        "--kv-transfer-config",
        "{\"kv_role\":",
        "[",
        "key: value",
        "- x",
        "  a: {b: 1}",
        "python3 -m",
        "ray start",
        "/x.sh",
        "--config",
        "/c/x.yaml",
    ];
    prop_oneof![
        proptest::sample::select(WORDS).prop_map(str::to_owned),
        any::<String>(),
        Just(" ".to_owned())
    ]
}

fn line() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

fn spans(engine: &Engine) -> Vec<Span> {
    let mut spans = vec![Some(engine.found_at)];
    for known in [
        &engine.tensor_parallel,
        &engine.pipeline_parallel,
        &engine.data_parallel,
        &engine.data_parallel_local,
        &engine.context_parallel,
        &engine.expert_parallel,
        &engine.ranks,
        &engine.nodes,
        &engine.node_rank,
        &engine.world_size(),
    ] {
        spans.push(known.span());
    }
    spans.extend([
        engine.role.span(),
        engine.memory.fraction.span(),
        engine.model.span(),
        engine.version.span(),
    ]);
    for flag in &engine.flags {
        spans.extend([Some(flag.span), flag.value.span(), flag.value.set().map(Text::span)]);
    }
    spans.into_iter().flatten().collect()
}

proptest! {
    #[test]
    fn any_text_is_read_and_every_span_fits(
        image in prop_oneof![Just("vllm/vllm-openai:v0.9".to_owned()), any::<String>()],
        script in line(),
        arg in line(),
        value in line(),
        config in line(),
        shell in any::<bool>(),
    ) {
        let bench = Bench::image(&image);
        let bench = if shell { bench.script(&script) } else { bench.args(&[&script]) };
        let bench = bench
            .args(&[&arg])
            .env(&[("TP", &value), ("VLLM_EXTRA_ARGS", &value)])
            .config_map("c", "x.yaml", &config)
            .mount("/c", "c", None)
            .mount("/x.sh", "c", Some("x.yaml"));
        for engine in [bench.read(), read_as(Family::Sglang, None, Span::new(FileId(0), 0, 0), &bench.container, &bench)] {
            for span in engine.iter().flat_map(spans) {
                prop_assert!(bench.file.get(span.range()).is_some(), "{span:?}");
            }
        }
    }

    #[test]
    fn any_configuration_is_read_and_every_span_fits(config in line()) {
        let span = Span::new(FileId(0), 0, config.len());
        for setting in read_config(&Text::verbatim(config.clone(), span)) {
            prop_assert!(config.get(setting.span.range()).is_some());
            if let Some(text) = setting.value.set() {
                prop_assert_eq!(config.get(text.span().range()), Some(text.value.as_str()));
            }
        }
    }
}
