//! The API in one process with a real store: what its contract says, as claims.

mod applications;
mod attempts;
mod authentication;
mod batch;
mod call;
mod door;
mod endpoints;
mod event_types;
mod headers;
mod heap;
mod keys;
mod lists;
mod messages;
mod nodes;
mod operations;
mod outcomes;
mod permissions;
mod rubbish;
mod secrets;
mod sinks;
mod slow_disk;
mod stage;
mod standings;
mod timing;
mod world;
