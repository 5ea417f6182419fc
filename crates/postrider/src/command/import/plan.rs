//! What has to be done so that what should be there is there: a pure function of what should be and
//! what is. Nothing is ever deleted, and what is the same is left alone, so that a plan that was
//! carried out is followed by an empty one.

use super::carry_out::Outcome;
use super::state::{Application, Endpoint, Fields, Headers, Key, State, body, changed};
use crate::client::Request;
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// All that is to be done, in the order in which it has to be.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) event_types: Vec<Step>,
    pub(super) applications: Vec<ApplicationSteps>,
    /// Event types that are archived only now, since endpoints that name them could not have been
    /// made.
    pub(super) archived: Vec<Step>,
    /// Endpoints that are only at the target, as `APP/ENDPOINT`.
    pub(super) only_there: Vec<String>,
}

/// An application, and what is in it.
pub(super) struct ApplicationSteps {
    pub(super) application: Step,
    pub(super) endpoints: Vec<Step>,
}

/// What is to be done with one object.
pub(super) struct Step {
    pub(super) kind: Kind,
    /// As it is known at the target: a name, a uid, or `APP/ENDPOINT`.
    pub(super) name: String,
    pub(super) url: Option<String>,
    pub(super) action: Action,
    /// How it is done, one after another.
    pub(super) requests: Vec<Request>,
    /// What will not be as it was, and why.
    pub(super) lacks: Vec<String>,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    EventType,
    Application,
    Endpoint,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Create,
    /// Of these fields.
    Update(Vec<&'static str>),
    Same,
    /// Not done at all, for this reason.
    Impossible(String),
}

/// What is at the target.
pub(super) struct Found {
    /// All of them, by name.
    pub(super) event_types: BTreeMap<String, Fields>,
    /// For each wanted one in turn the one that it is already.
    pub(super) applications: Vec<Option<Application>>,
}

/// What has to be done so that `found` becomes what is wanted.
pub(super) fn plan(wanted: &State, found: &Found) -> Plan {
    let mut plan = Plan::default();
    // Endpoints can be made that name these.
    let known = |name: &str| {
        let there = found.event_types.get(name);
        wanted.event_types.contains_key(name) || there.is_some_and(|fields| !is_archived(fields))
    };
    let mut named = BTreeSet::new();
    for (wanted, found) in wanted.applications.iter().zip(&found.applications) {
        let found = found.as_ref();
        let of = Endpoints {
            application: wanted.uid(),
            path: found.and_then(|found| found.id.clone()),
            known: &known,
        };
        let there = found.map_or(&[][..], |found| &found.endpoints);
        let mut met = BTreeSet::new();
        let mut endpoints = Vec::new();
        for endpoint in &wanted.endpoints {
            let place = endpoint.among(there);
            met.extend(place);
            let step = of.step(endpoint, place.map(|place| &there[place]));
            if step.names_types() {
                named.extend(endpoint.types());
            }
            endpoints.push(step);
        }
        let others = there.iter().enumerate();
        let others = others.filter(|(place, _)| !met.contains(place));
        let name = |(_, other): (_, &Endpoint)| format!("{}/{}", of.application, other.uid());
        plan.only_there.extend(others.map(name));
        plan.applications.push(ApplicationSteps {
            application: application(wanted, found),
            endpoints,
        });
    }
    for (name, fields) in &wanted.event_types {
        let there = found.event_types.get(name);
        let keep_live = named.contains(&**name);
        plan.event_types
            .push(event_type(name, fields, (there, keep_live)));
        if keep_live && is_archived(fields) {
            let body = json!({ "archived": true });
            let requests = vec![change(vec!["event-type", name], &body)];
            let step = Step::new(Kind::EventType, name.clone());
            plan.archived
                .push(step.doing(Action::Update(vec!["archived"]), requests));
        }
    }
    plan
}

impl Plan {
    /// Every step.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        let applications = self.applications.iter();
        let in_applications =
            applications.flat_map(|one| std::iter::once(&one.application).chain(&one.endpoints));
        let types = self.event_types.iter();
        types.chain(in_applications).chain(&self.archived)
    }

    /// How many steps there are in which something is asked of the target.
    pub(super) fn work(&self) -> u64 {
        let work = self.steps().filter(|step| !step.requests.is_empty());
        work.count() as u64
    }
}

impl Step {
    fn new(kind: Kind, name: String) -> Self {
        Self {
            kind,
            name,
            url: None,
            action: Action::Same,
            requests: Vec::new(),
            lacks: Vec::new(),
            outcome: Outcome::Open,
        }
    }

    fn doing(mut self, action: Action, requests: Vec<Request>) -> Self {
        self.action = action;
        self.requests = requests;
        self
    }

    /// Whether the target will look whether an endpoint's event types are there.
    fn names_types(&self) -> bool {
        match &self.action {
            Action::Create => true,
            Action::Update(fields) => fields.contains(&"eventTypes"),
            Action::Same | Action::Impossible(_) => false,
        }
    }
}

fn event_type(name: &str, wanted: &Fields, at: (Option<&Fields>, bool)) -> Step {
    let (found, keep_live) = at;
    let mut fields = wanted.clone();
    // Whatever is wanted of it later, or nothing.
    if keep_live && (is_archived(wanted) || found.is_some_and(is_archived)) {
        fields.insert("archived", json!(false));
    }
    let step = Step::new(Kind::EventType, name.to_owned());
    let Some(found) = found else {
        let mut body = body(&fields, None);
        body.insert("name".to_owned(), json!(name));
        body.entry("description").or_insert(json!(""));
        let requests = vec![Request::post(
            ["event-type"],
            Value::Object(body).to_string(),
        )];
        return step.doing(Action::Create, requests);
    };
    let changed = changed(&fields, found);
    if changed.is_empty() {
        return step;
    }
    let body = Value::Object(body(&fields, Some(&changed)));
    let requests = vec![change(vec!["event-type", name], &body)];
    step.doing(Action::Update(changed), requests)
}

fn application(wanted: &Application, found: Option<&Application>) -> Step {
    let uid = wanted.uid();
    let mut fields = wanted.fields.clone();
    fields.insert("uid", json!(uid));
    let step = Step::new(Kind::Application, uid.clone());
    let Some(found) = found else {
        let mut body = body(&fields, None);
        body.entry("name").or_insert(json!(uid));
        let requests = vec![Request::post(["app"], Value::Object(body).to_string())];
        return step.doing(Action::Create, requests);
    };
    let changed = changed(&fields, &found.fields);
    if changed.is_empty() {
        return step;
    }
    let body = Value::Object(body(&fields, Some(&changed)));
    let path = vec!["app", found.id.as_deref().unwrap_or(&uid)];
    step.doing(Action::Update(changed), vec![change(path, &body)])
}

/// The endpoints of one application.
struct Endpoints<'a> {
    /// Its uid.
    application: String,
    /// Its id, if it is there.
    path: Option<String>,
    /// Which event types there are, or will be.
    known: &'a dyn Fn(&str) -> bool,
}

impl Endpoints<'_> {
    fn step(&self, wanted: &Endpoint, found: Option<&Endpoint>) -> Step {
        let name = format!("{}/{}", self.application, wanted.uid());
        let mut step = Step::new(Kind::Endpoint, name);
        step.url = Some(wanted.shown_url());
        let mut fields = wanted.fields.clone();
        fields.insert("uid", json!(wanted.uid()));
        step.lacks = lacks(wanted, found);
        let (action, requests) = match found {
            None => (Action::Create, vec![self.create(wanted, &fields)]),
            Some(found) => self.update(&fields, wanted, found),
        };
        let mut step = step.doing(action, requests);
        let reason = match found {
            None => why_not_made(wanted),
            Some(_) => None,
        };
        let unknown = step.names_types().then(|| self.unknown(wanted)).flatten();
        if let Some(reason) = reason.or(unknown) {
            step = step.doing(Action::Impossible(reason), Vec::new());
        }
        step
    }

    fn path<'w>(&'w self, words: &[&'w str]) -> Vec<&'w str> {
        let application = self.path.as_deref().unwrap_or(&self.application);
        [&["app", application, "endpoint"], words].concat()
    }

    fn create(&self, wanted: &Endpoint, fields: &Fields) -> Request {
        let mut body = body(fields, None);
        if let Some(headers) = &wanted.headers {
            let shown = headers.shown.iter();
            let shown: Map<_, _> = shown
                .map(|(name, value)| (name.clone(), spelled(value.expose())))
                .collect();
            body.insert("headers".to_owned(), Value::Object(shown));
        }
        if let Key::Secret(secret) = &wanted.key {
            body.insert("secret".to_owned(), spelled(secret.expose()));
        }
        Request::post(self.path(&[]), Value::Object(body).to_string())
    }

    /// What is changed, and how.
    fn update(
        &self,
        fields: &Fields,
        wanted: &Endpoint,
        found: &Endpoint,
    ) -> (Action, Vec<Request>) {
        let uid = wanted.uid();
        let id = found.id.as_deref().unwrap_or(&uid);
        let mut requests = Vec::new();
        let mut all = changed(fields, &found.fields);
        if !all.is_empty() {
            let body = Value::Object(body(fields, Some(&all)));
            requests.push(change(self.path(&[id]), &body));
        }
        let headers = changed_headers(wanted.headers.as_ref(), found.headers.as_ref());
        if !headers.is_empty() {
            all.push("headers");
            let body = json!({ "headers": headers });
            requests.push(change(self.path(&[id, "headers"]), &body));
        }
        if let Key::Secret(secret) = &wanted.key
            && !wanted.key.is(&found.key)
        {
            all.push("secret");
            let body = json!({ "key": spelled(secret.expose()) });
            let path = self.path(&[id, "secret", "rotate"]);
            requests.push(Request::post(path, body.to_string()).answered_once());
        }
        match all.is_empty() {
            true => (Action::Same, Vec::new()),
            false => (Action::Update(all), requests),
        }
    }

    /// Why the target would not take an endpoint's event types.
    fn unknown(&self, wanted: &Endpoint) -> Option<String> {
        let types = wanted.types();
        let unknown: Vec<&str> = types
            .into_iter()
            .filter(|name| !(self.known)(name))
            .collect();
        (!unknown.is_empty()).then(|| {
            let names = unknown.join(", ");
            format!("it wants event types that are not there: {names}; make them at the target")
        })
    }
}

/// What the source does not show, without which an endpoint is not made: it would be another one.
fn why_not_made(wanted: &Endpoint) -> Option<String> {
    let uid = wanted.uid();
    let by_hand = format!("make it at the target yourself, with the uid {uid}");
    if let Key::Public(_) = wanted.key {
        return Some(format!(
            "it is signed with an ed25519 key of which the source shows only the public half: \
             {by_hand}"
        ));
    }
    wanted.hides_credentials().then(|| {
        format!("its URL has a user name and a password that the source does not show: {by_hand}")
    })
}

/// What an endpoint will lack even if all else is done.
fn lacks(wanted: &Endpoint, found: Option<&Endpoint>) -> Vec<String> {
    let none = Headers::default();
    let there = found.and_then(|found| found.headers.as_ref());
    let there = there.unwrap_or(&none);
    let hidden = wanted.headers.as_ref().map(|headers| &headers.hidden);
    let lacking = hidden.into_iter().flatten().filter(|name| {
        let shown = there.shown.keys();
        let is_it = |other: &String| other.eq_ignore_ascii_case(name);
        !there.hidden.contains(*name) && !shown.into_iter().any(is_it)
    });
    let mut lacks: Vec<String> = lacking
        .map(|name| format!("header {name}: the source does not show its value; set it yourself"))
        .collect();
    if let (Key::Unknown, None) = (&wanted.key, found) {
        lacks.push("its secret: none is given, so it gets a new one; tell its receiver".into());
    }
    if let (Key::Public(_), Some(found)) = (&wanted.key, found)
        && !wanted.key.is(&found.key)
    {
        lacks.push("it is signed with another key than the source's, whose is not shown".into());
    }
    lacks
}

/// Which headers get which values; without one, they go. What is hidden is left as it is.
fn changed_headers(wanted: Option<&Headers>, found: Option<&Headers>) -> Map<String, Value> {
    let mut changed = Map::new();
    let (Some(wanted), Some(found)) = (wanted, found) else {
        return changed;
    };
    for (name, value) in &wanted.shown {
        let there = found.shown.iter();
        let mut there = there.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let is_same = there.any(|(_, other)| other.expose() == value.expose());
        if !is_same && !found.hidden.contains(&name.to_ascii_lowercase()) {
            changed.insert(name.clone(), spelled(value.expose()));
        }
    }
    for name in found.shown.keys() {
        let is_it = |other: &String| other.eq_ignore_ascii_case(name);
        if !wanted.shown.keys().any(is_it) && !wanted.hidden.contains(&name.to_ascii_lowercase()) {
            changed.insert(name.clone(), Value::Null);
        }
    }
    changed
}

fn change(path: Vec<&str>, body: &Value) -> Request {
    Request::new(Method::PATCH, path)
        .body(body.to_string())
        .repeatable()
}

fn is_archived(fields: &Fields) -> bool {
    fields.get("archived") == Some(&json!(true))
}

/// What came as text.
fn spelled(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests;
