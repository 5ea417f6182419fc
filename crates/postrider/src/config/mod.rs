//! The configuration: options from flag, environment and file, in that order of precedence, then
//! defaults; checked once, at the door, into [`Checked`], from which every room gets its own small
//! part.

mod checked;
mod file;
mod options;
mod print;

pub(crate) use checked::{Checked, ConfigError, LogFormat};
pub(crate) use options::Options;
pub(crate) use print::print;

use clap::Args;
use std::path::PathBuf;

/// The options with the file that more of them come from: what every command that needs the
/// configuration takes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConfigArgs {
    /// Configuration file (TOML); every option is a key in it, with _ for -
    #[arg(long, env = "POSTRIDER_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) options: Options,
}

impl ConfigArgs {
    /// Reads the file, puts the layers on each other, and checks the result.
    pub(crate) fn load(self) -> Result<Checked, ConfigError> {
        let (file, secrets) = match &self.config {
            Some(path) => file::read(path)?,
            None => (Options::default(), file::SecretTexts::default()),
        };
        let mut checked = Checked::new(self.options.or(file), secrets.or_environment())?;
        checked.unknown_variables = file::unknown_variables();
        Ok(checked)
    }
}
