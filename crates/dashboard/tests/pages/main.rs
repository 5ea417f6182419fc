//! Pages as people use them, within one process: what is shown to whom, and what forms do. What
//! browsers make of them is tested end to end.

mod applications;
mod endpoints;
mod entrance;
mod event_types;
mod guarding;
mod happenings;
mod history;
mod keys;
mod live;
mod messages;
mod operational;
mod outcomes;
mod overview;
mod permissions;
mod protection;
mod rubbish;
mod sending;
mod settings;
mod single_sign_on;
mod sources;
mod visitor;
mod watching;
mod world;
