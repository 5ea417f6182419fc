//! An error as people read it in a log or an answer: what it says, then what caused it, and so on.

use std::error::Error;
use std::fmt;

/// An error with its causes in one line, the outermost first.
pub struct Chain<'e>(pub &'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{says}")]
    struct Layer {
        says: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layer(says: &'static str, source: Option<Layer>) -> Layer {
        let source = source.map(Box::new);
        Layer { says, source }
    }

    #[test]
    fn causes_follow_what_they_caused() {
        let alone = layer("no connection", None);
        assert_eq!(Chain(&alone).to_string(), "no connection");
        let three = layer(
            "not sent",
            Some(layer("no connection", Some(layer("refused", None)))),
        );
        assert_eq!(
            Chain(&three).to_string(),
            "not sent: no connection: refused"
        );
    }
}
