//! Schemas that would never end, or go too deep: those that refer to themselves without going into
//! the value that they judge.

use super::compile::{Dependency, Keyword, Node, NodeId};
use super::{IN_PLACE_MAX, SchemaError};

/// Puts into every keyword what a `$ref` names instead of the `$ref`.
pub(super) fn follow_references(nodes: &mut [Node]) -> Result<(), SchemaError> {
    let mut targets = Vec::with_capacity(nodes.len());
    for id in 0..nodes.len() {
        let mut target = id;
        let mut steps = 0;
        while let Node::Same(next) = &nodes[target] {
            target = *next;
            steps += 1;
            if steps > nodes.len() {
                return Err(never_ends());
            }
        }
        targets.push(target);
    }
    for node in nodes.iter_mut() {
        match node {
            Node::All(keywords) => {
                let keywords = keywords.iter_mut();
                keywords.for_each(|keyword| keyword.change(|id| *id = targets[*id]));
            }
            // Nobody names it any more.
            Node::Same(_) => *node = Node::Anything,
            Node::Anything | Node::Nothing => {}
        }
    }
    // The schema itself is number 0, also where it is a `$ref`.
    if targets[0] != 0 {
        nodes[0] = Node::All(vec![Keyword::AllOf(vec![targets[0]])]);
    }
    Ok(())
}

/// Whether no more than so many schemas apply to the same value by way of each other.
pub(super) fn check_ends(nodes: &[Node]) -> Result<(), SchemaError> {
    let mut depths = vec![Depth::Unknown; nodes.len()];
    for start in 0..nodes.len() {
        if depths[start] != Depth::Unknown {
            continue;
        }
        depths[start] = Depth::UnderWay;
        let mut stack = vec![(start, in_place(&nodes[start]), 0)];
        while let Some((id, below, deepest)) = stack.last_mut() {
            let Some(next) = below.pop() else {
                depths[*id] = Depth::Known(*deepest);
                let depth = *deepest + 1;
                stack.pop();
                if let Some((_, _, deepest)) = stack.last_mut() {
                    *deepest = depth.max(*deepest);
                }
                continue;
            };
            match depths[next] {
                Depth::Known(depth) => *deepest = (depth + 1).max(*deepest),
                Depth::UnderWay => return Err(never_ends()),
                Depth::Unknown => {
                    depths[next] = Depth::UnderWay;
                    stack.push((next, in_place(&nodes[next]), 0));
                }
            }
            if stack
                .last()
                .is_some_and(|(_, _, deepest)| *deepest > IN_PLACE_MAX)
            {
                return Err(too_deep());
            }
        }
        if depths[start] > Depth::Known(IN_PLACE_MAX) {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// How many schemas apply to a value below a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Unknown,
    UnderWay,
    Known(usize),
}

fn never_ends() -> SchemaError {
    let text = "refers to itself without going into a property or an item, so that it would never \
         end";
    SchemaError::new("#", text)
}

fn too_deep() -> SchemaError {
    let text = format!(
        "has more than {IN_PLACE_MAX} schemas that apply to one value by way of each other: make \
         chains of `allOf`, `anyOf` and their like shorter"
    );
    SchemaError::new("#", text)
}

/// What applies to the same value.
fn in_place(node: &Node) -> Vec<NodeId> {
    let mut found = Vec::new();
    let Node::All(keywords) = node else {
        return found;
    };
    for keyword in keywords {
        match keyword {
            Keyword::AllOf(ids) | Keyword::AnyOf(ids) | Keyword::OneOf(ids) => found.extend(ids),
            Keyword::Not(id) => found.push(*id),
            Keyword::If(when, then, otherwise) => {
                found.push(*when);
                found.extend(then.iter().chain(otherwise));
            }
            Keyword::Dependencies(list) => {
                found.extend(list.iter().filter_map(|(_, dependency)| match dependency {
                    Dependency::Schema(id) => Some(*id),
                    Dependency::Properties(_) => None,
                }));
            }
            _ => {}
        }
    }
    found
}

impl Keyword {
    /// Changes the number of every schema within it.
    fn change(&mut self, mut change: impl FnMut(&mut NodeId)) {
        match self {
            Self::AllOf(ids) | Self::AnyOf(ids) | Self::OneOf(ids) => {
                ids.iter_mut().for_each(change);
            }
            Self::Not(id) | Self::Contains(id) | Self::Names(id) => change(id),
            Self::If(when, then, otherwise) => {
                change(when);
                then.iter_mut().chain(otherwise).for_each(change);
            }
            Self::Dependencies(list) => {
                for (_, dependency) in list {
                    if let Dependency::Schema(id) = dependency {
                        change(id);
                    }
                }
            }
            Self::Items(ids, more) => ids.iter_mut().chain(more).for_each(change),
            Self::Members(members) => {
                let matching = members.matching.iter_mut().map(|(_, id)| id);
                let others = members.others.iter_mut();
                let all = members.named.values_mut().chain(matching).chain(others);
                all.for_each(change);
            }
            _ => {}
        }
    }
}
