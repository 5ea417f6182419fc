//! Where a value belongs. The place is not stored in a sealed value but said by whoever opens it,
//! and authenticated: a value that was moved does not open.

/// A place in the store, within one application or, for values that the master key seals, within
/// the installation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// The table's name.
    pub table: &'static str,
    /// The row's name: the random tail of its public id, or what else tells it from all others.
    pub row: &'a [u8],
    /// The column's name.
    pub column: &'static str,
}

impl<'a> Place<'a> {
    /// The place's parts, after those that say who seals what.
    pub(crate) fn within(self, owner: &'a [u8], purpose: &'a str) -> [&'a [u8]; 5] {
        [
            purpose.as_bytes(),
            owner,
            self.table.as_bytes(),
            self.row,
            self.column.as_bytes(),
        ]
    }
}
