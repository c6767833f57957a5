//! Whole containers: what is written, and what the engine is read to be.

mod lines;
mod meaning;
mod properties;
mod recognition;

use super::*;
use crate::known::Known;
use crate::source::FileId;
use crate::yaml::Text;
use std::collections::BTreeMap;

/// A container under test. Every text of it goes into one file, so that spans can be shown as the text under them.
#[derive(Default, Clone)]
struct Bench {
    container: Container,
    file: String,
    config_maps: BTreeMap<(String, String), Text>,
}

impl Bench {
    fn image(image: &str) -> Bench {
        let mut bench = Bench::default();
        bench.container.image = if image.is_empty() { Known::Absent } else { bench.known(image) };
        bench
    }

    fn text(&mut self, text: &str) -> Text {
        let start = self.file.len();
        self.file.push_str(text);
        let span = Span::new(FileId(0), start, self.file.len());
        self.file.push('\n');
        Text::verbatim(text.to_owned(), span)
    }

    fn known(&mut self, text: &str) -> Known<Text> {
        let text = self.text(text);
        let span = text.span();
        Known::Set(text, span)
    }

    fn command(mut self, items: &[&str]) -> Bench {
        let items: Vec<_> = items.iter().map(|item| self.known(item)).collect();
        self.container.command.extend(items);
        self
    }

    fn args(mut self, items: &[&str]) -> Bench {
        let items: Vec<_> = items.iter().map(|item| self.known(item)).collect();
        self.container.args.extend(items);
        self
    }

    /// A shell that runs a script.
    fn script(self, script: &str) -> Bench {
        self.command(&["/bin/sh", "-c"]).args(&[script])
    }

    fn env(mut self, vars: &[(&str, &str)]) -> Bench {
        for (name, value) in vars {
            let text = self.text(value);
            let (name, span) = (name.to_string(), text.span());
            self.container.env.push(EnvVar { name, span, value: EnvValue::Literal(text) });
        }
        self
    }

    fn secret(mut self, name: &str) -> Bench {
        let span = self.text("valueFrom").span();
        let name = name.to_owned();
        self.container.env.push(EnvVar { name, span, value: EnvValue::Elsewhere(span) });
        self
    }

    fn config_map(mut self, name: &str, key: &str, value: &str) -> Bench {
        let text = self.text(value);
        self.config_maps.insert((name.to_owned(), key.to_owned()), text);
        self
    }

    fn mount(mut self, path: &str, config_map: &str, sub_path: Option<&str>) -> Bench {
        self.container.mounts.push(Mount {
            path: path.to_owned(),
            config_map: Some(config_map.to_owned()),
            sub_path: sub_path.map(str::to_owned),
            items: vec![],
            span: Span::new(FileId(0), 0, 0),
        });
        self
    }

    fn label(mut self, name: &str, value: &str) -> Bench {
        let text = self.text(value);
        self.container.labels.push((name.to_owned(), text));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Container)) -> Bench {
        change(&mut self.container);
        self
    }

    fn read(&self) -> Option<Engine> {
        read(&self.container, self)
    }

    /// The text under a span.
    fn shown(&self, span: Span) -> &str {
        self.file.get(span.range()).unwrap_or("<outside>")
    }

    fn show<T: std::fmt::Display>(&self, name: &str, known: &Known<T>, out: &mut Vec<String>) {
        match known {
            Known::Set(value, _) => out.push(format!("{name}={value}")),
            Known::Default(value, _) => out.push(format!("{name}={value}*")),
            Known::Unresolved(_) => out.push(format!("{name}=?")),
            Known::Invalid(..) => out.push(format!("{name}=!")),
            Known::Absent => {}
        }
    }

    /// The engine in one line: `*` is a default, `?` unresolved, `!` invalid; what is absent is left out.
    fn line(&self) -> String {
        let Some(engine) = self.read() else { return "none".to_owned() };
        let mut out = vec![format!("{:?}", engine.family)];
        if let Some(runtime) = engine.runtime {
            out.push(format!("{runtime:?}"));
        }
        if engine.launch != Launch::Command {
            out.push(format!("{:?}", engine.launch));
        }
        self.show("tp", &engine.tensor_parallel, &mut out);
        self.show("pp", &engine.pipeline_parallel, &mut out);
        self.show("dp", &engine.data_parallel, &mut out);
        self.show("dpl", &engine.data_parallel_local, &mut out);
        self.show("cp", &engine.context_parallel, &mut out);
        self.show("ep", &engine.expert_parallel, &mut out);
        self.show("ranks", &engine.ranks, &mut out);
        self.show("nodes", &engine.nodes, &mut out);
        self.show("rank", &engine.node_rank, &mut out);
        if engine.headless {
            out.push("headless".to_owned());
        }
        self.show("role", &engine.role.map(|role| format!("{role:?}")), &mut out);
        out.join(" ")
    }
}

impl Lookup for Bench {
    fn config_map_key(&self, name: &str, key: &str) -> Known<Text> {
        let found = self.config_maps.get(&(name.to_owned(), key.to_owned()));
        found.map_or(Known::Absent, |text| Known::Set(text.clone(), text.span()))
    }

    fn config_map_keys(&self, name: &str) -> Option<Vec<(String, Text)>> {
        let keys: Vec<_> = self
            .config_maps
            .iter()
            .filter(|((map, _), _)| map == name)
            .map(|((_, key), text)| (key.clone(), text.clone()))
            .collect();
        (!keys.is_empty()).then_some(keys)
    }
}

fn check(bench: Bench, expect: &str) {
    assert_eq!(bench.line(), expect, "{}", bench.file);
}

/// Parts of the expectation that most vLLM cases share.
const REST: &str = "pp=1* dp=1* cp=1*";

fn vllm(bench: Bench, expect: &str) {
    check(bench, &format!("Vllm {expect} {REST}"));
}
