//! A small checker of JSON against `docs/schema/operator-1.json`: the words that schema uses, and no other.

use std::path::Path;

use serde_json::Value;

/// The schema.
pub(crate) struct Schema(Value);

/// Every word that the checker knows; a schema with another would be checked in part.
const WORDS: [&str; 14] = [
    "$schema", "$id", "$defs", "$ref", "title", "description", "type", "enum", "const", "anyOf", "properties",
    "required", "additionalProperties", "items",
];

impl Schema {
    pub(crate) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/operator-1.json");
        let text = std::fs::read_to_string(path).expect("the schema is there");
        Self(serde_json::from_str(&text).expect("the schema is JSON"))
    }

    /// What is wrong with a value by the definition of that name.
    pub(crate) fn faults(&self, name: &str, value: &Value) -> Vec<String> {
        let rule = &self.0["$defs"][name];
        if rule.is_null() {
            return vec![format!("the schema knows no {name}")];
        }
        let mut faults = Vec::new();
        self.check(rule, value, "", &mut faults);
        faults
    }

    fn check(&self, rule: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let Some(rule) = rule.as_object() else { return };
        if let Some(word) = rule.keys().find(|word| *word != "minimum" && !WORDS.contains(&word.as_str())) {
            faults.push(format!("the checker does not know `{word}`"));
        }
        if let Some(name) = rule.get("$ref").and_then(Value::as_str) {
            let name = name.strip_prefix("#/$defs/").expect("a reference within");
            self.check(&self.0["$defs"][name], value, at, faults);
        }
        if let Some(known) = rule.get("const").filter(|known| *known != value) {
            faults.push(format!("{at}: expected {known}, found {value}"));
        }
        if let Some(known) = rule.get("enum").and_then(Value::as_array)
            && !known.contains(value)
        {
            faults.push(format!("{at}: {value} is none of {known:?}"));
        }
        if let Some(kinds) = rule.get("type") {
            let kinds: Vec<&str> = match kinds {
                Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect(),
            };
            if !kinds.iter().any(|kind| is(kind, value)) {
                faults.push(format!("{at}: {value} is none of {kinds:?}"));
            }
        }
        if let Some(rules) = rule.get("anyOf").and_then(Value::as_array) {
            let tried: Vec<Vec<String>> = rules
                .iter()
                .map(|rule| {
                    let mut faults = Vec::new();
                    self.check(rule, value, at, &mut faults);
                    faults
                })
                .collect();
            if tried.iter().all(|faults| !faults.is_empty()) {
                faults.extend(tried.into_iter().min_by_key(Vec::len).unwrap_or_default());
            }
        }
        self.check_object(rule, value, at, faults);
        if let (Some(rule), Some(items)) = (rule.get("items"), value.as_array()) {
            for (place, item) in items.iter().enumerate() {
                self.check(rule, item, &format!("{at}[{place}]"), faults);
            }
        }
    }

    fn check_object(
        &self,
        rule: &serde_json::Map<String, Value>,
        value: &Value,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        let Some(object) = value.as_object() else { return };
        for key in rule.get("required").and_then(Value::as_array).into_iter().flatten() {
            let key = key.as_str().expect("a key");
            if !object.contains_key(key) {
                faults.push(format!("{at}: no `{key}`"));
            }
        }
        let known = rule.get("properties").and_then(Value::as_object);
        for (key, value) in object {
            let at = format!("{at}.{key}");
            match (known.and_then(|known| known.get(key)), rule.get("additionalProperties")) {
                (Some(rule), _) => self.check(rule, value, &at, faults),
                (None, Some(Value::Bool(false))) => faults.push(format!("{at} is not documented")),
                (None, Some(rule)) => self.check(rule, value, &at, faults),
                (None, None) => {}
            }
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}
