//! Of the report for people, what a flood did to good requests, and whether what is demanded of the
//! gateway held.

use super::table::{figures_to_the_right, rare, shown, usual};
use bench::report::{Answers, Bound, Demand, FloodReport, GoodFigures, What};
use comfy_table::{Table, presets};

/// Good requests without the flood and with it, and what became of the flood.
pub(super) fn of(flood: &FloodReport) -> String {
    let FloodReport {
        rate,
        seconds,
        clients,
        connections,
        median,
        ..
    } = flood;
    let (accept, end_to_end) = (median.accept_p99_of_quiet, median.end_to_end_p99_of_quiet);
    format!(
        "{rate} good requests a second from {clients} clients for {seconds} s, a quarter of what the \
         gateway took\n{}\n\
         p99 in the flood, of the quiet one: accept {}, end to end {}\n\
         flood of badly signed requests, on {connections} connections: {:.0} requests/s, \
         CPU-µs of the server for each: {}\n\
         they were answered {}",
        table(&median.quiet, &median.flooded),
        shown(accept, 2),
        shown(end_to_end, 2),
        median.requests_per_second,
        shown(median.cpu_us, 1),
        answers(&median.answers),
    )
}

/// Whether each demand held.
pub(super) fn judged(demands: &[Demand]) -> String {
    let mut table = Table::new();
    let header = ["demanded of the gateway", "", "measured", "held"];
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    for demand in demands {
        let bound = match demand.bound {
            Bound::Least(bound) => format!("at least {bound}"),
            Bound::Most(bound) => format!("at most {bound}"),
            Bound::Below(bound) => format!("less than {bound}"),
        };
        let held = if demand.held { "yes" } else { "no" };
        let figure = format!("{:.2}", demand.figure);
        table.add_row([name(demand), bound, figure, held.to_owned()]);
    }
    figures_to_the_right(&mut table);
    table.to_string()
}

fn name(demand: &Demand) -> String {
    let clients = demand.clients;
    match demand.what {
        What::OfRelay => format!("of the relay's, {clients} clients"),
        What::Lost => format!("lost, {clients} clients"),
        What::GoodRefused => "good requests refused".to_owned(),
        What::GoodLost => "good requests lost".to_owned(),
        What::AcceptP99OfQuiet => "p99 in the flood, of the quiet one".to_owned(),
        What::MoreMib => "more memory in the flood, MiB".to_owned(),
    }
}

fn table(quiet: &GoodFigures, flooded: &GoodFigures) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "good requests",
        "quiet",
        "in the flood",
    ]);
    for (name, show) in ROWS {
        table.add_row([(*name).to_owned(), show(quiet), show(flooded)]);
    }
    figures_to_the_right(&mut table);
    table
}

/// A row: its name, and what it shows of good requests.
type Row = (&'static str, fn(&GoodFigures) -> String);

const ROWS: &[Row] = &[
    ("accept p50 / p99, ms", |good| usual(good.accept_ms)),
    ("  p99.9 / max", |good| rare(good.accept_ms)),
    ("end to end p50 / p99, ms", |good| usual(good.end_to_end_ms)),
    ("  p99.9 / max", |good| rare(good.end_to_end_ms)),
    ("peak memory until then, MiB", |good| {
        shown(good.peak_mib, 0)
    }),
    ("refused", |good| good.refused.to_string()),
    ("lost", |good| good.lost.to_string()),
    ("repeated", |good| good.repeated.to_string()),
];

/// Each status with how often it came.
fn answers(answers: &Answers) -> String {
    let statuses = answers.statuses.iter();
    let mut parts: Vec<_> = statuses
        .map(|(status, count)| format!("{status}: {count}"))
        .collect();
    if answers.unanswered > 0 {
        parts.push(format!("not at all: {}", answers.unanswered));
    }
    parts.push(format!("connections made: {}", answers.connections));
    parts.join(", ")
}
