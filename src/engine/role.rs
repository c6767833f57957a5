//! The role of an engine in disaggregated serving, as its command line or a name states it.

use super::config::{Setting, read_config};
use super::flags::Argument;
use super::model::Role;
use super::vars::Environment;
use crate::known::Known;

/// The role that a word names: the value of a role label, the name of a role in an API, the value of a flag.
///
/// Sources: llm-d-router, by-label filter (`prefill-decode`, `both`, `encode-prefill`, …); sglang, server_args.py
/// (`--disaggregation-mode null`); tensorrt_llm, commands/serve.py (`CONTEXT`, `GENERATION`); Dynamo
/// (`prefill_and_decode`, `agg`).
pub fn role_from_word(word: &str) -> Option<Role> {
    let word = word.trim().to_ascii_lowercase().replace('_', "-");
    match word.as_str() {
        "prefill" | "prefiller" | "prefill-worker" | "context" | "ctx" => Some(Role::Prefill),
        "decode" | "decoder" | "decode-worker" | "generation" | "gen" => Some(Role::Decode),
        "encode" | "encoder" | "encode-worker" | "mm-encoder" => Some(Role::Encode),
        "encode-prefill" => Some(Role::EncodePrefill),
        "prefill-decode"
        | "prefill-and-decode"
        | "encode-prefill-decode"
        | "both"
        | "agg"
        | "aggregated"
        | "null"
        | "none"
        | "mix"
        | "mixed" => Some(Role::Aggregated),
        _ => None,
    }
}

/// The role that flags, a configuration file or variables state.
///
/// The dedicated flags come first. The role in a KV transfer decides only as producer or consumer: with NIXL both
/// pools say `kv_both`, and so does an engine that merely keeps its cache in LMCache.
pub(super) fn of(flags: &[Argument], settings: &[Setting], env: &Environment) -> Known<Role> {
    dedicated(flags, settings).or(|| from_transfer(flags, settings)).or(|| from_variables(env))
}

const MODES: &[&str] = &["--disaggregation-mode", "--server-role", "--instance-role"];

const EXPECTED: &str = "a role such as prefill or decode";

fn dedicated(flags: &[Argument], settings: &[Setting]) -> Known<Role> {
    for flag in flags.iter().rev() {
        match flag.name.as_str() {
            name if MODES.contains(&name) => {
                return flag.known().try_map(EXPECTED, |text| role_from_word(&text.value));
            }
            "--is-prefill-worker" => return Known::Set(Role::Prefill, flag.span),
            "--is-decode-worker" => return Known::Set(Role::Decode, flag.span),
            "--multimodal-encode-worker" => return Known::Set(Role::Encode, flag.span),
            _ => {}
        }
    }
    let setting = settings
        .iter()
        .rev()
        .find(|setting| MODES.iter().any(|mode| mode.trim_start_matches('-') == setting.key));
    setting.map_or(Known::Absent, |setting| {
        setting.value.clone().try_map(EXPECTED, |text| role_from_word(&text.value))
    })
}

fn from_transfer(flags: &[Argument], settings: &[Setting]) -> Known<Role> {
    let mut found = Known::Absent;
    for setting in settings {
        if matches!(setting.key.as_str(), "kv-transfer-config.kv-role" | "ec-transfer-config.ec-role") {
            found = transfer_role(setting).or(|| found);
        }
    }
    for flag in flags {
        match flag.name.as_str() {
            "--kv-transfer-config" | "--ec-transfer-config" => {
                let Some(value) = &flag.value else { continue };
                let inner = read_config(&value.to_text());
                let role =
                    inner.iter().rev().find(|setting| matches!(setting.key.as_str(), "kv-role" | "ec-role"));
                found = match role {
                    Some(setting) => transfer_role(setting).or(|| found),
                    None if value.is_hole() => Known::Unresolved(flag.value_span),
                    None => found,
                };
            }
            "--kv-transfer-config.kv-role" | "--ec-transfer-config.ec-role" => {
                let setting = Setting { key: flag.name.clone(), span: flag.value_span, value: flag.known() };
                found = transfer_role(&setting).or(|| found);
            }
            _ => {}
        }
    }
    found
}

/// The role that a `kv_role` or `ec_role` proves. A role that proves nothing is absent.
fn transfer_role(setting: &Setting) -> Known<Role> {
    match &setting.value {
        Known::Set(text, span) => match text.value.trim() {
            "kv_producer" => Known::Set(Role::Prefill, *span),
            "kv_consumer" => Known::Set(Role::Decode, *span),
            "ec_producer" => Known::Set(Role::Encode, *span),
            _ => Known::Absent,
        },
        Known::Unresolved(span) => Known::Unresolved(*span),
        _ => Known::Absent,
    }
}

fn from_variables(env: &Environment) -> Known<Role> {
    const NAMES: [&str; 6] =
        ["DISAGGREGATION_MODE", "SERVER_ROLE", "KV_ROLE", "LMCACHE_NIXL_ROLE", "ENGINE_ROLE", "ROLE"];
    for name in NAMES {
        let Some(word) = env.text(name) else { continue };
        let text = word.text();
        let role = match (name, text.as_str()) {
            ("KV_ROLE", "kv_producer") | ("LMCACHE_NIXL_ROLE", "sender") => Some(Role::Prefill),
            ("KV_ROLE", "kv_consumer") | ("LMCACHE_NIXL_ROLE", "receiver") => Some(Role::Decode),
            // A name so general decides only with a word that means nothing else.
            ("ROLE", word) if !matches!(word, "prefill" | "decode" | "encode") => None,
            _ => role_from_word(&text),
        };
        if let Some(role) = role {
            return Known::Set(role, word.at);
        }
    }
    Known::Absent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_a_role() {
        for (word, expect) in [
            ("prefill", Some(Role::Prefill)),
            ("Prefill", Some(Role::Prefill)),
            ("CONTEXT", Some(Role::Prefill)),
            ("decode", Some(Role::Decode)),
            ("GENERATION", Some(Role::Decode)),
            ("encode", Some(Role::Encode)),
            ("encode-prefill", Some(Role::EncodePrefill)),
            ("prefill-decode", Some(Role::Aggregated)),
            ("prefill_and_decode", Some(Role::Aggregated)),
            ("both", Some(Role::Aggregated)),
            ("null", Some(Role::Aggregated)),
            ("worker", None),
            ("leader", None),
            ("", None),
        ] {
            assert_eq!(role_from_word(word), expect, "{word}");
        }
    }
}
