//! A payload against a schema. Every step is paid for before it is done, so that it ends in time
//! whatever both are.

use super::compile::{Bound, Counted, Dependency, Keyword, Least, Members, Node, NodeId, Schema};
use super::number::{compare, is_multiple};
use super::order::{order, same, size};
use super::words;
use serde_json::{Map, Number, Value};
use std::cmp::Ordering;

/// The most violations that are told of one payload.
pub(crate) const VIOLATIONS_MAX: usize = 20;
/// How many schemas may be under way at once: each takes some of the stack.
const FRAMES_MAX: usize = 200;
/// How many steps every payload has, and how many more for each of its bytes. A step takes some
/// nanoseconds, and with patterns that were made to be slow, 200.
const STEPS: u64 = 200_000;
const STEPS_PER_BYTE: u64 = 32;

/// How many steps a payload of so many bytes may take.
pub(crate) fn steps_for(bytes: usize) -> u64 {
    STEPS + STEPS_PER_BYTE * bytes as u64
}

/// How a payload stands to a schema.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It matches.
    Matches,
    /// It does not: this is where, at most [`VIOLATIONS_MAX`] times.
    Broken(Vec<Broken>),
    /// It would take more steps than it may, or go deeper.
    TooMuch,
}

/// A place that does not match.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The names and numbers on the way to it.
    pub(crate) path: Vec<String>,
    /// What would be right.
    pub(crate) message: String,
}

impl Schema {
    /// Holds a payload against it.
    pub(crate) fn check(&self, payload: &Value, steps: u64) -> Outcome {
        let mut check = Check {
            schema: self,
            payload,
            steps,
            frames: 0,
            unheard: 0,
            path: Vec::new(),
            broken: Vec::new(),
            stop: None,
        };
        let holds = check.holds(0, payload);
        match check.stop {
            Some(Stop::TooMuch) => Outcome::TooMuch,
            _ if holds => Outcome::Matches,
            _ => Outcome::Broken(check.broken),
        }
    }
}

struct Check<'c> {
    schema: &'c Schema,
    payload: &'c Value,
    /// How many are left.
    steps: u64,
    frames: usize,
    /// Within how many schemas that may fail without anything being wrong.
    unheard: usize,
    /// The how manieth of the items or members on the way.
    path: Vec<usize>,
    broken: Vec<Broken>,
    stop: Option<Stop>,
}

#[derive(Clone, Copy)]
enum Stop {
    TooMuch,
    EnoughTold,
}

impl<'c> Check<'c> {
    fn holds(&mut self, node: NodeId, value: &Value) -> bool {
        let schema: &'c Schema = self.schema;
        let keywords = match &schema.nodes[node] {
            Node::Anything | Node::Same(_) => return self.pay(1),
            Node::Nothing => return self.pay(1) && self.tell(words::nothing),
            Node::All(keywords) => keywords,
        };
        if self.frames >= FRAMES_MAX {
            self.stop = Some(Stop::TooMuch);
        }
        if !self.pay(1 + keywords.len() as u64) {
            return false;
        }
        self.frames += 1;
        let mut holds = true;
        for keyword in keywords {
            holds &= self.keyword(keyword, value);
            if self.stop.is_some() || (!holds && self.unheard > 0) {
                break;
            }
        }
        self.frames -= 1;
        holds
    }

    fn keyword(&mut self, keyword: &'c Keyword, value: &Value) -> bool {
        match (keyword, value) {
            (Keyword::Type(types), _) => {
                types.0 & words::kind(value) != 0 || self.tell(|| words::kinds(*types, value))
            }
            (Keyword::Choice(choices, cost), _) => {
                self.pay(*cost)
                    && (choices.iter().any(|choice| same(choice, value))
                        || self.tell(|| words::choices(choices)))
            }
            (Keyword::AllOf(_) | Keyword::AnyOf(_) | Keyword::OneOf(_), _)
            | (Keyword::Not(_) | Keyword::If(..), _) => self.combined(keyword, value),
            (_, Value::Number(number)) => self.number(keyword, number),
            (_, Value::String(text)) => self.text(keyword, text),
            (_, Value::Array(items)) => self.array(keyword, items),
            (_, Value::Object(members)) => self.object(keyword, members, value),
            _ => true,
        }
    }

    fn combined(&mut self, keyword: &Keyword, value: &Value) -> bool {
        match keyword {
            Keyword::AllOf(nodes) => self.each(nodes.iter().map(|node| (*node, value))),
            Keyword::AnyOf(nodes) => {
                let any = nodes.iter().any(|node| self.silently(*node, value));
                any || self.tell(words::any_of)
            }
            Keyword::OneOf(nodes) => {
                let matching = nodes.iter().filter(|node| self.silently(**node, value));
                let matching = matching.take(2).count();
                matching == 1 || self.tell(|| words::one_of(matching))
            }
            Keyword::Not(node) => !self.silently(*node, value) || self.tell(words::not),
            Keyword::If(when, then, otherwise) => {
                let branch = if self.silently(*when, value) {
                    then
                } else {
                    otherwise
                };
                branch.is_none_or(|node| self.holds(node, value))
            }
            _ => true,
        }
    }

    fn number(&mut self, keyword: &Keyword, number: &Number) -> bool {
        match keyword {
            Keyword::Bound(limit, bound) => {
                let order = compare(number, limit);
                let holds = match bound {
                    Bound::AtLeast => order != Ordering::Less,
                    Bound::AtMost => order != Ordering::Greater,
                    Bound::Above => order == Ordering::Greater,
                    Bound::Below => order == Ordering::Less,
                };
                holds || self.tell(|| words::bound(limit, *bound))
            }
            Keyword::MultipleOf(of) => {
                self.pay(16) && (is_multiple(number, of) || self.tell(|| words::multiple(of)))
            }
            _ => true,
        }
    }

    fn text(&mut self, keyword: &Keyword, text: &str) -> bool {
        match keyword {
            Keyword::Count(Counted::Characters, ..) => {
                self.pay(text.len() as u64 / 32) && {
                    let count = text.chars().count();
                    self.count(keyword, count)
                }
            }
            Keyword::Pattern(pattern) => {
                self.pay(pattern.cost(text))
                    && (pattern.is_in(text) || self.tell(|| words::pattern(&pattern.text)))
            }
            _ => true,
        }
    }

    fn array(&mut self, keyword: &Keyword, items: &[Value]) -> bool {
        match keyword {
            Keyword::Count(Counted::Items, ..) => self.count(keyword, items.len()),
            Keyword::Items(each, more) => {
                let mut holds = true;
                for (index, item) in items.iter().enumerate() {
                    let Some(node) = each.get(index).or(more.as_ref()) else {
                        break;
                    };
                    holds &= self.within(index, |check| check.holds(*node, item));
                    if self.is_decided(holds) {
                        break;
                    }
                }
                holds
            }
            Keyword::Unique => {
                let rounds = u64::from(items.len().checked_ilog2().unwrap_or(0)) + 1;
                let cost = items.iter().map(size).sum::<u64>() * (1 + rounds);
                self.pay(cost) && (are_unique(items) || self.tell(words::unique))
            }
            Keyword::Contains(node) => {
                let any = items.iter().any(|item| self.silently(*node, item));
                any || self.tell(words::contains)
            }
            _ => true,
        }
    }

    fn object(&mut self, keyword: &Keyword, members: &Map<String, Value>, value: &Value) -> bool {
        match keyword {
            Keyword::Count(Counted::Properties, ..) => self.count(keyword, members.len()),
            Keyword::Required(names) => {
                self.pay(names.len() as u64) && self.required(names, members, words::required)
            }
            Keyword::Members(rules) => self.members(rules, members),
            Keyword::Names(node) => {
                let mut holds = true;
                for (index, name) in members.keys().enumerate() {
                    let name = Value::String(name.clone());
                    let fits = self.pay(size(&name)) && self.silently(*node, &name);
                    holds &= fits || self.within(index, |check| check.tell(words::name));
                    if self.is_decided(holds) {
                        break;
                    }
                }
                holds
            }
            Keyword::Dependencies(list) => {
                let mut holds = self.pay(list.len() as u64);
                for (name, dependency) in list {
                    if !members.contains_key(name) {
                        continue;
                    }
                    holds &= match dependency {
                        Dependency::Schema(node) => self.holds(*node, value),
                        Dependency::Properties(names) => {
                            self.pay(names.len() as u64)
                                && self.required(names, members, || words::needed(name))
                        }
                    };
                    if self.is_decided(holds) {
                        break;
                    }
                }
                holds
            }
            _ => true,
        }
    }

    fn members(&mut self, rules: &Members, members: &Map<String, Value>) -> bool {
        let mut holds = true;
        for (index, (name, value)) in members.iter().enumerate() {
            let patterns = rules.matching.iter();
            let patterns = patterns.map(|(pattern, _)| pattern.cost(name)).sum::<u64>();
            if !self.pay(1 + patterns) {
                return false;
            }
            let named = rules.named.get(name).copied();
            let mut is_known = named.is_some();
            let matching = rules
                .matching
                .iter()
                .filter(|(pattern, _)| pattern.is_in(name));
            let matching: Vec<_> = matching.map(|(_, node)| *node).collect();
            is_known |= !matching.is_empty();
            let others = rules.others.filter(|_| !is_known);
            let nodes = named.into_iter().chain(matching).chain(others);
            holds &= self.within(index, |check| check.each(nodes.map(|node| (node, value))));
            if self.is_decided(holds) {
                break;
            }
        }
        holds
    }

    fn required(
        &mut self,
        names: &[String],
        members: &Map<String, Value>,
        message: impl Fn() -> String,
    ) -> bool {
        let mut holds = true;
        for name in names.iter().filter(|name| !members.contains_key(*name)) {
            holds = self.tell_of(Some(name), &message);
            if self.is_decided(holds) {
                break;
            }
        }
        holds
    }

    fn count(&mut self, keyword: &Keyword, count: usize) -> bool {
        let Keyword::Count(counted, least, limit) = keyword else {
            return true;
        };
        let holds = match least {
            Least::Least => count as u64 >= *limit,
            Least::Most => count as u64 <= *limit,
        };
        holds || self.tell(|| words::count(*counted, *least, *limit))
    }

    fn each<'v>(&mut self, pairs: impl Iterator<Item = (NodeId, &'v Value)>) -> bool {
        let mut holds = true;
        for (node, value) in pairs {
            holds &= self.holds(node, value);
            if self.is_decided(holds) {
                break;
            }
        }
        holds
    }

    /// Whether a schema holds that may fail without anything being wrong.
    fn silently(&mut self, node: NodeId, value: &Value) -> bool {
        self.unheard += 1;
        let holds = self.holds(node, value);
        self.unheard -= 1;
        holds
    }

    fn within(&mut self, index: usize, look: impl FnOnce(&mut Self) -> bool) -> bool {
        self.path.push(index);
        let holds = look(self);
        self.path.pop();
        holds
    }

    /// Whether nothing that is still to come changes the answer, or what is told of it.
    fn is_decided(&self, holds: bool) -> bool {
        self.stop.is_some() || (!holds && self.unheard > 0)
    }

    /// Pays for steps, before they are done. False: there are not so many left.
    fn pay(&mut self, steps: u64) -> bool {
        match self.steps.checked_sub(steps) {
            Some(left) => self.steps = left,
            None => self.stop = Some(Stop::TooMuch),
        }
        self.stop.is_none()
    }

    /// It does not hold here.
    fn tell(&mut self, message: impl FnOnce() -> String) -> bool {
        self.tell_of(None, message)
    }

    /// It does not hold of this member.
    fn tell_of(&mut self, member: Option<&str>, message: impl FnOnce() -> String) -> bool {
        if self.unheard == 0 && self.stop.is_none() {
            let mut path = words::path(self.payload, &self.path);
            path.extend(member.map(words::clipped));
            let message = message();
            self.broken.push(Broken { path, message });
            if self.broken.len() >= VIOLATIONS_MAX {
                self.stop = Some(Stop::EnoughTold);
            }
        }
        false
    }
}

fn are_unique(items: &[Value]) -> bool {
    let mut sorted: Vec<_> = items.iter().collect();
    sorted.sort_unstable_by(|one, other| order(one, other));
    !sorted.windows(2).any(|pair| same(pair[0], pair[1]))
}
