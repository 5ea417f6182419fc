//! store-sqlite: being built.
