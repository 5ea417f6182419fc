//! The pages of a real server in a real browser: both sizes, light and dark, with scripts and
//! without, and with hostile texts wherever somebody outside can leave one.
//!
//! - [`good`]: the table of pages. A new page is a row there.
//! - [`faults`]: what is wrong with a page is found.

mod faults;
mod good;
