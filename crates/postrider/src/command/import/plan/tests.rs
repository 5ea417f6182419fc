//! Plans of two states that are written down here. No server is asked: what the requests do is told
//! by what they are.

use super::super::state;
use super::*;
use model::Secret;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PUBLIC: &str = "whpk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbE=";

fn event_types(list: &[Value]) -> BTreeMap<String, Fields> {
    let read = list.iter().map(state::event_type);
    read.map(|one| one.expect("it has a name")).collect()
}

fn secret(text: &str) -> Key {
    Key::Secret(Secret::from(text.to_owned()))
}

/// An endpoint as a server shows it, with these headers and this key.
fn endpoint(object: Value, headers: Value, key: Key) -> Endpoint {
    let mut endpoint = state::endpoint(&object).expect("it has an id and a URL");
    endpoint.headers = state::headers(&headers);
    endpoint.key = key;
    endpoint
}

fn application(object: &Value, endpoints: Vec<Endpoint>) -> Application {
    let application = state::application(object).expect("it has an id");
    Application {
        endpoints,
        ..application
    }
}

/// What is at the source.
fn source() -> State {
    let first = json!({
        "id": "ep_1", "uid": "first", "url": "https://a.example.com/in", "description": "One",
        "eventTypes": ["paid"], "channels": ["b", "a"], "rateLimit": 7, "disabled": true,
        "metadata": {"k": "v"}, "version": 1,
    });
    let second = json!({ "id": "ep_2", "uid": null, "url": "https://b.example.com/in" });
    let headers = json!({"headers": {"x-a": "1"}, "sensitive": ["Authorization"]});
    let endpoints = vec![
        endpoint(first, headers, secret(SECRET)),
        endpoint(second, json!({"headers": {}}), secret(OTHER)),
    ];
    let app = json!({"id": "app_1", "name": "Acme", "throttleRate": 3, "metadata": {"a": "b"}});
    State {
        event_types: event_types(&[
            json!({"name": "paid", "description": "Paid", "archived": true,
                "schemas": {"1": {"type": "object"}}, "featureFlag": "beta", "groupName": "g"}),
            json!({"name": "old", "description": "", "archived": true}),
        ]),
        applications: vec![application(&app, endpoints)],
    }
}

/// What is there after a plan was carried out for [`source`].
fn moved() -> Found {
    let first = json!({
        "id": "ep_7", "uid": "first", "url": "https://a.example.com/in", "description": "One",
        "eventTypes": ["paid"], "channels": ["a", "b"], "rateLimit": 7, "throttleRate": 7,
        "disabled": true, "metadata": {"k": "v"}, "version": 1,
    });
    let second = json!({ "id": "ep_8", "uid": "was-ep_2", "url": "https://b.example.com/in",
        "description": "", "disabled": false, "metadata": {}, "version": 1 });
    let headers = json!({"headers": {"X-A": "1"}, "sensitive": ["authorization"]});
    let endpoints = vec![
        endpoint(second, json!({"headers": {}}), secret(OTHER)),
        endpoint(first, headers, secret(SECRET)),
    ];
    let app = json!({"id": "app_9", "uid": "was-app_1", "name": "Acme", "rateLimit": 3,
        "throttleRate": 3, "metadata": {"a": "b"}});
    Found {
        event_types: event_types(&[
            json!({"name": "paid", "description": "Paid", "archived": true, "deprecated": false,
                "schemas": {"1": {"type": "object"}}, "featureFlag": "beta",
                "featureFlags": ["beta"], "groupName": "g"}),
            json!({"name": "old", "description": "", "archived": true, "featureFlags": []}),
            json!({"name": "more", "description": ""}),
        ]),
        applications: vec![Some(application(&app, endpoints))],
    }
}

fn nothing() -> Found {
    Found {
        event_types: BTreeMap::new(),
        applications: vec![None],
    }
}

/// Method, path and body of each request, in their order.
fn requests(plan: &Plan) -> Vec<String> {
    let requests = plan.steps().flat_map(|step| &step.requests);
    requests
        .map(|request| {
            let body = String::from_utf8_lossy(&request.body);
            format!("{} {} {body}", request.method, request.path.join("/"))
        })
        .collect()
}

#[test]
fn what_is_not_there_is_made_with_all_that_the_source_shows() {
    let plan = plan(&source(), &nothing());
    let expected = [
        r#"POST event-type {"archived":true,"deprecated":false,"description":"","name":"old"}"#,
        // Live until the endpoint that names it is made.
        concat!(
            r#"POST event-type {"archived":false,"deprecated":false,"description":"Paid","#,
            r#""featureFlags":["beta"],"groupName":"g","name":"paid","#,
            r#""schemas":{"1":{"type":"object"}}}"#
        ),
        r#"POST app {"metadata":{"a":"b"},"name":"Acme","rateLimit":3,"uid":"was-app_1"}"#,
        concat!(
            r#"POST app/was-app_1/endpoint {"channels":["a","b"],"description":"One","#,
            r#""disabled":true,"eventTypes":["paid"],"headers":{"x-a":"1"},"metadata":{"k":"v"},"#,
            r#""rateLimit":7,"secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD","uid":"first","#,
            r#""url":"https://a.example.com/in","version":1}"#
        ),
        concat!(
            r#"POST app/was-app_1/endpoint {"description":"","disabled":false,"headers":{},"#,
            r#""metadata":{},"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","#,
            r#""uid":"was-ep_2","url":"https://b.example.com/in","version":1}"#
        ),
        r#"PATCH event-type/paid {"archived":true}"#,
    ];
    assert_eq!(requests(&plan), expected);
    let lacks: Vec<_> = plan.steps().flat_map(|step| &step.lacks).collect();
    assert_eq!(lacks.len(), 1, "{lacks:?}");
    assert!(lacks[0].starts_with("header authorization:"), "{lacks:?}");
}

#[test]
fn what_was_moved_is_left_alone() {
    let plan = plan(&source(), &moved());
    assert_eq!(requests(&plan), [""; 0]);
    assert_eq!(plan.work(), 0);
    for step in plan.steps() {
        assert_eq!(step.action, Action::Same, "{}", step.name);
        assert!(step.lacks.is_empty(), "{}", step.name);
    }
    assert!(plan.only_there.is_empty());
}

#[test]
fn only_what_differs_is_changed_and_nothing_is_deleted() {
    let mut found = moved();
    let app = found.applications[0].as_mut().unwrap();
    app.fields.insert("name", json!("Other"));
    let extra = json!({"id": "ep_3", "uid": "extra", "url": "https://c"});
    app.endpoints
        .push(endpoint(extra, json!({"headers": {}}), secret(SECRET)));
    let first = &mut app.endpoints[1];
    first.fields.insert("rateLimit", Value::Null);
    let headers = json!({"headers": {"x-a": "2", "x-b": "3"}, "sensitive": ["authorization"]});
    first.headers = state::headers(&headers);
    first.key = secret(OTHER);
    found.event_types.insert(
        "old".to_owned(),
        Fields::from([("archived", json!(false)), ("description", json!(""))]),
    );
    let mut wanted = source();
    let old = wanted.event_types.get_mut("old").unwrap();
    *old = Fields::from([("archived", json!(true)), ("description", json!(""))]);

    let plan = plan(&wanted, &found);
    let expected = [
        r#"PATCH event-type/old {"archived":true}"#,
        r#"PATCH app/app_9 {"name":"Acme"}"#,
        r#"PATCH app/app_9/endpoint/ep_7 {"rateLimit":7}"#,
        r#"PATCH app/app_9/endpoint/ep_7/headers {"headers":{"x-a":"1","x-b":null}}"#,
        concat!(
            r#"POST app/app_9/endpoint/ep_7/secret/rotate "#,
            r#"{"key":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}"#
        ),
    ];
    assert_eq!(requests(&plan), expected);
    assert_eq!(plan.only_there, ["was-app_1/extra"]);
    let first = &plan.applications[0].endpoints[0];
    let fields = vec!["rateLimit", "headers", "secret"];
    assert_eq!(first.action, Action::Update(fields));
}

#[test]
fn an_archived_type_is_live_while_an_endpoint_that_names_it_is_changed() {
    let mut found = moved();
    let app = found.applications[0].as_mut().unwrap();
    app.endpoints[1].fields.insert("eventTypes", Value::Null);
    let plan = plan(&source(), &found);
    let expected = [
        r#"PATCH event-type/paid {"archived":false}"#,
        r#"PATCH app/app_9/endpoint/ep_7 {"eventTypes":["paid"]}"#,
        r#"PATCH event-type/paid {"archived":true}"#,
    ];
    assert_eq!(requests(&plan), expected);
}

#[test]
fn a_type_of_which_nothing_is_said_is_live_only_where_an_endpoint_is_about_to_name_it() {
    let mut wanted = source();
    for fields in wanted.event_types.values_mut() {
        fields.clear();
    }
    assert_eq!(requests(&plan(&wanted, &moved())), [""; 0]);
    let mut found = moved();
    let app = found.applications[0].as_mut().unwrap();
    app.endpoints[1].fields.insert("eventTypes", Value::Null);
    let expected = [
        r#"PATCH event-type/paid {"archived":false}"#,
        r#"PATCH app/app_9/endpoint/ep_7 {"eventTypes":["paid"]}"#,
    ];
    assert_eq!(requests(&plan(&wanted, &found)), expected);
}

#[test]
fn an_application_that_came_without_a_uid_is_known_when_it_has_one() {
    let mut wanted = source();
    let app = &mut wanted.applications[0];
    app.fields.insert("uid", json!("acme"));
    app.endpoints[1].fields.insert("uid", json!("second"));
    assert_eq!(app.uids(), ["acme", "was-app_1"]);
    let plan = plan(&wanted, &moved());
    let expected = [
        r#"PATCH app/app_9 {"uid":"acme"}"#,
        r#"PATCH app/app_9/endpoint/ep_8 {"uid":"second"}"#,
    ];
    assert_eq!(requests(&plan), expected);
}

/// The one endpoint's step where it is wanted like this, and is there or not.
fn step(change: impl Fn(&mut Endpoint), found: &Found) -> Step {
    let mut wanted = source();
    wanted.applications[0].endpoints.truncate(1);
    change(&mut wanted.applications[0].endpoints[0]);
    let mut plan = plan(&wanted, found);
    plan.applications.remove(0).endpoints.remove(0)
}

fn impossible(step: &Step) -> &str {
    assert!(step.requests.is_empty());
    match &step.action {
        Action::Impossible(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_source_hides_is_not_made_up() {
    let public = |endpoint: &mut Endpoint| endpoint.key = Key::Public(PUBLIC.to_owned());
    let reason = step(public, &nothing());
    assert!(
        impossible(&reason).contains("public half"),
        "{reason:?}",
        reason = reason.action
    );
    let masked = |endpoint: &mut Endpoint| {
        let url = json!("https://***:***@a.example.com/in");
        endpoint.fields.insert("url", url);
    };
    let reason = step(masked, &nothing());
    assert!(impossible(&reason).contains("user name and a password"));
    let unknown = |endpoint: &mut Endpoint| {
        endpoint
            .fields
            .insert("eventTypes", json!(["gone", "paid"]));
    };
    for found in [nothing(), moved()] {
        let step = step(unknown, &found);
        assert!(impossible(&step).contains("not there: gone;"));
    }
}

#[test]
fn what_somebody_made_by_hand_is_kept_and_told_where_it_is_another() {
    let public = |endpoint: &mut Endpoint| endpoint.key = Key::Public(PUBLIC.to_owned());
    let mut found = moved();
    let other = step(public, &found);
    assert_eq!(other.action, Action::Same);
    assert!(other.lacks[0].contains("another key"), "{:?}", other.lacks);
    let app = found.applications[0].as_mut().unwrap();
    app.endpoints[1].key = Key::Public(PUBLIC.to_owned());
    assert!(step(public, &found).lacks.is_empty());
}

#[test]
fn a_url_with_a_password_is_the_same_where_it_is_shown_masked_and_is_never_shown() {
    let with_password = |endpoint: &mut Endpoint| {
        let url = json!("https://user:sesame@a.example.com/in");
        endpoint.fields.insert("url", url);
    };
    let mut found = moved();
    let app = found.applications[0].as_mut().unwrap();
    let masked = json!("https://***:***@a.example.com/in");
    app.endpoints[1].fields.insert("url", masked.clone());
    let same = step(with_password, &found);
    assert_eq!(same.action, Action::Same);
    assert_eq!(same.url.map(Value::from), Some(masked));
    let made = step(with_password, &nothing());
    assert_eq!(made.action, Action::Create);
    let body = String::from_utf8_lossy(&made.requests[0].body).into_owned();
    assert!(body.contains("user:sesame@"), "{body}");
}

#[test]
fn a_key_is_the_same_in_every_spelling() {
    let bare = SECRET.trim_start_matches("whsec_");
    for (one, other, same) in [
        (secret(SECRET), secret(bare), true),
        (secret("whsec_YWI="), secret("YWI"), true),
        (secret(SECRET), secret(OTHER), false),
        (secret(SECRET), Key::Unknown, true),
        (Key::Unknown, Key::Public(PUBLIC.into()), true),
        (secret(SECRET), Key::Public(PUBLIC.into()), false),
        (Key::Public(PUBLIC.into()), Key::Public(PUBLIC.into()), true),
    ] {
        assert_eq!(one.is(&other), same);
        assert_eq!(other.is(&one), same);
    }
}
