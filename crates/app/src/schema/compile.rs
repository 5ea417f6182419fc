//! A schema becomes nodes that name each other by number, so that one which refers to itself is no
//! more than a number that comes again, and neither compiling nor dropping it goes deep.

use super::cycles::{check_ends, follow_references};
use super::pattern::Pattern;
use super::places::{Place, Places, address};
use super::{
    MEMORY_BYTES_MAX, NODES_MAX, PATTERNS_MAX, PROGRAMS_BYTES_MAX, SCHEMA_BYTES_MAX, SchemaError,
};
use serde_json::{Number, Value};
use std::collections::{BTreeMap, HashMap};

/// A schema that payloads can be held against.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(super) nodes: Vec<Node>,
    bytes: usize,
    programs_bytes: usize,
}

/// The number of a node. The schema itself is 0.
pub(super) type NodeId = usize;

/// A schema, or one within a schema.
#[derive(Debug)]
pub(super) enum Node {
    /// `true`, or nothing that is checked.
    Anything,
    /// `false`.
    Nothing,
    /// `$ref`; none is left when all is compiled.
    Same(NodeId),
    /// All of these must hold.
    All(Vec<Keyword>),
}

/// What a word of a schema asks.
#[derive(Debug)]
pub(super) enum Keyword {
    /// `type`.
    Type(Types),
    /// `enum`, `const`, and what it costs to go through all.
    Choice(Vec<Value>, u64),
    /// `minimum` and its three sisters.
    Bound(Number, Bound),
    /// `multipleOf`.
    MultipleOf(Number),
    /// `minLength` and its five sisters.
    Count(Counted, Least, u64),
    /// `pattern`.
    Pattern(Pattern),
    /// `items`, and with it what further items are held against.
    Items(Vec<NodeId>, Option<NodeId>),
    /// `uniqueItems`.
    Unique,
    /// `contains`.
    Contains(NodeId),
    /// `properties`, `patternProperties`, `additionalProperties`.
    Members(Members),
    /// `propertyNames`.
    Names(NodeId),
    /// `required`.
    Required(Vec<String>),
    /// `dependencies`.
    Dependencies(Vec<(String, Dependency)>),
    /// `allOf`.
    AllOf(Vec<NodeId>),
    /// `anyOf`.
    AnyOf(Vec<NodeId>),
    /// `oneOf`.
    OneOf(Vec<NodeId>),
    /// `not`.
    Not(NodeId),
    /// `if`, `then`, `else`.
    If(NodeId, Option<NodeId>, Option<NodeId>),
}

/// Kinds of values, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Types(pub(super) u8);

/// On which side of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Characters,
    Items,
    Properties,
}

/// Whether a count is the least that there may be, or the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Least {
    Least,
    Most,
}

/// What an object's members are held against.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) named: BTreeMap<String, NodeId>,
    pub(super) matching: Vec<(Pattern, NodeId)>,
    pub(super) others: Option<NodeId>,
}

/// What must hold where a property is there.
#[derive(Debug)]
pub(super) enum Dependency {
    Properties(Vec<String>),
    Schema(NodeId),
}

impl Schema {
    /// Compiles a schema; else what is wrong with it.
    pub(crate) fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let bytes = schema.to_string().len();
        if bytes > SCHEMA_BYTES_MAX {
            let text = format!("has {bytes} bytes, and a schema has at most {SCHEMA_BYTES_MAX}");
            return Err(SchemaError::new("#", text));
        }
        let places = Places::of(schema)?;
        let mut compiler = Compiler {
            known: HashMap::new(),
            waiting: Vec::new(),
            nodes: Vec::new(),
            patterns: 0,
            programs_bytes: 0,
            held_bytes: 0,
            places: &places,
        };
        compiler.node(places.root())?;
        while let Some(next) = compiler.waiting.pop() {
            let node = compiler.compile(&next);
            compiler.nodes[next.id] =
                node.map_err(|error| places.within_whole(error, next.place))?;
        }
        let Compiler {
            mut nodes,
            programs_bytes,
            held_bytes,
            ..
        } = compiler;
        follow_references(&mut nodes)?;
        check_ends(&nodes)?;
        // Names and nodes are a few times what their text is.
        let bytes = 8 * bytes + held_bytes;
        if bytes > MEMORY_BYTES_MAX {
            let text = format!(
                "takes more than {MEMORY_BYTES_MAX} bytes of memory: make what its `enum` and \
                 `const` list smaller"
            );
            return Err(SchemaError::new("#", text));
        }
        Ok(Self {
            nodes,
            bytes,
            programs_bytes,
        })
    }

    /// About how much memory it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How large the programs of its patterns are, in bytes: what took long to compile.
    pub(crate) fn programs_bytes(&self) -> usize {
        self.programs_bytes
    }
}

/// See [`Schema::compile`]. Errors of what it compiles name a place within that: see
/// [`Places::within_whole`].
pub(super) struct Compiler<'c, 'v> {
    /// The number of each schema that was met, by its address.
    known: HashMap<usize, NodeId>,
    /// Met, and not yet compiled.
    waiting: Vec<Waiting<'v>>,
    nodes: Vec<Node>,
    patterns: usize,
    programs_bytes: usize,
    /// What patterns and values hold.
    held_bytes: usize,
    pub(super) places: &'c Places<'v>,
}

/// A schema that was met.
pub(super) struct Waiting<'v> {
    id: NodeId,
    pub(super) place: Place<'v>,
}

impl<'v> Compiler<'_, 'v> {
    /// The number of a schema, which is compiled later where it was not met before.
    pub(super) fn node(&mut self, place: Place<'v>) -> Result<NodeId, SchemaError> {
        if let Some(id) = self.known.get(&address(place.schema)) {
            return Ok(*id);
        }
        let id = self.nodes.len();
        if id >= NODES_MAX {
            let text = format!("has more than {NODES_MAX} schemas in it");
            return Err(SchemaError::new("#", text));
        }
        self.known.insert(address(place.schema), id);
        self.nodes.push(Node::Anything);
        self.waiting.push(Waiting { id, place });
        Ok(id)
    }

    /// A value that is kept as it is.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        self.held_bytes += held_bytes(value);
        value.clone()
    }

    /// A pattern that is written at this place.
    pub(super) fn pattern(&mut self, at: &str, text: &str) -> Result<Pattern, SchemaError> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            let text = format!("has more than {PATTERNS_MAX} patterns in it");
            return Err(SchemaError::new("#", text));
        }
        let pattern = Pattern::new(text).map_err(|reason| SchemaError::new(at, reason))?;
        self.programs_bytes += pattern.program;
        if self.programs_bytes > PROGRAMS_BYTES_MAX {
            let text = "has patterns that grow too large together: make their repetitions smaller";
            return Err(SchemaError::new("#", text));
        }
        self.held_bytes += pattern.bytes();
        Ok(pattern)
    }

    fn compile(&mut self, waiting: &Waiting<'v>) -> Result<Node, SchemaError> {
        let members = match waiting.place.schema {
            Value::Bool(true) => return Ok(Node::Anything),
            Value::Bool(false) => return Ok(Node::Nothing),
            Value::Object(members) => members,
            _ => {
                let text = "must be a schema: an object, `true` or `false`";
                return Err(SchemaError::new("", text));
            }
        };
        let keywords = self.keywords(waiting, members)?;
        // Draft 7: what stands beside it counts for nothing.
        if let Some(reference) = members.get("$ref") {
            return Ok(Node::Same(self.reference(waiting, reference)?));
        }
        Ok(match keywords.is_empty() {
            true => Node::Anything,
            false => Node::All(keywords),
        })
    }

    fn reference(&mut self, from: &Waiting<'v>, name: &'v Value) -> Result<NodeId, SchemaError> {
        let wrong = |reason: String| SchemaError::new("/$ref", reason);
        let Value::String(name) = name else {
            return Err(wrong("must be a text".to_owned()));
        };
        self.node(self.places.find(from.place, name).map_err(wrong)?)
    }
}

/// About how much memory a value holds beside its text, which is counted elsewhere.
fn held_bytes(value: &Value) -> usize {
    // A map holds its members by six to eleven, with room for all of them.
    const NODE_BYTES: usize = 640;
    const NODE_MEMBERS: usize = 6;
    size_of::<Value>()
        + match value {
            Value::Array(items) => items.iter().map(held_bytes).sum(),
            Value::Object(members) => {
                let nodes = members.len().div_ceil(NODE_MEMBERS);
                NODE_BYTES * nodes + members.values().map(held_bytes).sum::<usize>()
            }
            _ => 0,
        }
}
