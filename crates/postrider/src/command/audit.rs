//! `postrider audit verify` and `audit export`: look at the audit log itself, beside the servers
//! that may be at work, or at one that was exported. What is wrong with a log, `watch` knows.

use super::{drive, say, say_json};
use crate::auditing::TOLD_AS;
use crate::cli::{AuditCommand, ExportLogArgs, VerifyLogArgs};
use crate::config::Checked;
use crate::failure::Failure;
use crate::key_checks::{needed, open_with};
use crate::keys::KeySources;
use crate::storage::postgres;
use crate::system::SystemEntropy;
use anyhow::{Context as _, anyhow};
use app::master_keys::INSTALLATION_KEY;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, stdin, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use store::StoreError;
use store::audit::{AUDIT_SIGNING_KEY, AuditLog, AuditStates, SignedCheckpoint, from_hex, hex};
use store::master_keys::MASTER_KEYS;
use watch::audit::{ExportError, Report, export, verify_export, verify_log};

/// Does it.
pub(crate) fn run(command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify(args) => verify(*args),
        AuditCommand::Export(args) => write_export(*args),
    }
}

fn verify(args: VerifyLogArgs) -> Result<(), Failure> {
    let given = args.public_key.as_deref().map(public_key).transpose()?;
    let outside = match &args.checkpoint {
        None => Vec::new(),
        Some(path) => checkpoints(path)?,
    };
    let (report, key) = match (&args.export, given) {
        (Some(path), Some(key)) => {
            let report = verify_export(reader(path)?, key, &outside);
            (report.map_err(of_export)?, key)
        }
        _ => {
            let config = args.config.load()?;
            drive(on_log(&config, async |log: &mut dyn AuditStates| {
                let mut state = log.now().await.map_err(Failure::could_not)?;
                let key = key_of(&mut *state, &config, given).await?;
                let report = verify_log(&mut *state, key, &outside).await;
                Ok((report.map_err(Failure::could_not)?, key))
            }))??
        }
    };
    match args.json {
        true => say_json(&shown(&report, &key))?,
        false => tell(&report)?,
    }
    match outcome(&report) {
        "whole" => Ok(()),
        "changed" => Err(Failure::No),
        _ => Err(Failure::Unconfirmed),
    }
}

fn write_export(args: ExportLogArgs) -> Result<(), Failure> {
    let given = args.public_key.as_deref().map(public_key).transpose()?;
    let config = args.config.load()?;
    drive(on_log(&config, async |log: &mut dyn AuditStates| {
        let mut state = log.now().await.map_err(Failure::could_not)?;
        let key = key_of(&mut *state, &config, given).await?;
        state.end().await.map_err(Failure::could_not)?;
        let Some(path) = &args.out else {
            let written = export(log, key, &mut BufWriter::new(stdout())).await;
            return written.map(drop).map_err(of_export);
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path);
        let file = file.with_context(|| path.display().to_string());
        let mut file = BufWriter::new(file.map_err(Failure::CouldNot)?);
        let entries = export(log, key, &mut file).await.map_err(of_export)?;
        file.get_ref().sync_all().map_err(Failure::could_not)?;
        say(format_args!(
            "wrote {entries} entries to {}; verify them with --public-key {}",
            path.display(),
            hex(&key)
        ))
    }))?
}

/// Does something with the configured store's log.
async fn on_log<T>(
    config: &Checked,
    work: impl AsyncFnOnce(&mut dyn AuditStates) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match &config.database {
        None => {
            let log = store_sqlite::AuditReader::open(&config.data_dir);
            work(&mut log.map_err(Failure::could_not)?).await
        }
        Some(database) => {
            let reader = store_postgres::AuditReader::open(&postgres(database)).await;
            let mut reader = reader.map_err(Failure::could_not)?;
            work(&mut reader).await
        }
    }
}

/// The key that signs a store's log. What the store says of it is believed only as far as the
/// master key shows that this installation made it.
async fn key_of(
    log: &mut dyn AuditLog,
    config: &Checked,
    given: Option<[u8; 32]>,
) -> Result<[u8; 32], Failure> {
    if let Some(key) = given {
        return Ok(key);
    }
    let (sealed, standing, installation) = (
        setting(log, AUDIT_SIGNING_KEY).await?,
        setting(log, MASTER_KEYS).await?,
        setting(log, INSTALLATION_KEY).await?,
    );
    let (Some(standing), Some(installation)) = (standing, installation) else {
        return Err(Failure::CouldNot(anyhow!(
            "no server has worked on this store yet: there is no audit log"
        )));
    };
    let Some(sealed) = sealed else {
        let ends = log.ends().await.map_err(Failure::could_not)?;
        // Before a server has sealed anything, there is nothing that any key has signed.
        return match ends.checkpoint.is_some() || ends.start.is_some() {
            false => Ok([0; 32]),
            true => Err(changed_key("is gone")),
        };
    };
    let masters = KeySources::of(config).masters().await?;
    let standing = needed(&masters, &standing)?;
    let vault = open_with(masters, standing, installation, Arc::new(SystemEntropy))?;
    let key = vault.audit_key(&sealed);
    let key = key.map_err(|_| changed_key("was not made by this installation"))?;
    Ok(key.public_key())
}

fn changed_key(how: &str) -> Failure {
    Failure::Refused(anyhow!(
        "changed: the key that the audit log is signed with {how}. Give the right one, as older \
         checkpoints have it, by --public-key"
    ))
}

async fn setting(log: &mut dyn AuditLog, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let found: Result<_, StoreError> = log.setting(name).await;
    found.map_err(Failure::could_not)
}

fn public_key(text: &str) -> Result<[u8; 32], Failure> {
    from_hex(text).ok_or_else(|| {
        Failure::Misuse(anyhow!(
            "--public-key is 64 hexadecimal digits, as `publicKey` of a checkpoint"
        ))
    })
}

/// Lines of a file of checkpoints, or of a log that has them among others.
fn checkpoints(path: &Path) -> Result<Vec<SignedCheckpoint>, Failure> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(reader(path)?.lines()) {
        let line = line.with_context(|| path.display().to_string());
        let line = line.map_err(Failure::CouldNot)?;
        let Some(told) = told_in(&line) else {
            continue;
        };
        let read = SignedCheckpoint::read(&told).ok_or_else(|| {
            Failure::Misuse(anyhow!(
                "line {number} of {} is no checkpoint of an audit log",
                path.display()
            ))
        });
        found.push(read?);
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(Failure::Misuse(anyhow!(
            "there is no checkpoint in {}",
            path.display()
        ))),
    }
}

/// What a line has that should be a checkpoint: all of it, or what the server's log says, in either
/// format.
fn told_in(line: &str) -> Option<String> {
    let object: Option<Value> = serde_json::from_str(line).ok();
    let message = object
        .as_ref()
        .and_then(|object| object["message"].as_str());
    let text = message.unwrap_or(line).trim();
    match text.split_once(TOLD_AS) {
        Some((_, told)) => Some(told.to_owned()),
        None => text.starts_with('{').then(|| text.to_owned()),
    }
}

fn reader(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(stdin())));
    }
    let file = File::open(path).with_context(|| format!("{} can't be read", path.display()));
    Ok(Box::new(BufReader::new(file.map_err(Failure::CouldNot)?)))
}

fn of_export(error: ExportError) -> Failure {
    match error {
        ExportError::Store(_) | ExportError::Io(_) | ExportError::Cut => Failure::could_not(error),
        ExportError::Line(_) | ExportError::NotComplete | ExportError::OtherKey(_) => {
            Failure::Refused(error.into())
        }
    }
}

fn outcome(report: &Report) -> &'static str {
    match (report.findings.is_empty(), report.confirmed) {
        (false, _) => "changed",
        (true, Some(_)) => "whole",
        (true, None) => "unconfirmed",
    }
}

fn shown(report: &Report, key: &[u8; 32]) -> Value {
    let findings = report.findings.iter().map(ToString::to_string);
    json!({
        "outcome": outcome(report),
        "first": report.first,
        "head": report.head,
        "checkpoints": report.checkpoints,
        "waiting": report.waiting,
        "confirmed": report.confirmed,
        "checkpointsTooOld": report.too_old,
        "publicKey": hex(key),
        "findings": findings.collect::<Vec<_>>(),
        "moreFindings": report.more,
    })
}

fn tell(report: &Report) -> Result<(), Failure> {
    let entries = match report.head < report.first {
        true => "no entry is sealed".to_owned(),
        false => format!("entries {} to {}", report.first, report.head),
    };
    let waiting = match report.waiting {
        0 => String::new(),
        waiting => format!("; {waiting} more wait to be sealed, and are not covered"),
    };
    match (outcome(report), report.confirmed) {
        ("changed", _) => {
            say("changed:")?;
            report.findings.iter().try_for_each(say_finding)?;
            match report.more {
                true => say("and more"),
                false => Ok(()),
            }
        }
        (_, Some(confirmed)) => say(format_args!(
            "whole: {entries}, confirmed from outside up to {confirmed}{waiting}"
        )),
        _ => {
            let why = match report.too_old {
                0 => "no checkpoint from outside was given (--checkpoint)",
                _ => "the given checkpoints are of entries that have reached their age since",
            };
            say(format_args!(
                "whole as far as can be shown: {entries}{waiting}. Whether there were more once is \
                 not known, since {why}"
            ))
        }
    }
}

fn say_finding(finding: &watch::audit::Finding) -> Result<(), Failure> {
    say(super::escaped(&format!("  {finding}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_found_in_their_file_and_in_either_log() {
        for (line, told) in [
            (r#"{"position":1}"#, Some(r#"{"position":1}"#)),
            (
                r#"2026 INFO audit checkpoint {"position":1}"#,
                Some(r#"{"position":1}"#),
            ),
            (
                r#"{"level":"INFO","message":"audit checkpoint {\"position\":1}"}"#,
                Some(r#"{"position":1}"#),
            ),
            (r#"{"level":"INFO","message":"listening on {}"}"#, None),
            ("2026 INFO listening", None),
            ("", None),
        ] {
            assert_eq!(told_in(line).as_deref(), told, "{line}");
        }
    }
}
