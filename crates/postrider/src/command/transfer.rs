//! `postrider transfer`: a whole installation from one store into another. What a transfer is, and
//! how it goes on after it was broken off, `store::transfer` says.

mod keys;
mod side;

use super::{drive, escaped, say, say_json};
use crate::cli::TransferArgs;
use crate::config::Checked;
use crate::failure::Failure;
use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use keys::Keys;
use serde_json::json;
use side::Side;
use std::io::{IsTerminal as _, stderr};
use store::transfer::{Difference, TABLES, Tally, Transfer};

/// What both sides hold of a table.
type Compared = (&'static str, Result<Tally, Difference>);

/// Moves all, compares it, and says how that came out; [`Failure::No`] if both sides differ.
pub(crate) fn run(args: TransferArgs) -> Result<(), Failure> {
    let [from, to] = [("from", &args.from), ("to", &args.to)].map(|(name, text)| {
        side::warn_of_password(name, text);
        Side::parse(name, text)
    });
    let (from, to) = (from?, to?);
    if args.from == args.to {
        let same = anyhow!("--from and --to are the same: {}", from.shown());
        return Err(Failure::Misuse(same));
    }
    let config = args.config.load()?;
    let (compared, keys) = drive(transfer(&from, &to, &config))??;
    let differ = compared.iter().any(|(_, compared)| compared.is_err());
    match args.json {
        true => say_json(&as_json([&from, &to], &compared))?,
        false => say(told([&from, &to], &compared, &keys))?,
    }
    match differ {
        true => Err(Failure::No),
        false => Ok(()),
    }
}

async fn transfer(
    from: &Side,
    to: &Side,
    config: &Checked,
) -> Result<(Vec<Compared>, Keys), Failure> {
    let mut source = from.source().await?;
    let keys = Keys::of(config, from, to).await?;
    keys.verify(&mut *source).await?;
    keys.verify_target(to)?;
    let mut target = to.target().await?;
    let begun = Transfer::begin(&mut *source, &mut *target).await;
    let mut transfer = begun.map_err(Failure::could_not)?;
    keys.give_to(to)?;
    let bar = bar();
    let compared = carry_out(&mut transfer, &bar).await;
    bar.finish_and_clear();
    let compared = compared.map_err(Failure::could_not)?;
    if compared.iter().all(|(_, compared)| compared.is_ok()) {
        transfer.finish().await.map_err(Failure::could_not)?;
    }
    Ok((compared, keys))
}

async fn carry_out(
    transfer: &mut Transfer<'_>,
    bar: &ProgressBar,
) -> Result<Vec<Compared>, store::transfer::TransferError> {
    let (all, there) = transfer.counts().await?;
    if transfer.resumed() {
        bar.suspend(|| {
            eprintln!(
                "postrider: going on with a transfer that was broken off: {there} of {all} rows \
                 are there"
            );
        });
    }
    bar.set_length(all);
    bar.set_position(there);
    while let Some(step) = transfer.step().await? {
        bar.set_message(format!("rows moved: {}", step.table));
        bar.inc(step.rows as u64);
    }
    bar.reset();
    bar.set_length(2 * all);
    let mut compared = Vec::new();
    for table in TABLES {
        bar.set_message(format!("rows read anew: {}", table.name));
        let mut read = |rows| bar.inc(rows as u64);
        let one = transfer.compare(table, &mut read).await?;
        compared.push((table.name, one));
    }
    Ok(compared)
}

fn bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    ProgressBar::new(0).with_style(style.expect("the template is well-formed"))
}

fn told([from, to]: [&Side; 2], compared: &[Compared], keys: &Keys) -> String {
    let places = format!("{} to {}", escaped(&from.shown()), escaped(&to.shown()));
    let differences: Vec<&Difference> = compared
        .iter()
        .filter_map(|(_, compared)| compared.as_ref().err())
        .collect();
    if !differences.is_empty() {
        let all = differences.iter().map(|one| difference(one));
        return format!(
            "what was moved from {places} is not the same on both sides:\n{}\n\
             No server opens the target as it is: empty it, and begin anew. The source was left as \
             it is.",
            all.collect::<Vec<_>>().join("\n")
        );
    }
    let tallies = compared.iter().flat_map(|(_, compared)| compared);
    let rows: u64 = tallies.map(|tally| tally.rows).sum();
    format!(
        "moved {rows} rows of {} tables from {places}; all were read anew on both sides, and counts \
         and checksums of every table are the same\n\
         {}\n\
         The source was left as it is: start one of the two and not the other, or what is still \
         open is sent twice.",
        compared.len(),
        keys.advice(to)
    )
}

fn difference(difference: &Difference) -> String {
    let Difference {
        table,
        source,
        target,
    } = difference;
    format!(
        "{table}: {} rows with checksum {:016x} in the source, {} with {:016x} in the target",
        source.rows, source.checksum, target.rows, target.checksum
    )
}

fn as_json([from, to]: [&Side; 2], compared: &[Compared]) -> serde_json::Value {
    let side = |tally: &Tally| {
        json!({
            "rows": tally.rows,
            "checksum": format!("{:016x}", tally.checksum),
        })
    };
    let tables = compared.iter().map(|(name, compared)| {
        let (source, target) = match compared {
            Ok(tally) => (tally, tally),
            Err(difference) => (&difference.source, &difference.target),
        };
        json!({ "name": name, "source": side(source), "target": side(target) })
    });
    json!({
        "from": from.shown(),
        "to": to.shown(),
        "same": compared.iter().all(|(_, compared)| compared.is_ok()),
        "tables": tables.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_both_sides_of_it() {
        let tally = |rows| Tally { rows, checksum: 7 };
        let difference = Difference {
            table: "message",
            source: tally(11),
            target: tally(10),
        };
        let compared = [("setting", Ok(tally(1))), ("message", Err(difference))];
        let side = |text| Side::parse("from", text).expect("it is one");
        let (from, to) = (side("a"), side("postgres://u:sesame@h/db"));
        let json = as_json([&from, &to], &compared);
        assert_eq!(json["same"], false);
        assert_eq!(json["tables"][1]["target"]["rows"], 10);
        let text = super::difference(&difference);
        assert!(
            text.contains("11 rows") && text.contains("10 with"),
            "{text}"
        );
        assert!(!json.to_string().contains("sesame"), "{json}");
    }
}
