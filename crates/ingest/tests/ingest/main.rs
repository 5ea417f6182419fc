//! The receiving gateway with the embedded store behind it: what is taken, what is refused and how,
//! and what comes twice.

mod checks;
mod crashes;
mod events;
mod handshakes;
mod kept;
mod lately;
mod limits;
mod replays;
mod rotation;
mod sender;
mod vectors;
mod world;
