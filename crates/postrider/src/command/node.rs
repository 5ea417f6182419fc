//! `postrider node list`: who works on the store. A shared database is asked itself, so that it is
//! told also when no node answers; the embedded store's only node is asked by its API, since nobody
//! else may open that store meanwhile.

use super::table::{Column, table};
use super::{drive, say, say_json};
use crate::cli::NodeListArgs;
use crate::client::{Client, ClientError, Credentials, Patience, Request, ServerUrl};
use crate::config::Checked;
use crate::failure::Failure;
use crate::node::tokens;
use crate::storage::postgres;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::anyhow;
use api::NodeOut;
use app::tokens::{Grant, Lifetime};
use model::{Clock as _, Secret};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// The token is for one question.
const TOKEN_LIFETIME: Duration = Duration::from_secs(60);
const COLUMNS: [Column; 8] = [
    Column::number("slot", "slot"),
    Column::of("name", "name"),
    Column::of("version", "version"),
    Column::of("roles", "roles"),
    Column::of("alive", "alive"),
    Column::of("since", "since"),
    Column::of("lease ends", "leaseEndsAt"),
    Column::number("deliveries", "deliveries"),
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
            drive(ask(&config, token))??
        }
    };
    if args.json {
        return say_json(&json!({ "data": nodes }));
    }
    let nodes = nodes.as_array().map_or(&[][..], Vec::as_slice);
    say(table(&COLUMNS, nodes))
}

/// What the server that has this configuration answers.
async fn ask(config: &Checked, token: String) -> Result<Value, Failure> {
    let server = ServerUrl::own(reachable(config.listen))?;
    let token = Credentials::new(Secret::from(token))?;
    let client = Client::new(server, &token, Patience::SHORT)?;
    let list: Result<Value, _> = client.ask(&Request::get(["node"])).await;
    match list {
        Ok(mut list) => Ok(list["data"].take()),
        Err(error @ ClientError::Unreachable { .. }) => Err(Failure::CouldNot(anyhow!(
            "{error}; start it, or give `listen` as it has it"
        ))),
        Err(error) => Err(error.into()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
