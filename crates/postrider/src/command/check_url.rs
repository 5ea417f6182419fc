//! `postrider check-url`: the address guard's verdict on a URL, in the words for operators.

use super::{drive, escaped, say, say_json};
use crate::cli::CheckUrlArgs;
use crate::failure::Failure;
use anyhow::anyhow;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use transport::{Denial, FixedResolver, Guard, ResolveError, Resolver, SystemResolver};

/// Prints `allow` or `deny: REASON`; the exit status says it too, and whether there is an answer.
pub(crate) fn run(args: CheckUrlArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let resolver: Arc<dyn Resolver> = match args.resolve {
        Some(addresses) => Arc::new(FixedResolver(addresses)),
        None => Arc::new(SystemResolver::from_system().map_err(Failure::could_not)?),
    };
    let guard = Guard::new(config.policy, resolver);
    let verdict = drive(guard.explain(&args.url))?;
    let answer = Answer::new(verdict)?;
    if args.json {
        say_json(&answer.json())?;
    } else {
        say(answer.line())?;
    }
    match answer.reason {
        None => Ok(()),
        Some(_) => Err(Failure::No),
    }
}

/// Yes with the addresses, or no with the reason.
struct Answer {
    addresses: Vec<SocketAddr>,
    reason: Option<String>,
}

impl Answer {
    /// Name servers that can't be asked have not said no: that is neither answer.
    fn new(verdict: Result<Vec<SocketAddr>, Denial>) -> Result<Self, Failure> {
        let (addresses, denial) = match verdict {
            Ok(addresses) => (addresses, None),
            Err(Denial::Unresolved(
                error @ (ResolveError::Failed { .. } | ResolveError::TimedOut(_)),
            )) => {
                let error = anyhow::Error::new(error);
                return Err(Failure::CouldNot(anyhow!(escaped(&format!("{error:#}")))));
            }
            Err(denial @ (Denial::Refused(_) | Denial::Unresolved(ResolveError::NotFound(_)))) => {
                (Vec::new(), Some(denial))
            }
        };
        let reason = denial.map(|denial| escaped(&denial.to_string()));
        Ok(Self { addresses, reason })
    }

    fn line(&self) -> String {
        match &self.reason {
            None => "allow".to_owned(),
            Some(reason) => format!("deny: {reason}"),
        }
    }

    fn json(&self) -> Value {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        json!({"allow": self.reason.is_none(), "reason": self.reason, "addresses": addresses})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_could_be_asked_about_is_neither_allowed_nor_denied() {
        let failed = ResolveError::Failed {
            name: "x.example".to_owned(),
            cause: "no route\x1b".into(),
        };
        for error in [failed, ResolveError::TimedOut("x.example".to_owned())] {
            let Err(Failure::CouldNot(error)) = Answer::new(Err(error.into())) else {
                panic!("an answer without name servers");
            };
            assert!(!error.to_string().contains('\x1b'), "{error}");
        }
        let unknown = ResolveError::NotFound("x.example".to_owned());
        let answer = Answer::new(Err(unknown.into())).unwrap();
        assert!(answer.line().starts_with("deny: `x.example`"));
        assert_eq!(answer.json()["allow"], false);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(escaped("a\x1b[2Jb\n\u{9b}é"), "a\\u{1b}[2Jb\\n\\u{9b}é");
    }
}
