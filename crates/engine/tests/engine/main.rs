//! Claims about the running engine: with the embedded store, simulated time and a simulated
//! network.

mod challenging;
mod connecting;
mod demanding;
mod encrypting;
mod ending;
mod metered;
mod network;
mod observing;
mod others;
mod redacting;
mod sending;
mod sharing;
mod signatures;
mod telling;
mod thin;
mod tokens;
mod traced;
mod trouble;
mod withdrawing;
mod world;
