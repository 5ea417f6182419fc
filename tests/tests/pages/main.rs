//! The pages of a real server in a real browser: both sizes, light and dark, with scripts and
//! without, and with hostile texts wherever somebody outside can leave one.
//!
//! - [`table`]: each page, and whether each page there is stands in it. A new page is a row there.
//! - [`good`]: each of them is good.
//! - [`stories`]: what people do in them.
//! - [`faults`]: what is wrong with a page is found.
//! - [`place`]: the servers that all this is done with.

mod faults;
mod good;
mod place;
mod stories;
mod table;
