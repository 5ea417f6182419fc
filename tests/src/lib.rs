//! What the end-to-end tests share: a real server as a child process, receivers on real sockets,
//! a plain HTTP client, and the published clients of other languages.
//!
//! Black-box: nothing here knows a room of the product. Only the story `deterministic`, which
//! runs whole rooms in one process, does.
//!
//! The map:
//! - [`server`]: [`Server`], the binary under `serve`: start, kill, terminate, start again.
//! - [`command`]: the binary's other commands, run to their end.
//! - [`api`]: [`Api`], raw calls, for what the published clients would not send.
//! - [`receiver`]: [`Receiver`], an endpoint's other side, with answers as the test wants them.
//! - [`tls`]: [`Front`], TLS in front of any of them, with an [`Authority`] of the test's own.
//! - [`mail`]: a mail server that speaks STARTTLS, and keeps the letters.
//! - [`peer`]: [`Shown`], what such a front shows, right in all or wrong in one thing.
//! - [`clients`]: scripts under `tests/clients`, run with the published npm and PyPI packages.
//! - [`browser`]: [`Visit`], pages in a real Chromium: a [`Page`] of a table, or a [`Story`].
//! - [`filling`]: a server with something of everything, for whoever looks at it.
//! - [`hostile`]: texts that a page must not take for more than text.
//! - [`senders`]: [`Sender`], a package that signs webhooks, and what it [`Signed`].
//! - [`sources`]: [`Source`], a place of the server that those arrive at.
//! - [`examples`]: [`Example`], a receiver's code of the documentation, run as it stands there.
//! - [`vectors`]: receivers' keys, to encrypt to.
//! - [`disk`]: a disk that is full, or can't sync, by the test's command.
//! - [`wait`]: bounded waits, whose failure says what did not come.
//! - [`chance`]: seeded randomness; the seed is printed.
//! - [`place`]: where the binary, the clients and the repository are.
//!
//! Everything panics with a sentence, the log of the server included, rather than return an error:
//! a test has nobody to hand one to.

pub mod api;
pub mod browser;
pub mod chance;
pub mod clients;
pub mod command;
pub mod disk;
pub mod examples;
pub mod filling;
pub mod hostile;
pub mod mail;
pub mod peer;
pub mod place;
pub mod receiver;
pub mod senders;
pub mod server;
pub mod sources;
pub mod tls;
pub mod vectors;
pub mod wait;

pub use api::{Api, Call, Reply};
pub use browser::{Page, Story, Visit};
pub use examples::Example;
pub use filling::{Filled, Filling};
pub use peer::{Asks, Shown};
pub use receiver::{Answer, Gate, Received, Receiver};
pub use senders::{Sender, Signed};
pub use server::{Options, Server};
pub use sources::Source;
pub use tls::{Authority, Back, Front};
pub use wait::{comes_to, eventually, within};
