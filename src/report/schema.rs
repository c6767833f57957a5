//! The JSON Schema of the JSON report.

use super::json::JsonReport;
use schemars::generate::SchemaSettings;

/// The schema, draft 2020-12, as indented JSON with a last line break.
pub fn report_schema() -> String {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<JsonReport<'_>>();
    schema.insert("$id".to_owned(), "https://gpulint.dev/schema/report-v1.json".into());
    schema.insert("title".to_owned(), "gpulint report".into());
    format!("{:#}\n", schema.as_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, Options, sample};
    use serde_json::{Map, Value, json};

    /// Whether `value` fits `schema`. Knows the keywords that the schema uses and fails at any other, so that a keyword
    /// that appears later is not passed over.
    fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
        let none = Map::new();
        let schema = schema.as_object().unwrap();
        schema.iter().all(|(keyword, rule)| match keyword.as_str() {
            "$id" | "$schema" | "$defs" | "title" | "description" | "format" => true,
            "$ref" => {
                let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                fits(root, root.pointer(target).unwrap(), value)
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|word| has_type(word, value)),
                word => has_type(word, value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" => rule.as_array().unwrap().iter().any(|rule| fits(root, rule, value)),
            "oneOf" => rule.as_array().unwrap().iter().filter(|rule| fits(root, rule, value)).count() == 1,
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "pattern" => {
                value.as_str().is_none_or(|s| regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(s))
            }
            "required" => {
                rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
            }
            "properties" => {
                let keys = value.as_object().unwrap_or(&none).iter();
                keys.filter_map(|(key, value)| Some((rule.get(key)?, value)))
                    .all(|(rule, value)| fits(root, rule, value))
            }
            "additionalProperties" => {
                let known =
                    |key: &String| schema.get("properties").is_some_and(|known| known.get(key).is_some());
                let keys = value.as_object().unwrap_or(&none).iter();
                keys.filter(|(key, _)| !known(key)).all(|(_, value)| fits(root, rule, value))
            }
            "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(root, rule, item))),
            other => panic!("this test does not know `{other}`"),
        })
    }

    fn has_type(word: &Value, value: &Value) -> bool {
        match word.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "null" => value.is_null(),
            other => panic!("this test does not know the type `{other}`"),
        }
    }

    fn schema() -> Value {
        serde_json::from_str(&report_schema()).unwrap()
    }

    fn report() -> Value {
        serde_json::from_str(&sample::render(Format::Json, &Options::default())).unwrap()
    }

    #[test]
    fn the_report_fits_its_schema() {
        let schema = schema();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(fits(&schema, &schema, &report()));
    }

    #[test]
    fn other_reports_do_not() {
        #[track_caller]
        fn check(pointer: &str, value: Value) {
            let (schema, mut report) = (schema(), report());
            *report.pointer_mut(pointer).unwrap() = value;
            assert!(!fits(&schema, &schema, &report), "{pointer}");
        }
        check("/version", json!(2));
        check("/tool", json!({ "name": "gpulint" }));
        check("/diagnostics/0/severity", json!("fatal"));
        check("/diagnostics/0/line", json!(0));
        check("/diagnostics/0/column", json!("4"));
        check("/diagnostics/0/help", json!(1));
        check("/diagnostics/0/fingerprint", json!("ABC"));
        check("/diagnostics/1/object/name", json!([]));
        check("/diagnostics/1/labels/0", json!({}));
        check("/diagnostics/1/fixes/0/applicability", json!("perhaps"));
        check("/summary/objects/NodePool", json!("many"));
    }

    #[test]
    fn every_key_is_described_and_required() {
        let (schema, report) = (schema(), report());
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for (pointer, sample) in [
            ("", &report),
            ("/$defs/Diagnostic", &report["diagnostics"][1]),
            ("/$defs/ObjectRef", &report["diagnostics"][1]["object"]),
            ("/$defs/Label", &report["diagnostics"][1]["labels"][0]),
            ("/$defs/Fix", &report["diagnostics"][1]["fixes"][0]),
            ("/$defs/Edit", &report["diagnostics"][1]["fixes"][0]["edits"][0]),
            ("/$defs/Skipped", &report["skipped"][0]),
            ("/$defs/Summary", &report["summary"]),
        ] {
            let definition = schema.pointer(pointer).unwrap();
            assert_eq!(keys(&definition["properties"]), keys(sample), "{pointer}");
            let required: Vec<String> = serde_json::from_value(definition["required"].clone()).unwrap();
            assert_eq!(required, keys(sample), "{pointer}");
        }
    }
}
