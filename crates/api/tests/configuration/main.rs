//! The API of what is configured, and what holds for every request, driven in process: a router
//! over real use cases and a real embedded store.

mod applications;
mod authentication;
mod door;
mod endpoints;
mod event_types;
mod headers;
mod secrets;
mod world;
