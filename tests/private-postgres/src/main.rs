//! Runs a PostgreSQL of its own, or with `shared` the one that tests share, until standard input
//! ends: for a look at what tests do, or a server to try things on. Says the URL.

use private_postgres::Server;

fn main() {
    let shared = std::env::args().any(|argument| argument == "shared");
    let own = (!shared).then(Server::start);
    let server = own.as_ref().unwrap_or_else(|| Server::shared());
    println!("{}", server.url("postgres"));
    let ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    ended.expect("standard input can be read");
}
