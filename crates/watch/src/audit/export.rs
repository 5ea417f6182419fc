//! The log as lines of JSON, which can be verified elsewhere with the public key alone. An entry's
//! text is a string in its line, so that its bytes are what was hashed, whoever reads the line.

use super::reading::{Piece, Pieces};
use super::verify::{Report, Verifier};
use model::Timestamp;
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use store::StoreError;
use store::audit::{AuditStart, AuditStates, KeptEntry, Link, SignedCheckpoint, from_hex, hex};

/// What the first line says that this is.
const FORMAT: u64 = 1;

/// Why a log can't be exported, or what was exported can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file can't be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was to be read next is gone.
    #[error(
        "entries that had reached their age were taken away before they were exported, so that what \
         was written is not complete: export the log again"
    )]
    Cut,
    /// A line is none of an export.
    #[error("line {0} is no line of an exported audit log")]
    Line(usize),
    /// The last line is missing.
    #[error("the export is not complete: its last line is missing")]
    NotComplete,
    /// Another key signs it.
    #[error("the export is of the log that the key {0} signs, not the given one")]
    OtherKey(String),
}

/// Writes a log, which this key signs. How many entries. However long it takes to write, nothing of
/// the store is held meanwhile.
///
/// # Errors
/// Of the store, and of what is written to.
pub async fn export(
    log: &mut dyn AuditStates,
    public_key: [u8; 32],
    out: &mut (dyn Write + Send),
) -> Result<u64, ExportError> {
    let mut state = log.now().await?;
    let ends = state.ends().await?;
    state.end().await?;
    let header = json!({"type": "log", "format": FORMAT, "publicKey": hex(&public_key)});
    writeln!(out, "{header}")?;
    if let Some(start) = ends.start {
        let start = json!({
            "type": "start",
            "position": start.position,
            "before": hex(&start.before),
            "timeMicros": start.at.micros(),
            "signature": hex(&start.signature),
        });
        writeln!(out, "{start}")?;
    }
    let (mut pieces, mut entries) = (Pieces::default(), 0);
    while !pieces.have_ended {
        read(&mut pieces, log, ends.first()).await?;
        while let Some(piece) = pieces.next() {
            entries += u64::from(!matches!(piece, Piece::Checkpoint(_)));
            let line = line(piece, public_key);
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out, "{}", json!({"type": "end", "entries": entries}))?;
    out.flush()?;
    Ok(entries)
}

/// Reads on from the log as it is now, which began at this position once.
async fn read(
    pieces: &mut Pieces,
    log: &mut dyn AuditStates,
    began: u64,
) -> Result<(), ExportError> {
    let read_to = pieces.read_to();
    let mut state = log.now().await?;
    pieces.read(&mut *state).await?;
    let first = state.ends().await?.first();
    state.end().await?;
    match read_to.is_some_and(|read_to| first > began.max(read_to + 1)) {
        true => Err(ExportError::Cut),
        false => Ok(()),
    }
}

fn line(piece: Piece, public_key: [u8; 32]) -> Value {
    match piece {
        // What stands nowhere, and says that it is sealed, is no less for whoever verifies.
        Piece::Entry(entry) | Piece::Waiting(entry @ KeptEntry { link: Some(_), .. }) => {
            let link = entry.link.map(|link| (link.position, hex(&link.hash)));
            let (position, hash) = link.unwrap_or_default();
            json!({"type": "entry", "position": position, "hash": hash, "entry": entry.text})
        }
        Piece::Checkpoint(checkpoint) => {
            let signed = SignedCheckpoint {
                checkpoint,
                public_key,
            };
            json!({"type": "checkpoint", "checkpoint": signed.line()})
        }
        Piece::Waiting(entry) => json!({"type": "waiting", "entry": entry.text}),
    }
}

/// Verifies what was exported.
///
/// # Errors
/// [`ExportError`], where it is no export, or not of the log that this key signs.
pub fn verify_export(
    export: impl BufRead,
    public_key: [u8; 32],
    outside: &[SignedCheckpoint],
) -> Result<Report, ExportError> {
    let mut lines = (1..).zip(export.lines());
    let mut next = || match lines.next() {
        None => Err(ExportError::NotComplete),
        Some((number, line)) => {
            let value = serde_json::from_str(&line?).map_err(|_| ExportError::Line(number))?;
            Ok::<(usize, Value), ExportError>((number, value))
        }
    };
    let (_, header) = next()?;
    if header["type"] != "log" || header["format"] != FORMAT {
        return Err(ExportError::Line(1));
    }
    let named = header["publicKey"].as_str().unwrap_or_default();
    if from_hex(named) != Some(public_key) {
        return Err(ExportError::OtherKey(named.to_owned()));
    }
    let (mut number, mut value) = next()?;
    let mut start = None;
    if value["type"] == "start" {
        start = Some(start_of(&value).ok_or(ExportError::Line(number))?);
        (number, value) = next()?;
    }
    let mut verifier = Verifier::new(public_key, start, outside);
    while value["type"] != "end" {
        show(&mut verifier, &value).ok_or(ExportError::Line(number))?;
        (number, value) = next()?;
    }
    let entries = value["entries"].as_u64();
    Ok(verifier.finish(entries.ok_or(ExportError::Line(number))?))
}

fn show(verifier: &mut Verifier, value: &Value) -> Option<()> {
    let text = || value["entry"].as_str().map(str::to_owned);
    match value["type"].as_str()? {
        "entry" => {
            let link = Link {
                position: value["position"].as_u64()?,
                hash: from_hex(value["hash"].as_str()?)?,
            };
            verifier.entry(&KeptEntry::alone(text()?, Some(link)));
        }
        "checkpoint" => {
            let signed = SignedCheckpoint::read(value["checkpoint"].as_str()?)?;
            verifier.checkpoint(&signed.checkpoint);
        }
        "waiting" => verifier.waiting(&KeptEntry::alone(text()?, None)),
        _ => return None,
    }
    Some(())
}

fn start_of(value: &Value) -> Option<AuditStart> {
    Some(AuditStart {
        position: value["position"].as_u64()?,
        before: from_hex(value["before"].as_str()?)?,
        at: Timestamp::from_micros(value["timeMicros"].as_i64()?),
        signature: from_hex(value["signature"].as_str()?)?,
    })
}
