//! vault: being built.
