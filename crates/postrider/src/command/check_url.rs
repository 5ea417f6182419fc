//! `postrider check-url`: the address guard's verdict on a URL, in the words for operators.

use crate::cli::CheckUrlArgs;
use crate::failure::Failure;
use serde_json::json;
use std::sync::Arc;
use transport::{FixedResolver, Guard, Resolver, SystemResolver};

/// Prints `allow` or `deny: REASON`; the exit status says it too.
pub(crate) fn run(args: CheckUrlArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let resolver: Arc<dyn Resolver> = match args.resolve {
        Some(addresses) => Arc::new(FixedResolver(addresses)),
        None => Arc::new(SystemResolver::from_system().map_err(Failure::could_not)?),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let guard = Guard::new(config.policy, resolver);
    let verdict = runtime
        .map_err(Failure::could_not)?
        .block_on(guard.explain(&args.url));
    let reason = verdict
        .as_ref()
        .err()
        .map(|denial| escaped(&denial.to_string()));
    match (args.json, &reason) {
        (true, reason) => {
            let addresses = verdict
                .iter()
                .flatten()
                .map(ToString::to_string)
                .collect::<Vec<_>>();
            println!(
                "{}",
                json!({"allow": reason.is_none(), "reason": reason, "addresses": addresses})
            );
        }
        (false, None) => println!("allow"),
        (false, Some(reason)) => println!("deny: {reason}"),
    }
    if reason.is_none() {
        Ok(())
    } else {
        Err(Failure::No)
    }
}

/// The URL came from outside: what a terminal would obey is shown instead.
fn escaped(text: &str) -> String {
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.into()
        }
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(
            super::escaped("a\x1b[2Jb\n\u{9b}é"),
            "a\\u{1b}[2Jb\\n\\u{9b}é"
        );
    }
}
