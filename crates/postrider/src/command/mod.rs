//! One file for each command. `demo` has a folder of its own.

pub(crate) mod backup;
pub(crate) mod check_url;
pub(crate) mod config;
pub(crate) mod keys;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod token;
