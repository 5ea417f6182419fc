//! The report for people: a table for each number of clients, with a column for each way; and one
//! with a row for each number of nodes. Of options, a table with a row for each.

use super::flooded;
use bench::Report;
use bench::plan::{Case, Size};
use bench::report::{Figures, Latency, Measured};
use bench::{Company, EndpointOption, Way};
use comfy_table::{CellAlignment, Table, presets};

/// Everything, as text.
pub(super) fn of(report: &Report) -> String {
    let mut numbers: Vec<_> = report.cases.iter().map(|case| case.case.clients).collect();
    numbers.dedup();
    let mut text = headline(&report.size);
    if let Some(other) = &report.other {
        text.push_str(&format!("\nother: {other}"));
    }
    for clients in numbers {
        let cases = report.cases.iter();
        let cases: Vec<_> = cases.filter(|case| case.case.clients == clients).collect();
        text.push_str(&format!("\n\n{clients} clients\n{}", main(&cases)));
        let of_nodes = |case: &&Measured| case.case.nodes.is_some();
        let nodes: Vec<_> = cases.iter().copied().filter(of_nodes).collect();
        if !nodes.is_empty() {
            text.push_str(&format!("\n{}", by_nodes(&nodes)));
        }
    }
    if let Some(flood) = &report.flood {
        text.push_str(&format!("\n\n{}", flooded::of(flood)));
    }
    if !report.demands.is_empty() {
        text.push_str(&format!("\n\n{}\n", flooded::judged(&report.demands)));
    }
    text.push_str(&format!("\nlost: {}", report.lost));
    text
}

/// What a case is called.
pub(super) fn name(case: &Case) -> String {
    let way = match case.way {
        Way::Raw => return "raw".to_owned(),
        Way::Relay => return "relay".to_owned(),
        Way::Postrider => "postrider",
        Way::Other => "other",
        Way::Gateway => "gateway",
    };
    let nodes = match case.nodes {
        None => String::new(),
        Some(1) => ", 1 node".to_owned(),
        Some(nodes) => format!(", {nodes} nodes"),
    };
    let keys = if case.keys { "" } else { ", no keys" };
    let stored = match case.stored {
        0 => String::new(),
        stored => format!(", {stored} stored"),
    };
    let company = match case.company {
        Company::Nobody => String::new(),
        company => format!(", beside {company}"),
    };
    let option = case
        .option
        .map_or(String::new(), |option| format!(", {option}"));
    format!("{way}{nodes}{keys}{stored}{company}{option}")
}

fn headline(size: &Size) -> String {
    let Size {
        messages,
        payload_bytes,
        applications,
        endpoints,
        bystanders,
        batch,
        rate,
    } = size;
    let applications = match applications {
        1 => String::new(),
        _ => format!(" of one of {applications} applications"),
    };
    let bystanders = match bystanders {
        0 => String::new(),
        _ => format!(", past {bystanders} others in each application"),
    };
    let batch = batch.map_or(String::new(), |batch| format!(", in batches of {batch}"));
    let rate = rate.map_or(String::new(), |rate| format!(", {rate} a second"));
    format!(
        "{messages} messages of {payload_bytes} bytes to each of {endpoints} endpoints\
         {applications}{bystanders}{batch}{rate}"
    )
}

fn main(cases: &[&Measured]) -> Table {
    match cases.iter().any(|case| case.case.option.is_some()) {
        true => by_row(cases, OF_OPTIONS),
        false => table(cases),
    }
}

fn table(cases: &[&Measured]) -> Table {
    let mut table = Table::new();
    let names = cases
        .iter()
        .map(|case| name(&case.case).replace(", ", "\n"));
    let header: Vec<_> = std::iter::once(String::new()).chain(names).collect();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    for (name, show) in ROWS {
        let cells = cases.iter().map(|case| show(case));
        table.add_row(std::iter::once((*name).to_owned()).chain(cells));
    }
    for (name, show) in FURTHER_ROWS {
        let cells: Vec<_> = cases.iter().map(|case| show(case)).collect();
        if cells.iter().any(|cell| !cell.starts_with(NOTHING)) {
            table.add_row(std::iter::once((*name).to_owned()).chain(cells));
        }
    }
    figures_to_the_right(&mut table);
    table
}

/// How what is measured grows with the number of nodes.
fn by_nodes(cases: &[&Measured]) -> Table {
    by_row(cases, COLUMNS)
}

/// A table with a row for each case.
fn by_row(cases: &[&Measured], columns: &[Row]) -> Table {
    let mut table = Table::new();
    let header = std::iter::once("").chain(columns.iter().map(|(name, _)| *name));
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    for case in cases {
        let name = name(&case.case).replace("postrider, ", "");
        let cells = columns.iter().map(|(_, show)| show(case));
        table.add_row(std::iter::once(name).chain(cells));
    }
    figures_to_the_right(&mut table);
    table
}

pub(super) fn figures_to_the_right(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// A row: its name, and what it shows of a case.
type Row = (&'static str, fn(&Measured) -> String);

const ROWS: &[Row] = &[
    ("messages/s", |case| whole(case.median.messages_per_second)),
    ("deliveries/s", |case| {
        whole(case.median.deliveries_per_second)
    }),
    ("  of all rounds", |case| {
        range(case, |f| Some(f.deliveries_per_second))
    }),
    ("of the relay's", |case| shown(case.median.of_relay, 2)),
    ("accept p50 / p99, ms", |case| usual(case.median.accept_ms)),
    ("  p99.9 / max", |case| rare(case.median.accept_ms)),
    ("commit p50 / p99, ms", |case| usual(case.median.commit_ms)),
    ("  p99.9 / max", |case| rare(case.median.commit_ms)),
    ("end to end p50 / p99, ms", |case| {
        usual(case.median.end_to_end_ms)
    }),
    ("  p99.9 / max", |case| rare(case.median.end_to_end_ms)),
    ("CPU-µs per delivery", |case| shown(case.median.cpu_us, 1)),
    ("  of all rounds", |case| range(case, |f| f.cpu_us)),
    ("  of client and receiver", |case| {
        shown(case.median.harness_cpu_us, 1)
    }),
    ("peak memory, MiB", |case| shown(case.median.peak_mib, 0)),
    ("lost", |case| case.median.lost.to_string()),
    ("repeated", |case| case.median.repeated.to_string()),
];

/// Of what was asked for besides: only where there is something to show.
const FURTHER_ROWS: &[Row] = &[
    ("CPU-µs of the nodes", |case| {
        shown(case.median.nodes_cpu_us, 1)
    }),
    ("CPU-µs of PostgreSQL", |case| {
        shown(case.median.database_cpu_us, 1)
    }),
    ("CPU, of the empty store's", |case| {
        shown(case.median.of_empty, 2)
    }),
    ("end to end p99, of alone", |case| {
        shown(case.median.of_alone, 2)
    }),
    ("list p50 / p99, ms", |case| usual(case.median.list_ms)),
    ("search p50 / p99, ms", |case| usual(case.median.search_ms)),
    ("start after a kill, ms", |case| {
        shown(case.median.start_after_kill_ms, 0)
    }),
    ("start after an end, ms", |case| {
        shown(case.median.start_after_end_ms, 0)
    }),
];

/// Of the table by nodes: what the fewest nodes are compared with is nothing.
const COLUMNS: &[Row] = &[
    ("deliveries/s", |case| {
        whole(case.median.deliveries_per_second)
    }),
    ("of the\nrelay's", |case| shown(case.median.of_relay, 2)),
    ("of the\nfewest\nnodes'", |case| {
        shown(case.median.rate_of_fewest_nodes, 2)
    }),
    ("CPU-µs,\nnodes", |case| shown(case.median.nodes_cpu_us, 1)),
    ("Postgre-\nSQL", |case| {
        shown(case.median.database_cpu_us, 1)
    }),
    ("to-\ngether", |case| shown(case.median.cpu_us, 1)),
    ("of the\nfewest\nnodes'", |case| {
        shown(case.median.cpu_of_fewest_nodes, 2)
    }),
    ("of the\nempty\nstore's", |case| {
        shown(case.median.of_empty, 2)
    }),
    ("end to end\np50 / p99, ms", |case| {
        usual(case.median.end_to_end_ms)
    }),
    ("lost", |case| case.median.lost.to_string()),
    ("repeated", |case| case.median.repeated.to_string()),
];

/// Of the table by options. The mean of the differences says with its error how sure it is.
const OF_OPTIONS: &[Row] = &[
    ("CPU-µs per\ndelivery", |case| shown(case.median.cpu_us, 1)),
    ("of all\nrounds", |case| range(case, |f| f.cpu_us)),
    ("more\nthan", |case| {
        let base = case.case.option.and_then(EndpointOption::base);
        base.map_or(NOTHING.to_owned(), |base| base.to_string())
    }),
    ("by\nCPU-µs", |case| {
        shown(case.median.more_than_base_us, 1)
    }),
    ("of all\nrounds", |case| {
        finer_range(case, |f| f.more_than_base_us)
    }),
    ("mean, with\nits error", |case| {
        mean(case, |f| f.more_than_base_us)
    }),
    ("new con-\nnections", |case| {
        shown(case.median.connections, 0)
    }),
    ("lost", |case| case.median.lost.to_string()),
    ("repeated", |case| case.median.repeated.to_string()),
];

/// What is shown where there is nothing.
const NOTHING: &str = "–";

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

pub(super) fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or(NOTHING.to_owned(), |value| format!("{value:.digits$}"))
}

fn range(case: &Measured, figure: fn(&Figures) -> Option<f64>) -> String {
    let range = |(least, most)| format!("{least:.0} – {most:.0}");
    ends(case, figure).map_or(NOTHING.to_owned(), range)
}

/// Of what may be less than nothing, and is about one.
fn finer_range(case: &Measured, figure: fn(&Figures) -> Option<f64>) -> String {
    let range = |(least, most)| format!("{least:.1} to {most:.1}");
    ends(case, figure).map_or(NOTHING.to_owned(), range)
}

/// The least and the most of all rounds.
fn ends(case: &Measured, figure: fn(&Figures) -> Option<f64>) -> Option<(f64, f64)> {
    let values = || case.rounds.iter().filter_map(figure);
    values().reduce(f64::min).zip(values().reduce(f64::max))
}

/// The mean of all rounds, and the standard error of that.
fn mean(case: &Measured, figure: fn(&Figures) -> Option<f64>) -> String {
    let values: Vec<_> = case.rounds.iter().filter_map(figure).collect();
    let count = values.len() as f64;
    if values.len() < 2 {
        return NOTHING.to_owned();
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    format!("{mean:.1} ± {error:.1}")
}

pub(super) fn usual(latency: Option<Latency>) -> String {
    let show = |latency: Latency| format!("{:.2} / {:.2}", latency.p50, latency.p99);
    latency.map_or(NOTHING.to_owned(), show)
}

pub(super) fn rare(latency: Option<Latency>) -> String {
    let show = |latency: Latency| format!("{:.2} / {:.2}", latency.p999, latency.max);
    latency.map_or(NOTHING.to_owned(), show)
}
