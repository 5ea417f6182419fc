//! Part of a row to be written anew: what is not named stays as it is.

/// What becomes of one field. For a field that may be empty, `T` is an `Option`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// The field's value after the patch.
    pub fn or(self, before: T) -> T {
        match self {
            Self::Keep => before,
            Self::Set(value) => value,
        }
    }

    /// The same patch of something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Set(value) => Patch::Set(turn(value)),
        }
    }

    /// The same patch of something else, if it can be turned into it.
    pub fn try_map<U, E>(self, turn: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Set(value) => Patch::Set(turn(value)?),
        })
    }

    /// What it becomes, if it becomes anything.
    pub fn as_set(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }
}
