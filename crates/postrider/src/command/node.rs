//! `postrider node list`: who works on the store. A shared database is asked itself, so that it is
//! told also when no node answers; the embedded store's only node is asked by its API, since nobody
//! else may open that store meanwhile.

use super::{drive, escaped, say};
use crate::cli::NodeListArgs;
use crate::config::Checked;
use crate::failure::Failure;
use crate::node::tokens;
use crate::storage::postgres;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::{Context as _, bail};
use api::NodeOut;
use app::tokens::{Grant, Lifetime};
use comfy_table::{CellAlignment, Table, presets};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use model::Clock as _;
use model::address::{AddressPolicy, AllowRule};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use transport::{Guard, HttpsTransport, Limits, Outgoing, SystemResolver, Target, Transport as _};

/// The token is for one question.
const TOKEN_LIFETIME: Duration = Duration::from_secs(60);
/// What the header of a table says, and where that is in the API's words.
const COLUMNS: [(&str, &str); 8] = [
    ("slot", "slot"),
    ("name", "name"),
    ("version", "version"),
    ("roles", "roles"),
    ("alive", "alive"),
    ("since", "since"),
    ("lease ends", "leaseEndsAt"),
    ("deliveries", "deliveries"),
];

/// Prints a table, or a JSON object with the list as the API gives it.
pub(crate) fn list(args: NodeListArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let nodes = match &config.database {
        Some(database) => {
            let found = drive(store_postgres::nodes(&postgres(database)))?;
            let found = found.map_err(Failure::could_not)?;
            json!(found.into_iter().map(NodeOut::from).collect::<Vec<_>>())
        }
        None => {
            let tokens = tokens(&config)?;
            let (lifetime, now) = (Lifetime::For(TOKEN_LIFETIME), SystemClock::new().now());
            let token = tokens.mint(&Grant::Organisation, lifetime, now, &SystemEntropy);
            drive(ask(&config, &token))?.map_err(Failure::CouldNot)?
        }
    };
    if args.json {
        return say(json!({ "data": nodes }));
    }
    say(table(nodes.as_array().map_or(&[], Vec::as_slice)))
}

/// What the server that has this configuration answers.
async fn ask(config: &Checked, token: &str) -> anyhow::Result<Value> {
    let address = reachable(config.listen);
    let mut policy = AddressPolicy::development();
    policy.allow.push(address.to_string().parse::<AllowRule>()?);
    let url = format!("http://{address}/api/v1/node");
    let target = Arc::new(Target::new(policy.check_url(&url)?)?);
    let guard = Guard::new(policy, Arc::new(SystemResolver::from_system()?));
    let transport = HttpsTransport::new(Arc::new(guard), transport::Options::default())?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
    let mut request = Outgoing::post(target, headers, Vec::new().into(), Limits::default());
    request.method = Method::GET;
    let answer = transport.send(request).await.with_context(|| {
        format!("no server answers at {address}: start it, or give `listen` as it has it")
    })?;
    if answer.status != 200 {
        let body = String::from_utf8_lossy(&answer.body);
        bail!("{url} answered {} {}", answer.status, escaped(&body));
    }
    let mut list: Value = serde_json::from_slice(&answer.body)
        .with_context(|| format!("{url} did not answer as Postrider does"))?;
    Ok(list["data"].take())
}

/// Whoever listens everywhere is found here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn table(nodes: &[Value]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(COLUMNS.map(|(title, _)| title));
    for node in nodes {
        table.add_row(COLUMNS.map(|(_, name)| cell(&node[name])));
    }
    for column in [0, COLUMNS.len() - 1] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => escaped(text),
        Value::Array(words) => words.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shows_each_node_and_nothing_that_steers_a_terminal() {
        let node = json!({
            "slot": 3, "name": "a\u{1b}[2Jb", "version": "1.2.3", "roles": ["api", "deliver"],
            "alive": false, "since": "2026-01-02T03:04:05Z", "leaseEndsAt": null, "deliveries": 17,
        });
        let text = table(&[node]).to_string();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        for shown in [
            "3",
            "a\\u{1b}[2Jb",
            "1.2.3",
            "api, deliver",
            "no",
            "–",
            "17",
        ] {
            assert!(text.contains(shown), "no {shown} in {text}");
        }
    }

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        let cases = [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:2", "[::1]:2"),
            ("10.0.0.5:3", "10.0.0.5:3"),
        ];
        for (listen, asked) in cases {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
