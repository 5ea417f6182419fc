//! What a schema marks with `"x-sensitive": true`, as the places in payloads where that is.
//!
//! Rather too much than too little: whatever could apply to a value counts, `if` and `not`
//! included, and what is marked for further members counts for all members of the object. Within a
//! schema that contains itself, the places are those at any depth.

use super::places::{Place, Places, address};
use super::{SchemaError, clipped};
use model::redaction::{MARKED_MAX, Path, STEPS_MAX};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The word.
pub(crate) const MARK: &str = "x-sensitive";
/// How many schemas are gone through to find all places, each way to one counted apart.
const VISITS_MAX: usize = 20_000;
/// The longest way to a mark, in schemas.
const WAY_MAX: usize = 200;

/// How the schemas behind a word apply to a value.
#[derive(Clone, Copy)]
enum Applies {
    /// To itself: one, or each of a list or of an object's.
    Itself,
    /// To members, by the names in an object.
    Named,
    /// To items, by their place in a list; if it is no list, to all.
    Items,
    /// To any member or item.
    Any,
}

/// All words with schemas behind them, those of later drafts too.
const WORDS: &[(&str, Applies)] = &[
    ("additionalItems", Applies::Any),
    ("additionalProperties", Applies::Any),
    ("allOf", Applies::Itself),
    ("anyOf", Applies::Itself),
    ("contains", Applies::Any),
    ("dependencies", Applies::Itself),
    ("dependentSchemas", Applies::Itself),
    ("else", Applies::Itself),
    ("if", Applies::Itself),
    ("items", Applies::Items),
    ("not", Applies::Itself),
    ("oneOf", Applies::Itself),
    ("patternProperties", Applies::Any),
    ("prefixItems", Applies::Items),
    ("properties", Applies::Named),
    ("then", Applies::Itself),
    ("unevaluatedItems", Applies::Any),
    ("unevaluatedProperties", Applies::Any),
];

/// Words whose schemas stand in an object, by names that are no words.
const BY_NAME: [&str; 4] = [
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// From the value of a schema to that of another.
#[derive(Clone)]
enum Step<'v> {
    Stay,
    Name(&'v str),
    Item(usize),
    Any,
}

/// A schema within the schema.
#[derive(Default)]
struct Node<'v> {
    marked: bool,
    /// Whether a mark can be come to from here.
    leads: bool,
    next: Vec<(Step<'v>, usize)>,
}

/// The places that a schema marks; it must be one that compiles.
pub(crate) fn marked(schema: &Value) -> Result<Vec<Path>, SchemaError> {
    let places = Places::of(schema)?;
    let nodes = nodes(&places)?;
    let mut search = Search {
        nodes,
        way: Vec::new(),
        again: BTreeSet::new(),
        found: Vec::new(),
        visits: 0,
    };
    let root = address(schema);
    // First, which schemas contain themselves; then, with that known, the places.
    search.visit(root)?;
    search.found.clear();
    search.visits = 0;
    search.visit(root)?;
    Ok(search.found)
}

/// All schemas that can apply to a payload, by address.
fn nodes<'v>(places: &Places<'v>) -> Result<BTreeMap<usize, Node<'v>>, SchemaError> {
    let mut nodes: BTreeMap<usize, Node<'v>> = BTreeMap::new();
    let mut waiting = vec![places.root()];
    let mut leading = Vec::new();
    let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    while let Some(place) = waiting.pop() {
        let here = address(place.schema);
        if nodes.contains_key(&here) {
            continue;
        }
        let marked = is_marked(place.schema)?;
        let next = next_of(places, place)?;
        for (_, next) in &next {
            before.entry(address(next.schema)).or_default().push(here);
            waiting.push(*next);
        }
        if marked {
            leading.push(here);
        }
        let next = next
            .into_iter()
            .map(|(step, next)| (step, address(next.schema)));
        let node = Node {
            marked,
            leads: false,
            next: next.collect(),
        };
        nodes.insert(here, node);
    }
    while let Some(here) = leading.pop() {
        let node = nodes.get_mut(&here).filter(|node| !node.leads);
        if let Some(node) = node {
            node.leads = true;
            leading.extend(before.get(&here).into_iter().flatten());
        }
    }
    Ok(nodes)
}

fn is_marked(schema: &Value) -> Result<bool, SchemaError> {
    match schema.get(MARK) {
        None => Ok(false),
        Some(Value::Bool(marked)) => Ok(*marked),
        Some(_) => {
            let text = format!("has `{MARK}`, which must be `true` or `false`");
            Err(SchemaError::new("#", text))
        }
    }
}

type Next<'v> = Vec<(Step<'v>, Place<'v>)>;

fn next_of<'v>(places: &Places<'v>, place: Place<'v>) -> Result<Next<'v>, SchemaError> {
    let mut next = Vec::new();
    let Value::Object(members) = place.schema else {
        return Ok(next);
    };
    if let Some(Value::String(reference)) = members.get("$ref") {
        let found = places.find(place, reference);
        let found = found.map_err(|reason| SchemaError::new("#", reason))?;
        next.push((Step::Stay, found));
    }
    for (word, applies) in WORDS {
        let Some(behind) = members.get(*word) else {
            continue;
        };
        let mut add = |step, schema| next.push((step, places.within(place, schema)));
        match (behind, BY_NAME.contains(word)) {
            (Value::Object(schemas), true) => {
                for (name, schema) in schemas {
                    match applies {
                        Applies::Named => add(Step::Name(name), schema),
                        Applies::Itself => add(Step::Stay, schema),
                        Applies::Items | Applies::Any => add(Step::Any, schema),
                    }
                }
            }
            (Value::Array(schemas), _) => {
                for (index, schema) in schemas.iter().enumerate() {
                    match applies {
                        Applies::Items => add(Step::Item(index), schema),
                        _ => add(Step::Stay, schema),
                    }
                }
            }
            (schema, _) => match applies {
                Applies::Itself | Applies::Named => add(Step::Stay, schema),
                Applies::Items | Applies::Any => add(Step::Any, schema),
            },
        }
    }
    Ok(next)
}

/// Goes every way to a mark that comes to no schema twice.
struct Search<'v> {
    nodes: BTreeMap<usize, Node<'v>>,
    /// The schemas on the way, and the step to each.
    way: Vec<(Step<'v>, usize)>,
    /// Those that can be come to from themselves: what is behind is there at any depth.
    again: BTreeSet<usize>,
    found: Vec<Path>,
    visits: usize,
}

impl<'v> Search<'v> {
    fn visit(&mut self, root: usize) -> Result<(), SchemaError> {
        self.go(Step::Stay, root)?;
        self.way.clear();
        Ok(())
    }

    fn go(&mut self, step: Step<'v>, to: usize) -> Result<(), SchemaError> {
        self.visits += 1;
        if self.visits > VISITS_MAX || self.way.len() > WAY_MAX {
            return Err(too_much());
        }
        let Some(node) = self.nodes.get(&to).filter(|node| node.leads) else {
            return Ok(());
        };
        if self.way.iter().any(|(_, passed)| *passed == to) {
            self.again.insert(to);
            return Ok(());
        }
        let (marked, next) = (node.marked, node.next.clone());
        self.way.push((step, to));
        if marked {
            self.find()?;
        } else {
            for (step, next) in next {
                self.go(step, next)?;
            }
        }
        self.way.pop();
        Ok(())
    }

    fn find(&mut self) -> Result<(), SchemaError> {
        let path = self.path();
        if self.found.iter().any(|found| found.as_str() == path) {
            return Ok(());
        }
        let path = path.parse().map_err(|error| {
            let text = format!("marks `{}` as sensitive, which {error}", clipped(&path));
            SchemaError::new("#", text)
        })?;
        self.found.push(path);
        match self.found.len() <= MARKED_MAX {
            true => Ok(()),
            false => Err(too_much()),
        }
    }

    /// The way as a JSONPath. Where all of the payload is marked, all that it holds.
    fn path(&self) -> String {
        let mut path = "$".to_owned();
        let mut descends = false;
        let mut from = None;
        for (step, to) in &self.way {
            descends |= from.is_some_and(|from| self.again.contains(&from));
            from = Some(*to);
            let step = match step {
                Step::Stay => continue,
                Step::Name(name) => format!("[{}]", quoted(name)),
                Step::Item(index) => format!("[{index}]"),
                Step::Any => "[*]".to_owned(),
            };
            path.push_str(if descends { ".." } else { "" });
            path.push_str(&step);
            descends = false;
        }
        if path == "$" {
            path.push_str(".*");
        }
        path
    }
}

fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn too_much() -> SchemaError {
    let text = format!(
        "marks too much as sensitive: at most {MARKED_MAX} places, each at most {STEPS_MAX} steps \
         deep; mark what is around them instead"
    );
    SchemaError::new("#", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(schema: &Value) -> Vec<String> {
        let marked = marked(schema).expect("it can be told");
        marked.iter().map(|path| path.as_str().to_owned()).collect()
    }

    #[test]
    fn marks_are_found_behind_every_word() {
        let mark = json!({ "x-sensitive": true });
        for (schema, expected) in [
            (json!({}), vec![]),
            (json!(true), vec![]),
            (json!({ "x-sensitive": true }), vec!["$.*"]),
            (json!({ "x-sensitive": false }), vec![]),
            (
                json!({ "properties": { "a": { "properties": { "b'c": mark } }, "d": {} } }),
                vec![r"$['a']['b\'c']"],
            ),
            (
                json!({ "items": { "properties": { "a": mark } } }),
                vec!["$[*]['a']"],
            ),
            (json!({ "items": [{}, mark] }), vec!["$[1]"]),
            (json!({ "prefixItems": [mark] }), vec!["$[0]"]),
            (json!({ "additionalProperties": mark }), vec!["$[*]"]),
            (json!({ "patternProperties": { "^a": mark } }), vec!["$[*]"]),
            (
                json!({ "anyOf": [{ "properties": { "a": mark } }, {}], "if": mark }),
                vec!["$['a']", "$.*"],
            ),
            (
                json!({ "dependencies": { "a": { "properties": { "b": mark } }, "c": ["d"] } }),
                vec!["$['b']"],
            ),
            (
                json!({ "properties": { "x-sensitive": { "type": "string" } } }),
                vec![],
            ),
        ] {
            assert_eq!(told(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn references_are_followed_and_what_stands_beside_them_counts() {
        let schema = json!({
            "properties": {
                "a": { "$ref": "#/definitions/email" },
                "b": { "$ref": "#/definitions/plain", "x-sensitive": true },
                "c": { "$ref": "#named" },
            },
            "definitions": {
                "email": { "x-sensitive": true },
                "plain": {},
                "other": { "$id": "#named", "items": { "$ref": "#/definitions/email" } },
                "unused": { "properties": { "z": { "x-sensitive": true } } },
            },
        });
        assert_eq!(told(&schema), ["$['a']", "$['b']", "$['c'][*]"]);
    }

    #[test]
    fn what_contains_itself_is_marked_at_any_depth() {
        let tree = json!({
            "properties": { "root": { "$ref": "#/definitions/node" } },
            "definitions": { "node": { "properties": {
                "secret": { "x-sensitive": true },
                "children": { "items": { "$ref": "#/definitions/node" } },
            } } },
        });
        assert_eq!(told(&tree), ["$['root']..['secret']"]);
        let two = json!({
            "properties": {
                "a": { "$ref": "#" },
                "b": { "$ref": "#/definitions/b" },
            },
            "definitions": { "b": { "properties": {
                "c": { "$ref": "#/definitions/b" },
                "m": { "x-sensitive": true },
            } } },
        });
        assert_eq!(told(&two), ["$..['b']..['m']"]);
    }

    #[test]
    fn a_mark_that_cannot_be_obeyed_is_refused() {
        let doubled = |number: usize| {
            let to = json!({ "$ref": format!("#/definitions/{}", number + 1) });
            json!({ "properties": { "a": to, "b": to } })
        };
        let mut definitions: serde_json::Map<_, _> = (0..20)
            .map(|number| (number.to_string(), doubled(number)))
            .collect();
        definitions.insert("20".to_owned(), json!({ "x-sensitive": true }));
        let many = json!({ "$ref": "#/definitions/0", "definitions": definitions });
        for (schema, expected) in [
            (json!({ "x-sensitive": "yes" }), "must be `true` or `false`"),
            (many, "marks too much"),
            (
                json!({ "properties": { "a\n": { "x-sensitive": true } } }),
                "control characters",
            ),
        ] {
            let refused = marked(&schema).expect_err("it can't be told").to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
