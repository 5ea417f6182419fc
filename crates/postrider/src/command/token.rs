//! `postrider token`: prints a bearer token, minted by the use case that the API checks with; and
//! `token revoke`, which ends one. That is written into the store, beside a server that may be at
//! work there, with an entry for the audit log; every node hears of it as it does of what other
//! nodes change.

use super::{drive, left, say, say_json};
use crate::cli::{TokenArgs, TokenCommand};
use crate::config::ConfigArgs;
use crate::failure::Failure;
use crate::node;
use crate::storage::postgres;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::anyhow;
use app::access::revocation;
use app::tokens::{API_KEY_PREFIX, Grant, Lifetime};
use model::Clock as _;
use model::audit::AuditAction;
use model::duration;
use model::role::Role;
use serde_json::json;

/// The longest id of a token.
const JTI_BYTES_MAX: usize = 256;

/// Prints the token alone, or a JSON object with its id.
pub(crate) fn run(args: TokenArgs) -> Result<(), Failure> {
    if let Some(TokenCommand::Revoke(revoked)) = args.command {
        let revoked = *revoked;
        if args.app.is_some() || args.role.is_some() {
            return Err(Failure::Misuse(anyhow!(
                "a token's id says whose it is: leave out --app and --role"
            )));
        }
        let config = revoked.config.or(args.config).ok_or_else(|| {
            Failure::Misuse(anyhow!(
                "give all options behind `revoke`, or all before it"
            ))
        })?;
        return revoke(&revoked.jti, config, args.json || revoked.json);
    }
    let lifetime = match args.expires.as_str() {
        "never" => Lifetime::Never,
        text => Lifetime::For(duration::parse(text).map_err(|e| Failure::Misuse(e.into()))?),
    };
    let grant = grant(args.app, args.role)?;
    let config = args.config.load()?;
    let tokens = node::tokens(&config)?;
    let minted = tokens.mint_with_id(&grant, lifetime, SystemClock::new().now(), &SystemEntropy);
    if args.json {
        say_json(&json!({"token": minted.token, "jti": minted.id}))
    } else {
        say(minted.token)
    }
}

/// Whom the token is to speak for.
fn grant(app: Option<String>, role: Option<Role>) -> Result<Grant, Failure> {
    let text = match (app, role) {
        (None, None) => return Ok(Grant::Organisation),
        (None, Some(role)) => return Ok(Grant::Role(role)),
        (Some(_), Some(_)) => {
            return Err(Failure::Misuse(anyhow!(
                "roles are the organisation's: leave out --role, or --app"
            )));
        }
        (Some(text), None) => text,
    };
    let id = text.parse().map_err(|error| {
        Failure::Misuse(anyhow!("`{text}` is not the id of an application: {error}"))
    })?;
    Ok(Grant::Application {
        id,
        feature_flags: Vec::new(),
    })
}

/// Says which token has ended.
fn revoke(jti: &str, config: ConfigArgs, as_json: bool) -> Result<(), Failure> {
    check_jti(jti)?;
    let config = config.load()?;
    let token = revocation(jti.to_owned());
    let entry = left::entry(&config, AuditAction::TokenRevoked, format!("token {jti}"));
    match &config.database {
        None => {
            let revoked = store_sqlite::revoke(&config.data_dir, &token, &entry);
            revoked.map_err(Failure::could_not)?;
        }
        Some(database) => {
            let revoked = drive(store_postgres::revoke(&postgres(database), &token, &entry))?;
            revoked.map_err(Failure::could_not)?;
        }
    }
    if as_json {
        say_json(&json!({"revoked": jti}))
    } else {
        say(format_args!("revoked {jti}"))
    }
}

/// A token in the place of its id is told apart, and not repeated.
fn check_jti(jti: &str) -> Result<(), Failure> {
    let is_token = jti.starts_with("eyJ") && jti.split('.').count() == 3;
    if is_token {
        return Err(Failure::Misuse(anyhow!(
            "this is a token, not its id: `postrider token --json` prints the `jti` beside it, and \
             it is in the token's second part"
        )));
    }
    if jti.starts_with(API_KEY_PREFIX) {
        return Err(Failure::Misuse(anyhow!(
            "this is an API key: it is ended by the API, `POST …/api-token/KEY_ID/expire`"
        )));
    }
    if jti.is_empty() || jti.len() > JTI_BYTES_MAX || jti.chars().any(char::is_control) {
        return Err(Failure::Misuse(anyhow!(
            "a token's id has 1 to {JTI_BYTES_MAX} bytes, and no control characters"
        )));
    }
    Ok(())
}
