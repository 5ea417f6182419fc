//! What a command is given to read: files, `-` for standard input, and values that are written out,
//! in a file (`@FILE`) or on standard input. Bounded, and what is wrong with a secret is said
//! without it.

use super::escaped;
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use model::Secret;
use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The most that is read of anything.
const BYTES_MAX: u64 = 64 << 20;
/// The most that is read of a secret.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Whether standard input was read: it can be one thing only.
static WAS_READ: AtomicBool = AtomicBool::new(false);

/// Where something is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Here it is.
    Text(String),
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Standard,
}

impl Input {
    /// A file, or `-`.
    pub(crate) fn file(path: &Path) -> Self {
        if path == Path::new("-") {
            Self::Standard
        } else {
            Self::File(path.to_owned())
        }
    }

    /// `@FILE`, `-`, or the text itself.
    pub(crate) fn value(text: &str) -> Self {
        match (text, text.strip_prefix('@')) {
            ("-", _) => Self::Standard,
            (_, Some(path)) => Self::File(path.into()),
            (text, None) => Self::Text(text.to_owned()),
        }
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Failure> {
        self.at_most(BYTES_MAX)
    }

    /// All of it, which is text.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        String::from_utf8(self.bytes()?)
            .map_err(|_| Failure::Misuse(anyhow!("{} is not UTF-8", self.name())))
    }

    /// A secret, without the space and line breaks around it.
    pub(crate) fn secret(&self) -> Result<Secret, Failure> {
        let bytes = Secret::new(self.at_most(SECRET_BYTES_MAX)?);
        Ok(Secret::new(bytes.expose().trim_ascii().to_vec()))
    }

    fn at_most(&self, limit: u64) -> Result<Vec<u8>, Failure> {
        if *self == Self::Standard && WAS_READ.swap(true, Ordering::Relaxed) {
            return Err(Failure::Misuse(anyhow!(
                "only one thing can be on standard input, `-`: give the other in a file"
            )));
        }
        let read = match self {
            Self::Text(text) => return Ok(text.clone().into_bytes()),
            Self::File(path) => File::open(path).and_then(|file| read(file, limit)),
            Self::Standard => read(stdin().lock(), limit),
        };
        let read = read.with_context(|| format!("{} can't be read", self.name()));
        let bytes = read.map_err(Failure::CouldNot)?;
        if bytes.len() as u64 > limit {
            let name = self.name();
            return Err(Failure::Misuse(anyhow!(
                "{name} is longer than {limit} bytes"
            )));
        }
        Ok(bytes)
    }

    fn name(&self) -> String {
        match self {
            Self::Text(_) => "what was typed".to_owned(),
            Self::File(path) => escaped(&path.display().to_string()),
            Self::Standard => "standard input".to_owned(),
        }
    }
}

/// One byte more than the limit, where there is more.
fn read(from: impl Read, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_out_or_in_a_file_or_on_standard_input() {
        for (text, expected) in [
            ("{}", Input::Text("{}".into())),
            ("-", Input::Standard),
            ("@a.json", Input::File("a.json".into())),
            ("@-", Input::File("-".into())),
        ] {
            assert_eq!(Input::value(text), expected);
        }
        assert_eq!(Input::file(Path::new("-")), Input::Standard);
        assert_eq!(Input::file(Path::new("@a")), Input::File("@a".into()));
    }

    #[test]
    fn what_is_too_long_is_refused_and_what_is_missing_could_not_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, " sesame \n").unwrap();
        let input = Input::file(&path);
        assert_eq!(input.secret().unwrap().expose(), b"sesame");
        assert!(matches!(input.at_most(8), Err(Failure::Misuse(_))));
        assert_eq!(input.at_most(9).unwrap().len(), 9);
        let missing = Input::file(&directory.path().join("a\u{1b}b"));
        let Err(Failure::CouldNot(error)) = missing.text() else {
            panic!("it was read");
        };
        assert!(!format!("{error:#}").contains('\u{1b}'), "{error:#}");
    }
}
