//! What is claimed of the embedded store alone, beyond what every store keeps: its files, its one
//! writer, and what it does when the disk does not.

mod batching;
mod cancelling;
mod claiming;
mod copying;
mod destroying;
mod failing;
mod observing;
mod opening;
mod remembering;
mod support;
