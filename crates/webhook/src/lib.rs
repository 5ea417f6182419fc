//! webhook: being built.
