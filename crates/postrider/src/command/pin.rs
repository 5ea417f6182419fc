//! `postrider pin`: the certificates of a receiver, by which it can be pinned.
//!
//! A connection is made as for a delivery, past the same guard and with the same roots, and nothing
//! is sent over it. Shown is the path that was verified, of which any certificate may be pinned.
//! Where it was refused, what was presented is shown as that: it is no proof of anything.

use super::table::{Column, table};
use super::{drive, escaped, say, say_json};
use crate::cli::PinArgs;
use crate::failure::Failure;
use crate::node;
use anyhow::{Context as _, anyhow};
use model::Timestamp;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use transport::{
    Authorities, ChainCertificate, FixedResolver, Guard, Peeked, Resolver, SendError, Stage,
    SystemResolver, Target, TlsProfile, TlsSettings, Transport as _,
};

/// How long a receiver may take to show its certificates.
const PATIENCE: Duration = Duration::from_secs(10);
const COLUMNS: [Column; 4] = [
    Column::of("pin", "pin"),
    Column::of("subject", "subject"),
    Column::of("issuer", "issuer"),
    Column::of("expires", "expiresAt"),
];

/// Prints a table, or a JSON object; the exit status says whether the receiver was verified.
pub(crate) fn run(args: PinArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let profile = args.ca_file.as_deref().map(trusting).transpose()?;
    let resolver: Arc<dyn Resolver> = match args.resolve {
        Some(addresses) => Arc::new(FixedResolver(addresses)),
        None => Arc::new(SystemResolver::from_system().map_err(Failure::could_not)?),
    };
    let url = config.policy.check_url(&args.url);
    let url = url.map_err(|refusal| Failure::Refused(anyhow!(escaped(&refusal.to_string()))))?;
    if !url.is_tls() {
        return Err(Failure::Misuse(anyhow!(
            "only `https` has certificates: give the URL with it"
        )));
    }
    let guard = Arc::new(Guard::new(config.policy.clone(), resolver));
    let transport = node::transport(&config, guard)?;
    let target = Target::new(url).map_err(|error| Failure::Misuse(error.into()))?;
    let peeked = drive(transport.peek(&target, profile.as_ref(), PATIENCE))?;
    show(&peeked.map_err(unseen)?, args.json)
}

fn trusting(path: &Path) -> Result<TlsProfile, Failure> {
    let read = std::fs::read(path).with_context(|| format!("authorities {}", path.display()));
    let authorities = Authorities::from_pem(&read.map_err(Failure::CouldNot)?);
    let authorities = authorities.with_context(|| format!("authorities {}", path.display()));
    Ok(TlsProfile::new(TlsSettings {
        authorities: Some(authorities.map_err(Failure::Misuse)?),
        ..TlsSettings::default()
    }))
}

/// An address that may not be called is an answer; a receiver that shows nothing has given none.
fn unseen(error: SendError) -> Failure {
    let said = match error.refusal() {
        Some(refusal) => anyhow!(escaped(&refusal.to_string())),
        None => reason(&error),
    };
    match error.stage() {
        Stage::Guard => Failure::Refused(said),
        _ => Failure::CouldNot(said),
    }
}

fn show(peeked: &Peeked, as_json: bool) -> Result<(), Failure> {
    let rows: Vec<Value> = peeked.certificates.iter().map(row).collect();
    let reason = peeked.refused.as_ref().map(reason);
    if as_json {
        let said = reason.as_ref().map(ToString::to_string);
        let verified = reason.is_none();
        say_json(&json!({"verified": verified, "reason": said, "certificates": rows}))?;
        return if verified { Ok(()) } else { Err(Failure::No) };
    }
    say(table(&COLUMNS, &rows))?;
    match reason {
        None => Ok(()),
        Some(reason) => Err(Failure::Refused(anyhow!(
            "not verified, so pin none of these: {reason}"
        ))),
    }
}

fn reason(error: &SendError) -> anyhow::Error {
    let text = match error.is_certificate_refused() {
        true => error.for_tenant().into_owned(),
        false => model::Chain(error).to_string(),
    };
    anyhow!(escaped(&text))
}

fn row(certificate: &ChainCertificate) -> Value {
    json!({
        "pin": certificate.pin.to_string(),
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "expiresAt": certificate.not_after.and_then(date),
    })
}

fn date(time: Timestamp) -> Option<String> {
    let time = jiff::Timestamp::from_microsecond(time.micros()).ok()?;
    Some(time.to_string())
}
