//! Pages as people use them, within one process: what is shown to whom, and what forms do. What
//! browsers make of them is tested end to end.

mod applications;
mod endpoints;
mod entrance;
mod event_types;
mod keys;
mod messages;
mod outcomes;
mod permissions;
mod protection;
mod sending;
mod sources;
mod visitor;
mod watching;
mod world;
