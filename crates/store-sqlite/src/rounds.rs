//! Where the rounds of housekeeping stand: positions in memory that only say where to look next. A
//! restart begins the rounds anew and loses nothing.

use crate::remembered::Spill;
use store::chains::WrittenChains;

/// The positions.
#[derive(Default)]
pub(crate) struct Rounds {
    /// The task that had its turn last, whatever came of it: the others come first.
    pub(crate) task: i64,
    /// Statistics of endpoints up to this one were looked at.
    pub(crate) swept_rollup: i64,
    /// A data key was destroyed or sealed anew, and the log may still hold what it was: the start
    /// of a store empties that.
    pub(crate) destroyed: bool,
    /// Keys on their way out of memory, of one run at a time.
    pub(crate) spill: Option<Spill>,
    /// What need not be written again.
    pub(crate) chains: WrittenChains,
}
