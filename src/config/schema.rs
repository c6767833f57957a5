//! The JSON Schema of the configuration, for editors.

use super::keys::{IGNORE, RULE, SLO, Setting, Shape, TOP, WORKLOAD};
use super::{KnownRule, Level, OptionType, OptionValue, Profile, Role, format_duration};
use crate::diagnostic::Severity;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The JSON Schema of `gpulint.yaml` with these rules, as draft 7, which is what editors read.
pub fn schema(known: &[KnownRule]) -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut maker = Maker { generator: settings.into_generator(), known };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".to_owned(), json!("gpulint.yaml"));
    schema.insert("description".to_owned(), json!("Configuration of gpulint."));
    schema.append(&mut maker.object(TOP));
    // Every rule refers to it.
    schema.insert("definitions".to_owned(), json!({"ignore": maker.object(IGNORE)}));
    Value::Object(schema)
}

struct Maker<'k> {
    generator: SchemaGenerator,
    known: &'k [KnownRule],
}

impl Maker<'_> {
    /// A mapping with these keys and no others.
    fn object(&mut self, settings: &[Setting]) -> Map<String, Value> {
        let properties = settings.iter().map(|setting| {
            let mut property = self.shape(setting.shape);
            property.insert("description".to_owned(), json!(setting.text));
            (setting.name.to_owned(), Value::Object(property))
        });
        let mut object = closed(properties.collect());
        let required: Vec<&str> = settings.iter().filter(|s| s.required).map(|s| s.name).collect();
        if !required.is_empty() {
            object.insert("type".to_owned(), json!("object"));
            object.insert("required".to_owned(), json!(required));
        }
        object
    }

    fn shape(&mut self, shape: Shape) -> Map<String, Value> {
        match shape {
            Shape::Profile => self.derived::<Profile>("default"),
            Shape::Severity => self.derived::<Severity>("error"),
            Shape::Level => self.derived::<Level>(""),
            Shape::Role => self.derived::<Role>(""),
            Shape::Text | Shape::PathGlob | Shape::NameGlob => map(json!({"type": "string", "minLength": 1})),
            Shape::Bool => map(json!({"type": "boolean"})),
            Shape::Duration => duration(),
            Shape::Rate => map(json!({"type": "number", "exclusiveMinimum": 0})),
            Shape::PathGlobs => {
                map(json!({"type": ["array", "null"], "items": {"type": "string", "minLength": 1}}))
            }
            Shape::Rules => self.rules(),
            // Each rule has its own, see `rules`.
            Shape::Options => map(json!({"type": ["object", "null"]})),
            Shape::Ignores => {
                map(json!({"type": ["array", "null"], "items": {"$ref": "#/definitions/ignore"}}))
            }
            Shape::Slo => self.object(SLO),
            Shape::Workloads => map(json!({"type": ["array", "null"], "items": self.object(WORKLOAD)})),
        }
    }

    fn rules(&mut self) -> Map<String, Value> {
        let mut rules = Map::new();
        for rule in self.known {
            let mut object = self.object(RULE);
            object.insert("description".to_owned(), json!(rule.summary));
            let options = rule.options.iter().map(|option| {
                let mut property = option_type(option.ty);
                property.insert("description".to_owned(), json!(option.text));
                property.insert("default".to_owned(), option_value(&option.default));
                (option.name.to_owned(), Value::Object(property))
            });
            let options = closed(options.collect());
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
                if let Some(Value::Object(slot)) = properties.get_mut("options") {
                    slot.extend(options);
                }
                if let Some(Value::Object(slot)) = properties.get_mut("severity") {
                    slot.insert("default".to_owned(), json!(rule.severity.word()));
                }
            }
            rules.insert(rule.id.to_owned(), Value::Object(object));
        }
        closed(rules)
    }

    /// The schema that a type derives, with a default unless that is empty.
    fn derived<T: JsonSchema>(&mut self, default: &str) -> Map<String, Value> {
        let mut schema = map(self.generator.subschema_for::<T>().to_value());
        if !default.is_empty() {
            schema.insert("default".to_owned(), json!(default));
        }
        schema
    }
}

/// A mapping of these properties and no others. Nothing is an empty mapping.
fn closed(properties: Map<String, Value>) -> Map<String, Value> {
    map(json!({"type": ["object", "null"], "additionalProperties": false, "properties": properties}))
}

fn duration() -> Map<String, Value> {
    // Go's syntax, of which the sign is left out.
    let pattern = r"^(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";
    map(json!({"type": "string", "pattern": pattern}))
}

fn option_type(ty: OptionType) -> Map<String, Value> {
    match ty {
        OptionType::Bool => map(json!({"type": "boolean"})),
        OptionType::Int => map(json!({"type": "integer"})),
        OptionType::Text => map(json!({"type": "string", "minLength": 1})),
        OptionType::Duration => duration(),
        OptionType::List => {
            map(json!({"type": ["array", "null"], "items": {"type": "string", "minLength": 1}}))
        }
    }
}

fn option_value(value: &OptionValue) -> Value {
    match value {
        OptionValue::Bool(value) => json!(value),
        OptionValue::Int(number) => json!(number),
        OptionValue::Text(text) => json!(text),
        OptionValue::Duration(duration) => json!(format_duration(*duration)),
        OptionValue::List(items) => json!(items),
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{LEVELS, PROFILES, ROLES, SEVERITIES};
    use super::super::sample_rules;
    use super::*;

    fn at(pointer: &str) -> Value {
        let schema = schema(&sample_rules());
        schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {schema:#}")).clone()
    }

    /// The words that a schema of an enum takes, with or without descriptions.
    fn words(schema: &Value) -> Vec<String> {
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let plain = schema["enum"].as_array().into_iter().flatten().filter_map(word);
        let described = schema["oneOf"].as_array().into_iter().flatten();
        let described = described.flat_map(|one| {
            one["const"].as_str().map(str::to_owned).into_iter().chain(words(one)).collect::<Vec<_>>()
        });
        plain.chain(described).collect()
    }

    #[test]
    fn the_schema_takes_the_words_that_the_reader_takes() {
        fn check<T>(pointer: &str, table: &[(&str, T)]) {
            let mut found = words(&at(pointer));
            let mut expect: Vec<String> = table.iter().map(|(word, _)| (*word).to_owned()).collect();
            found.sort();
            expect.sort();
            assert_eq!(found, expect, "{pointer}");
        }
        check("/properties/profile", PROFILES);
        check("/properties/fail-on", SEVERITIES);
        check("/properties/rules/properties/gang-missing/properties/severity", LEVELS);
        check("/properties/slo/properties/workloads/items/properties/role", ROLES);
    }

    #[test]
    fn the_schema_says_what_a_rule_takes() {
        let rule = "/properties/rules/properties/gpu-pool-consolidate-after";
        let check = |pointer: &str, expect: Value| assert_eq!(at(pointer), expect, "{pointer}");
        check("/$schema", json!("http://json-schema.org/draft-07/schema#"));
        check("/additionalProperties", json!(false));
        check("/properties/rules/additionalProperties", json!(false));
        check(&format!("{rule}/description"), json!("summary of gpu-pool-consolidate-after"));
        check(&format!("{rule}/properties/severity/default"), json!("warning"));
        let options = format!("{rule}/properties/options");
        check(&format!("{options}/additionalProperties"), json!(false));
        check(&format!("{options}/properties/delay/default"), json!("1h"));
        check(&format!("{options}/properties/delay/description"), json!("Text of delay."));
        check(&format!("{options}/properties/count"), {
            json!({"type": "integer", "description": "Text of count.", "default": 3})
        });
        check(&format!("{options}/properties/names/default"), json!(["a", "b c"]));
        check(&format!("{rule}/properties/ignore/items/$ref"), json!("#/definitions/ignore"));
        check("/definitions/ignore/required", json!(["reason"]));
        check("/properties/slo/properties/workloads/items/required", json!(["name"]));
    }

    #[test]
    fn the_pattern_of_durations_agrees_with_the_reader() {
        let pattern = duration()["pattern"].as_str().map(|p| regex::Regex::new(p).unwrap()).unwrap();
        for text in [
            "0", "1h", "1h30m", "1.5h", ".5s", "1.s", "500ms", "1µs", "", "1", "h", "1d", "1h 1m", "-1h",
            ".s",
        ] {
            assert_eq!(pattern.is_match(text), super::super::parse_duration(text).is_some(), "{text}");
        }
    }
}
