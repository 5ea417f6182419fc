//! The first page and the settings, in one process with an installation on the embedded store: what
//! they show, what their forms do, and what they keep from whom.

mod overview;
mod settings;
mod visitor;
mod world;
