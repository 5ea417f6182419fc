//! Runs a PostgreSQL of its own, with `shared` the one that tests share, or with `patroni` one with
//! a standby, until standard input ends: for a look at what tests do, or a server to try things on.
//! Says the URL.

use private_postgres::{Patroni, Server};
use std::any::Any;

fn main() {
    let kind = std::env::args().nth(1);
    let (url, _kept): (String, Box<dyn Any>) = match kind.as_deref() {
        Some("shared") => (Server::shared().url("postgres"), Box::new(())),
        Some("patroni") => {
            let patroni = Patroni::start();
            (patroni.url("postgres"), Box::new(patroni))
        }
        _ => {
            let server = Server::start();
            (server.url("postgres"), Box::new(server))
        }
    };
    println!("{url}");
    let ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    ended.expect("standard input can be read");
}
