//! Pages as people use them, within one process: what is shown to whom, and what forms do. What
//! browsers make of them is tested end to end.

mod entrance;
mod messages;
mod outcomes;
mod keys;
mod permissions;
mod sources;
mod visitor;
mod watching;
mod world;
