//! transport: being built.
