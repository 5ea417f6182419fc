//! The commands that ask a server: built from the table of what the API has, `resources`.

use super::ServerArgs;
use crate::resources::{Kind, NOUNS, Noun, Operation, Parameter, Place, SEND, Verb};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, Error, FromArgMatches, Subcommand};

/// The most rows that the API gives at a time.
const LIMIT_MAX: i64 = 250;

/// What was typed of an operation. It is not to be printed: a flag may hold a secret.
pub(crate) struct RemoteArgs {
    pub(crate) operation: &'static Operation,
    /// In the table's order, without those that were not typed.
    pub(crate) given: Vec<(&'static Parameter, Given)>,
    pub(crate) server: ServerArgs,
    pub(crate) json: bool,
    /// Of a list: how many rows.
    pub(crate) limit: Option<u64>,
    /// Of a list: from where on.
    pub(crate) iterator: Option<String>,
    /// Of a list: to its end.
    pub(crate) all: bool,
    /// Fields that have no flag, or that are not typed one by one.
    pub(crate) body: Option<String>,
    /// Fields to be taken away.
    pub(crate) unset: Vec<String>,
    pub(crate) idempotency_key: Option<String>,
    /// Of what does many things: only show them.
    pub(crate) dry_run: bool,
    /// Of what does many things: they are meant.
    pub(crate) yes: bool,
    /// Of what begins background work: not to wait for its end.
    pub(crate) no_wait: bool,
}

/// What was typed for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Text(String),
    Number(u64),
    Bool(bool),
    Words(Vec<String>),
}

impl Subcommand for RemoteArgs {
    fn augment_subcommands(command: Command) -> Command {
        let command = NOUNS.iter().fold(command, |command, noun| {
            let of_noun = Command::new(noun.name)
                .about(noun.about)
                .subcommand_required(true)
                .arg_required_else_help(true);
            let operations = noun.operations.iter().map(operation);
            command.subcommand(of_noun.subcommands(operations))
        });
        command.subcommand(operation(&SEND))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name == SEND.name || NOUNS.iter().any(|noun| noun.name == name)
    }
}

impl FromArgMatches for RemoteArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let missing = || Error::new(ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        if name == SEND.name {
            return Self::read(&SEND, matches);
        }
        let named = |noun: &&&Noun| noun.name == name;
        let noun = NOUNS.iter().find(named).ok_or_else(missing)?;
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let mut operations = noun.operations.iter();
        let operation = operations.find(|one| one.name == name);
        Self::read(operation.ok_or_else(missing)?, matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl RemoteArgs {
    fn read(operation: &'static Operation, matches: &ArgMatches) -> Result<Self, Error> {
        let given = operation.parameters.iter();
        let given = given.filter_map(|one| Some((one, value(one, matches)?)));
        // An operation has only those of its verb.
        let text = |name| matches.try_get_one::<String>(name).ok().flatten().cloned();
        let flag = |name| matches.try_get_one::<bool>(name).ok().flatten() == Some(&true);
        let limit = matches.try_get_one::<u64>("limit").ok().flatten();
        let unset = matches.try_get_many::<String>("unset").ok().flatten();
        Ok(Self {
            operation,
            given: given.collect(),
            server: ServerArgs::from_arg_matches(matches)?,
            json: flag("json"),
            limit: limit.copied(),
            iterator: text("iterator"),
            all: flag("all"),
            body: text("body"),
            unset: unset.into_iter().flatten().cloned().collect(),
            idempotency_key: text("idempotency-key"),
            dry_run: flag("dry-run"),
            yes: flag("yes"),
            no_wait: flag("no-wait"),
        })
    }

    /// What was typed for the parameter of this name.
    pub(crate) fn given(&self, name: &str) -> Option<&Given> {
        let mut given = self.given.iter();
        let found = given.find(|(parameter, _)| parameter.name == name);
        found.map(|(_, value)| value)
    }
}

fn value(parameter: &Parameter, matches: &ArgMatches) -> Option<Given> {
    let name = parameter.name;
    match parameter.kind {
        Kind::Number => matches.get_one(name).copied().map(Given::Number),
        Kind::Bool => matches.get_one(name).copied().map(Given::Bool),
        Kind::Words | Kind::Waits | Kind::Pairs | Kind::Headers => {
            let words = matches.get_many::<String>(name)?;
            Some(Given::Words(words.cloned().collect()))
        }
        Kind::Text
        | Kind::ValueAt
        | Kind::Json
        | Kind::Time
        | Kind::SecretFile
        | Kind::HeaderFile
        | Kind::Choice(_) => matches.get_one(name).cloned().map(Given::Text),
    }
}

fn operation(operation: &'static Operation) -> Command {
    // First, since with its arguments it would also leave its own words and heading behind.
    ServerArgs::augment_args(Command::new(operation.name))
        .next_help_heading(None)
        .about(operation.about)
        .after_help(operation.examples)
        .args(operation.parameters.iter().map(argument))
        .args(of_verb(operation))
        .arg(flag("json", "Print JSON"))
}

/// What every operation of a verb takes.
fn of_verb(operation: &'static Operation) -> Vec<Arg> {
    let body = option("body", "JSON|@FILE|-")
        .help("The whole body, in which what is typed besides replaces a field");
    match operation.verb {
        Verb::List => vec![
            option("limit", "N")
                .help("How many at a time")
                .value_parser(clap::value_parser!(u64).range(1..=LIMIT_MAX as u64)),
            option("iterator", "ITERATOR").help("Go on where another list said that it ended"),
            flag("all", "Go on to the end of the list"),
        ],
        Verb::Get | Verb::Delete | Verb::Follow => Vec::new(),
        Verb::Put => fields(operation).next().map(|_| body).into_iter().collect(),
        Verb::Resend => vec![
            option("iterator", "ITERATOR").help("Go on where another run said that it ended"),
            flag("dry-run", "Show what would be sent again, and send nothing"),
            flag("yes", "Don't ask whether what was found is meant"),
        ],
        Verb::Post | Verb::Begin => {
            let key = option("idempotency-key", "KEY")
                .help("Repeated under the same key, it is done once");
            let fields = fields(operation).next().is_some();
            let no_wait = flag(
                "no-wait",
                "Begin it, print its id, and don't wait for its end",
            );
            let no_wait = (operation.verb == Verb::Begin).then_some(no_wait);
            [fields.then_some(body), Some(key), no_wait]
                .into_iter()
                .flatten()
                .collect()
        }
        Verb::Patch => vec![
            body,
            option("unset", "FIELD")
                .help("Take away what a field says (repeatable)")
                .action(ArgAction::Append)
                .value_delimiter(',')
                .value_parser(PossibleValuesParser::new(fields(operation))),
        ],
    }
}

/// The names of the body's fields.
fn fields(operation: &'static Operation) -> impl Iterator<Item = &'static str> {
    let parameters = operation.parameters.iter();
    parameters.filter_map(|one| match one.place {
        Place::Body(field) => Some(field),
        Place::Target | Place::Path(_) | Place::Query(_) | Place::Whole | Place::Header => None,
    })
}

fn argument(parameter: &'static Parameter) -> Arg {
    let mut argument = Arg::new(parameter.name).help(parameter.help);
    if !parameter.place.is_nameless() {
        argument = argument.long(parameter.name);
    }
    if let Some(other) = parameter.needs {
        argument = argument.requires(other);
    }
    if let Some(other) = parameter.excludes {
        argument = argument.conflicts_with(other);
    }
    argument = match (parameter.is_required, parameter.place) {
        (true, Place::Body(_)) => argument.required_unless_present("body"),
        (is_required, _) => argument.required(is_required),
    };
    let argument = argument.value_name(value_name(parameter));
    match parameter.kind {
        Kind::Text | Kind::Json | Kind::Time | Kind::SecretFile | Kind::HeaderFile => argument,
        Kind::Number => argument.value_parser(clap::value_parser!(u64)),
        Kind::Bool => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_possible_values(true)
            .value_parser(clap::value_parser!(bool)),
        Kind::Words if parameter.place == Place::Target => argument.num_args(1..),
        Kind::Words | Kind::Waits => argument.action(ArgAction::Append).value_delimiter(','),
        Kind::Pairs => argument.action(ArgAction::Append).value_parser(pair),
        Kind::ValueAt => argument.value_parser(value_at),
        // Read later: what is refused here is repeated, and may be a secret.
        Kind::Headers => argument.action(ArgAction::Append),
        Kind::Choice(words) => {
            let words = words.iter().map(|(word, _)| PossibleValue::new(*word));
            argument.value_parser(PossibleValuesParser::new(words))
        }
    }
}

fn value_name(parameter: &Parameter) -> String {
    match parameter.kind {
        Kind::Text | Kind::Choice(_) => parameter.name.to_uppercase(),
        Kind::Number => "N".to_owned(),
        Kind::Bool => "BOOL".to_owned(),
        Kind::Words => format!("{},…", parameter.name.to_uppercase()),
        Kind::Waits => "WAIT,…".to_owned(),
        Kind::Pairs => "KEY=VALUE".to_owned(),
        Kind::ValueAt => "PATH=VALUE".to_owned(),
        Kind::Json => "JSON|@FILE|-".to_owned(),
        Kind::Time => "TIME".to_owned(),
        Kind::SecretFile | Kind::HeaderFile => "FILE".to_owned(),
        Kind::Headers => "NAME: VALUE".to_owned(),
    }
}

fn pair(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(text.to_owned()),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

fn value_at(text: &str) -> Result<String, String> {
    pair(text).map_err(|_| "write PATH=VALUE, such as customer.email=ada@example.com".to_owned())
}

fn option(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .action(ArgAction::SetTrue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{self, Cli};
    use clap::Parser as _;

    fn typed(line: &str) -> Result<RemoteArgs, Error> {
        let words = ["postrider"].into_iter().chain(line.split(' '));
        match Cli::try_parse_from(words)?.command {
            cli::Command::Asked(cli::Asked::Remote(args)) => Ok(*args),
            _ => panic!("{line} asks no server"),
        }
    }

    #[test]
    fn what_is_typed_is_read_as_the_table_has_it() {
        let args = typed(
            "endpoint create --app acme --url https://h --type a,b --type c --disabled \
             --rate-limit 5 --metadata k=v=w --metadata l= --server http://h --json",
        );
        let args = args.unwrap();
        let text = |text: &str| Given::Text(text.to_owned());
        let words = |words: &[&str]| Given::Words(words.iter().map(ToString::to_string).collect());
        for (name, expected) in [
            ("app", text("acme")),
            ("url", text("https://h")),
            ("type", words(&["a", "b", "c"])),
            ("disabled", Given::Bool(true)),
            ("rate-limit", Given::Number(5)),
            ("metadata", words(&["k=v=w", "l="])),
        ] {
            assert_eq!(args.given(name), Some(&expected), "{name}");
        }
        assert_eq!(args.given("uid"), None);
        assert_eq!((args.operation.name, args.json), ("create", true));
        assert_eq!(args.server.server.as_deref(), Some("http://h"));
        let args = typed("endpoint update x --app acme --disabled=false --unset uid,channels");
        let args = args.unwrap();
        assert_eq!(args.given("disabled"), Some(&Given::Bool(false)));
        assert_eq!(args.given("id"), Some(&text("x")));
        assert_eq!(args.unset, ["uid", "channels"]);
    }

    /// The words of a command line as a shell would take it apart, up to where it goes elsewhere.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                '|' | '>' if !quoted => break,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().expect("there is one").push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_example_can_be_typed() {
        let all = NOUNS.iter().flat_map(|noun| noun.operations);
        let mut typed = 0;
        for operation in all.chain([&SEND]) {
            let examples = operation.examples.replace("\\\n", " ");
            for line in examples.lines().filter(|line| line.contains("postrider ")) {
                let (_, line) = line.split_once("postrider ").expect("it was found above");
                let words = words(&format!("postrider {line}"));
                let read = Cli::try_parse_from(&words);
                assert!(
                    read.is_ok(),
                    "{words:?}: {}",
                    read.err().expect("it is none")
                );
                typed += 1;
            }
        }
        assert!(typed > 40, "{typed}");
    }

    #[test]
    fn what_is_typed_wrongly_is_refused() {
        for line in [
            "app",
            "app frobnicate",
            "app get",
            "app get a b",
            "app list --limit 0",
            "app list --limit 251",
            "app list --order up",
            "app get x --all",
            "app create",
            "app create --name a --metadata b",
            "app create --name a --rate-limit -1",
            "app update x --unset nothing",
            "message list",
            "message list --app a --status fail",
            "endpoint list",
            "attempt get --app a x",
            "send --app a --type t",
            "send --type t --data {}",
            "delivery get",
            "delivery resend --state pending",
            "delivery resend x --all",
            "background-task get",
            "message expunge --where email",
            "message expunge --tag a --where b=c",
            "background-task list --status over",
            "environment import",
            "environment update --unset version",
            "event-type set-retry-schedule x",
            "event-type delete-retry-schedule x --waits 5s",
        ] {
            assert!(typed(line).is_err(), "{line}");
        }
        assert!(typed("app create --body {}").is_ok());
        assert!(typed("send --app a --body -").is_ok());
    }
}
