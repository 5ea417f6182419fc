//! Which options were typed on the command line, rather than set in the environment: the parser
//! gives both as one.

use super::options::Options;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The options that were typed, by their names in the file; and the file itself, as `config`.
#[derive(Clone, Default)]
pub(crate) struct Typed(Vec<&'static str>);

impl Typed {
    /// Whether none was.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this one was.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// An argument group without arguments of its own.
impl Args for Typed {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for Typed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let is_typed = |name: &&&str| {
            let source = matches.value_source(name);
            source == Some(ValueSource::CommandLine)
        };
        let names = Options::NAMES.iter().chain(&["config"]);
        Ok(Self(names.filter(is_typed).copied().collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
