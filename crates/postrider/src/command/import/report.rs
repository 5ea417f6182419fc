//! A plan, and what became of it, for people and for scripts. It shows names, uids, URLs without
//! their passwords and the names of fields, never what a header or a secret is.

use super::super::escaped;
use super::carry_out::Outcome;
use super::plan::{Action, Kind, Plan, Step};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is shown.
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    /// Whether it was to be carried out.
    pub(super) applied: bool,
}

/// How many of a kind.
#[derive(Default)]
struct Counts {
    created: usize,
    updated: usize,
    same: usize,
    refused: usize,
    open: usize,
}

impl Report<'_> {
    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for step in self.plan.steps().filter(|step| is_worth_a_line(step)) {
            self.line(step, &mut text);
        }
        for name in &self.plan.only_there {
            let name = escaped(name);
            let _ = writeln!(
                text,
                "only there   endpoint     {name}: the target alone has it, and keeps it"
            );
        }
        for (kind, counts) in self.counts() {
            let _ = writeln!(text, "{}", counts.text(kind, self.applied));
        }
        if !self.applied {
            text.push_str(match self.plan.work() {
                0 => "There is nothing to do.",
                _ => "Nothing was done yet: the same with --yes does it.",
            });
        }
        text.trim_end().to_owned()
    }

    /// For scripts.
    pub(super) fn json(&self) -> Value {
        let steps = self.plan.steps().filter(|step| is_worth_a_line(step));
        let counts = self.counts().into_iter().map(|(kind, counts)| {
            let counts = json!({
                "created": counts.created,
                "updated": counts.updated,
                "same": counts.same,
                "refused": counts.refused,
                "open": counts.open,
            });
            (kind.field().to_owned(), counts)
        });
        json!({
            "applied": self.applied,
            "complete": self.is_complete(),
            "counts": counts.collect::<serde_json::Map<_, _>>(),
            "steps": steps.map(|step| self.object(step)).collect::<Vec<_>>(),
            "onlyAtTarget": self.plan.only_there,
        })
    }

    /// Whether all that should be there is there, and nothing lacks.
    pub(super) fn is_complete(&self) -> bool {
        let is_there = |step: &Step| match &step.action {
            Action::Same => true,
            Action::Create | Action::Update(_) => step.outcome == Outcome::Done,
            Action::Impossible(_) => false,
        };
        let mut steps = self.plan.steps();
        steps.all(|step| is_there(step) && step.lacks.is_empty())
    }

    fn line(&self, step: &Step, text: &mut String) {
        let (verb, fields, reason) = self.told(step);
        let (kind, name) = (step.kind.shown(), escaped(&step.name));
        let _ = write!(text, "{verb:<13}{kind:<13}{name}");
        if let Some(url) = &step.url {
            let _ = write!(text, "  {}", escaped(url));
        }
        if !fields.is_empty() {
            let _ = write!(text, "  ({})", fields.join(", "));
        }
        if let Some(reason) = reason {
            // A refusal has a line for each broken rule, and is escaped already.
            let _ = write!(text, "\n    {}", reason.replace('\n', "\n    "));
        }
        for lack in &step.lacks {
            let _ = write!(text, "\n    lacks {}", escaped(lack));
        }
        text.push('\n');
    }

    fn object(&self, step: &Step) -> Value {
        let (verb, fields, reason) = self.told(step);
        json!({
            "kind": step.kind.field(),
            "name": step.name,
            "url": step.url,
            "action": verb,
            "fields": fields,
            "reason": reason,
            "lacks": step.lacks,
        })
    }

    /// What is or was done, with which fields, and why not.
    fn told<'s>(&self, step: &'s Step) -> (&'static str, &'s [&'static str], Option<String>) {
        let fields: &[&str] = match &step.action {
            Action::Update(fields) => fields,
            _ => &[],
        };
        let verb = match (&step.action, &step.outcome) {
            (Action::Impossible(reason), _) => return ("not possible", &[], Some(escaped(reason))),
            (_, Outcome::Refused(reason)) => return ("refused", fields, Some(reason.clone())),
            (Action::Same, _) => "same",
            (Action::Create, Outcome::Done) => "created",
            (Action::Update(_), Outcome::Done) => "updated",
            (_, Outcome::Open) if self.applied => "not done yet",
            (Action::Create, Outcome::Open) => "create",
            (Action::Update(_), Outcome::Open) => "update",
        };
        (verb, fields, None)
    }

    fn counts(&self) -> BTreeMap<Kind, Counts> {
        let mut counts: BTreeMap<Kind, Counts> = BTreeMap::new();
        for step in self.plan.steps() {
            let counts = counts.entry(step.kind).or_default();
            let count = match (&step.action, &step.outcome) {
                (Action::Impossible(_), _) | (_, Outcome::Refused(_)) => &mut counts.refused,
                (Action::Same, _) => &mut counts.same,
                (_, Outcome::Open) if self.applied => &mut counts.open,
                (Action::Create, _) => &mut counts.created,
                (Action::Update(_), _) => &mut counts.updated,
            };
            *count += 1;
        }
        counts
    }
}

impl Counts {
    fn text(&self, kind: Kind, applied: bool) -> String {
        let done = match applied {
            true => ["created", "updated"],
            false => ["to create", "to update"],
        };
        let parts = [
            (self.created, done[0]),
            (self.updated, done[1]),
            (self.same, "the same"),
            (self.refused, "refused or not possible"),
            (self.open, "not done yet"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        format!("{}s: {}", kind.shown(), parts.join(", "))
    }
}

impl Kind {
    fn shown(self) -> &'static str {
        match self {
            Self::EventType => "event type",
            Self::Application => "application",
            Self::Endpoint => "endpoint",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::EventType => "eventType",
            Self::Application => "application",
            Self::Endpoint => "endpoint",
        }
    }
}

fn is_worth_a_line(step: &Step) -> bool {
    step.action != Action::Same || !step.lacks.is_empty()
}
