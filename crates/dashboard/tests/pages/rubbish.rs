//! Whatever stands in an address or in a form: it is shown, led on or refused, and breaks nothing.

use crate::visitor::{Page, Visitor};
use crate::world::World;
use dashboard::Declared;
use http::Method;
use model::role::Role;

/// What addresses ask for, which no page's form writes.
const QUERIES: [&str; 8] = [
    "before=-009999-01-01T00:00:00Z&after=9999-12-30T22:00:00Z",
    "after=-009999-01-02T02:00:00Z&before=0001-01-01T00:00",
    "iterator=%00&app=%FF&endpoint=..%2F..&type=%E2%80%AE",
    "iterator=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&find=%00&id=%F0%9F%92%A9",
    "iterator=-1&class=99999999999999999999&status=%27%3B&state=--",
    "kind=%3Cx%3E&severity=9&subject=%3A%3A&action=%00&actor=%00&archived=%00",
    "id=msg_000000000000000000000000000&app=app_000000000000000000000000000&done=%00",
    "&&==%&;#%zz",
];
/// What stands in the place of names.
const NAMES: [&str; 5] = ["%00", "%FF", "..%2F..", "%E2%80%AE%F0%9F%92%A9", "-"];
/// What is typed into every field.
const TYPED: [&str; 7] = [
    "\0",
    "-1",
    "99999999999999999999999999",
    "\u{202e}\u{1f4a9}, \r\n:,\n{",
    "-009999-01-01T00:00:00Z",
    "[{\"path\":\"/a\",\"action\":\"mask\",\"keepLast\":18446744073709551615}]",
    "{\"a\":{\"b\":[1e999,null]},\"keys\":[{}]}",
];
/// The fields of all forms.
const FIELDS: [&str; 40] = [
    "url",
    "description",
    "eventTypes",
    "moreEventTypes",
    "channels",
    "rateLimit",
    "uid",
    "name",
    "since",
    "until",
    "index",
    "eventType",
    "expiry",
    "jti",
    "config",
    "secret",
    "type",
    "payload",
    "rules",
    "pins",
    "scopes",
    "may",
    "channel",
    "was",
    "dedupSeconds",
    "digestSeconds",
    "atOnce",
    "kinds",
    "to",
    "minSeverity",
    "require",
    "schemas",
    "featureFlags",
    "groupName",
    "identity",
    "cert",
    "jwk",
    "jwksUrl",
    "headers",
    "components",
];
/// Fields that decide what the others are for, with what they may be.
const CHOSEN: [&[(&str, &str)]; 3] = [
    &[
        ("kind", "basic"),
        ("scheme", "generic"),
        ("mode", "enforce"),
    ],
    &[
        ("kind", "httpSignature"),
        ("algorithm", "hmac-sha256"),
        ("mode", "thin"),
    ],
    &[
        ("kind", "apiKey"),
        ("in", "query"),
        ("status", "fail"),
        ("scheme", "slack"),
    ],
];

/// An address with all that is open filled in: with what is there, and with what can't be.
fn addresses(one: &Declared, message: &str) -> Vec<String> {
    let fill = |other: Option<&str>, form: &str| {
        let parts = one.path.split('/').map(|part| match (part, other) {
            ("{app}", None) => "acme",
            ("{endpoint}", None) => "hook",
            ("{message}", None) => message,
            ("{part}", _) => form,
            (part, _) if part.starts_with('{') => other.unwrap_or("none"),
            (part, _) => part,
        });
        parts.collect::<Vec<_>>().join("/")
    };
    let forms = [
        "auth",
        "pins",
        "redaction",
        "headers",
        "signature",
        "encryption",
        "mtls",
    ];
    let forms = forms.into_iter().map(|form| fill(None, form));
    let others = NAMES.into_iter().map(|name| fill(Some(name), "auth"));
    let mut all: Vec<_> = forms.chain(others).collect();
    all.sort();
    all.dedup();
    all
}

#[track_caller]
fn is_whole(page: &Page, asked: &str) {
    assert!(
        page.status < 500,
        "{asked}: {} {}",
        page.status,
        page.text()
    );
}

/// Everybody who may do everything, with where.
async fn everybody(world: &World) -> [(Visitor<'_>, bool); 2] {
    [
        (world.signed_in(Role::Admin).await, false),
        (world.in_portal("acme", None).await, true),
    ]
}

fn declared(of_portal: bool, method: Method) -> impl Iterator<Item = Declared> {
    let all = dashboard::declared().into_iter();
    all.filter(move |one| {
        let own = one.path.starts_with(dashboard::PORTAL) == of_portal;
        own && one.method == method && !one.path.ends_with("/sign-out")
    })
}

#[tokio::test]
async fn whatever_stands_in_an_address_is_answered() {
    let world = World::new();
    world.application("acme").await;
    world.endpoint("acme", "hook").await;
    let message = world.message("acme", "{}").await;
    for (visitor, of_portal) in everybody(&world).await {
        for one in declared(of_portal, Method::GET) {
            for address in addresses(&one, &message) {
                is_whole(&visitor.get(&address).await, &address);
            }
            for query in QUERIES {
                let address = format!("{}?{query}", addresses(&one, &message)[0]);
                let address = address.replace('#', "%23");
                is_whole(&visitor.get(&address).await, &address);
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_typed_into_a_form_is_answered() {
    let world = World::new();
    world.application("acme").await;
    world.endpoint("acme", "hook").await;
    let message = world.message("acme", "{}").await;
    for (visitor, of_portal) in everybody(&world).await {
        for one in declared(of_portal, Method::POST) {
            // What takes no fields does what it says, and others need what it would take away.
            if one.path.ends_with("/delete") || one.need.is_none() {
                continue;
            }
            for address in addresses(&one, &message) {
                for (typed, chosen) in TYPED.into_iter().zip(CHOSEN.into_iter().cycle()) {
                    let mut fields: Vec<_> = FIELDS.iter().map(|name| (*name, typed)).collect();
                    fields.extend(chosen);
                    let page = visitor.post(&address, &fields).await;
                    is_whole(&page, &format!("{address} with {typed:?}"));
                }
            }
        }
    }
}
