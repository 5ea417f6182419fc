//! The transport against real sockets on this machine. Receivers are scripted byte by byte, so that
//! they can misbehave as no HTTP server would.

mod fetching;
mod http2;
mod identities;
mod observed;
mod peek;
mod peer;
mod pins;
mod plain;
mod profiles;
mod proxy;
mod receiver;
mod tls;
