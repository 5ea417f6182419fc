//! A payload with less in it: one walk over its tokens finds what is to be taken out or replaced,
//! and everything else is copied byte for byte.
//!
//! A value that a rule takes is taken as a whole: no rule is looked at within it. Where several
//! apply to one value, the one that shows least wins: drop, then hash, then mask.

use super::path::{Child, Path};
use super::{Action, Orders};
use crate::json::{self, Kind, NotJson, Token, Tokens};
use std::ops::Range;

/// What a value looks like of which not even the length is shown.
const HIDDEN: &str = "\"****\"";

/// A payload without what the orders take from it; `None`: nothing is to be taken. Members of one
/// name that come several times are taken each time. Indexes are those of the payload given.
///
/// # Errors
/// The payload is not JSON, or nests too deep: it can't be said what of it may be seen.
pub fn redact(
    payload: &[u8],
    orders: &Orders<'_>,
    digest: &dyn Fn(&[u8]) -> [u8; 32],
) -> Result<Option<Vec<u8>>, NotJson> {
    if orders.are_none() {
        return Ok(None);
    }
    let text = str::from_utf8(payload).map_err(|error| NotJson(error.valid_up_to()))?;
    let mut walk = Walk::new(text, orders, digest);
    for token in Tokens::of(payload) {
        walk.take(&token?);
    }
    Ok(edited(text, &walk.edits))
}

fn edited(text: &str, edits: &[Edit]) -> Option<Vec<u8>> {
    if edits.is_empty() {
        return None;
    }
    let mut written = Vec::with_capacity(text.len());
    let mut copied = 0;
    for (range, replacement) in edits {
        written.extend_from_slice(&text.as_bytes()[copied..range.start]);
        written.extend_from_slice(replacement.as_bytes());
        copied = range.end;
    }
    written.extend_from_slice(&text.as_bytes()[copied..]);
    Some(written)
}

/// What stands in place of what. They come in the order of the text, and never overlap.
type Edit = (Range<usize>, String);

/// A path that has led some steps of its way: a bit for each number of steps.
#[derive(Clone, Copy)]
struct Lead {
    way: usize,
    steps: u64,
}

/// A path, and what is done where it leads.
struct Way<'w> {
    path: &'w Path,
    does: Does,
}

#[derive(Clone, Copy)]
enum Does {
    Act(Action),
    Marks,
    Allows,
}

/// An object or array that the walk is in.
struct Frame {
    /// Where its leads begin; they end where the next frame's begin.
    leads: usize,
    allowed: bool,
    items: usize,
    /// Where the child before ended: behind the opening bracket, if there is none.
    ended: usize,
    /// Whether a child stays.
    kept: bool,
    /// Where children begin that are to be taken out up to the next that stays.
    dropping: Option<usize>,
}

/// A value that is taken as a whole, while the walk is in it.
struct Taken {
    action: Action,
    start: usize,
    depth: usize,
}

struct Walk<'w> {
    text: &'w str,
    digest: &'w dyn Fn(&[u8]) -> [u8; 32],
    ways: Vec<Way<'w>>,
    leads: Vec<Lead>,
    frames: Vec<Frame>,
    /// The name whose value comes next.
    name: Option<Range<usize>>,
    taken: Option<Taken>,
    edits: Vec<Edit>,
}

/// What becomes of a child.
struct Fate {
    action: Option<Action>,
    allowed: bool,
}

impl<'w> Walk<'w> {
    fn new(text: &'w str, orders: &Orders<'w>, digest: &'w dyn Fn(&[u8]) -> [u8; 32]) -> Self {
        let rules = orders.rules.iter().flat_map(|rules| rules.iter());
        let mut ways: Vec<Way<'_>> = rules
            .map(|rule| Way {
                path: &rule.path,
                does: Does::Act(rule.action),
            })
            .collect();
        let way = |does| move |path| Way { path, does };
        ways.extend(orders.marked.iter().map(way(Does::Marks)));
        if !orders.marked.is_empty() {
            ways.extend(orders.allowed.iter().map(way(Does::Allows)));
        }
        let leads = (0..ways.len()).map(|way| Lead { way, steps: 1 });
        Self {
            text,
            digest,
            leads: leads.collect(),
            ways,
            frames: Vec::new(),
            name: None,
            taken: None,
            edits: Vec::new(),
        }
    }

    fn take(&mut self, token: &Token) {
        if let Some(taken) = &mut self.taken {
            match token.kind {
                Kind::Object | Kind::Array => taken.depth += 1,
                Kind::End if taken.depth > 1 => taken.depth -= 1,
                Kind::End => {
                    let (action, start) = (taken.action, taken.start);
                    self.taken = None;
                    self.replace(action, start..token.at.end, Kind::Object);
                }
                _ => {}
            }
            return;
        }
        match token.kind {
            Kind::Name => self.name = Some(token.at.clone()),
            Kind::End => self.close(token),
            _ => self.value(token),
        }
    }

    fn value(&mut self, token: &Token) {
        let is_open = matches!(token.kind, Kind::Object | Kind::Array);
        if self.frames.is_empty() {
            if is_open {
                self.open(token, (0, false));
            }
            return;
        }
        let leads = self.leads.len();
        let fate = self.fate();
        let Some(action) = fate.action else {
            self.keep(token);
            match is_open {
                true => self.open(token, (leads, fate.allowed)),
                false => {
                    self.leads.truncate(leads);
                    self.end_child(token.at.end);
                }
            }
            return;
        };
        self.leads.truncate(leads);
        if !matches!(action, Action::Drop) {
            self.keep(token);
        }
        match is_open {
            true => {
                self.taken = Some(Taken {
                    action,
                    start: token.at.start,
                    depth: 1,
                });
            }
            false => self.replace(action, token.at.clone(), token.kind),
        }
    }

    /// What becomes of the child that comes now. The leads into it stand behind all others then.
    fn fate(&mut self) -> Fate {
        let (text, frame) = (self.text, self.frames.last_mut().expect("it is a child"));
        let name = self.name.clone().map(|at| json::decoded(&text[at]));
        let child = match &name {
            Some(name) => Child::Member(name),
            None => Child::Item(frame.items),
        };
        frame.items += 1;
        let mut fate = Fate {
            action: None,
            allowed: frame.allowed,
        };
        let mut marked = false;
        for index in frame.leads..self.leads.len() {
            let lead = self.leads[index];
            let way = &self.ways[lead.way];
            let (steps, arrives) = led_on(way.path, lead.steps, child);
            if steps != 0 {
                let way = lead.way;
                self.leads.push(Lead { way, steps });
            }
            match way.does {
                Does::Act(action) if arrives => {
                    fate.action = Some(fate.action.map_or(action, |other| other.stricter(action)));
                }
                Does::Marks => marked |= arrives,
                Does::Allows => fate.allowed |= arrives,
                Does::Act(_) => {}
            }
        }
        if marked && !fate.allowed {
            fate.action = Some(Action::Drop);
        }
        fate
    }

    fn open(&mut self, token: &Token, (leads, allowed): (usize, bool)) {
        self.name = None;
        self.frames.push(Frame {
            leads,
            allowed,
            items: 0,
            ended: token.at.end,
            kept: false,
            dropping: None,
        });
    }

    fn close(&mut self, token: &Token) {
        let frame = self.frames.pop().expect("every end has a beginning");
        self.leads.truncate(frame.leads);
        if let Some(start) = frame.dropping {
            self.edits.push((start..frame.ended, String::new()));
        }
        self.end_child(token.at.end);
    }

    /// The child that comes now stays, in whatever form.
    fn keep(&mut self, token: &Token) {
        let start = self.child_start(token.at.start);
        if let Some(frame) = self.frames.last_mut() {
            frame.kept = true;
            if let Some(dropping) = frame.dropping.take() {
                self.edits.push((dropping..start, String::new()));
            }
        }
    }

    /// Behind children that stay, one goes with the comma before it; before them, with the one
    /// behind it.
    fn replace(&mut self, action: Action, value: Range<usize>, kind: Kind) {
        let end = value.end;
        if matches!(action, Action::Drop) {
            let start = self.child_start(value.start);
            if let Some(frame) = self.frames.last_mut() {
                match frame.kept {
                    true => self.edits.push((frame.ended..end, String::new())),
                    false => frame.dropping = frame.dropping.or(Some(start)),
                }
            }
        } else {
            let shown = self.shown(action, &self.text[value.clone()], kind);
            self.edits.push((value, shown));
        }
        self.end_child(end);
    }

    fn child_start(&self, value_start: usize) -> usize {
        self.name.as_ref().map_or(value_start, |name| name.start)
    }

    fn end_child(&mut self, end: usize) {
        self.name = None;
        if let Some(frame) = self.frames.last_mut() {
            frame.ended = end;
        }
    }

    fn shown(&self, action: Action, value: &str, kind: Kind) -> String {
        match (action, kind) {
            (Action::Hash, Kind::String) => self.hashed(json::decoded(value).as_bytes()),
            (Action::Hash, _) => self.hashed(&without_space(value)),
            (Action::Mask { keep_last }, Kind::String) => masked(&json::decoded(value), keep_last),
            (Action::Mask { keep_last }, Kind::Number) => masked(value, keep_last),
            _ => HIDDEN.to_owned(),
        }
    }

    fn hashed(&self, value: &[u8]) -> String {
        let digest = (self.digest)(value);
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("\"hash:{digits}\"")
    }
}

/// The ways on from a value to a child of it, and whether the path leads to it.
fn led_on(path: &Path, steps: u64, child: Child<'_>) -> (u64, bool) {
    let mut on = 0_u64;
    let mut left = steps;
    while left != 0 {
        let done = left.trailing_zeros();
        left &= left - 1;
        let step = &path.steps[done as usize];
        if step.descends {
            on |= 1 << done;
        }
        if step.leads_to(child) {
            on |= 1 << (done + 1);
        }
    }
    let end = 1_u64 << path.steps.len();
    (on & !end, on & end != 0)
}

/// A short text keeps nothing: else it would be there as a whole.
fn masked(text: &str, keep_last: usize) -> String {
    let length = text.chars().count();
    let kept = if length > keep_last { keep_last } else { 0 };
    let shown = text.chars().enumerate().map(|(at, character)| {
        let is_kept = at >= length - kept;
        if is_kept { character } else { '*' }
    });
    json::quoted(&shown.collect::<String>())
}

/// A JSON text without the white space between its tokens, so that it matters to no hash.
fn without_space(value: &str) -> Vec<u8> {
    let mut in_string = false;
    let mut escaped = false;
    let mut told = |byte: &u8| {
        let was_in = in_string;
        match byte {
            b'"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = was_in && *byte == b'\\' && !escaped;
        was_in || !byte.is_ascii_whitespace()
    };
    value.bytes().filter(|byte| told(byte)).collect()
}
