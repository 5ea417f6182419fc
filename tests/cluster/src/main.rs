//! `cargo run -p cluster -- table`: runs every scenario, one after the other, and writes the table
//! of docs/reliability.md. It ends with a panic, and writes nothing, when a promise is broken.

use std::process::ExitCode;

use cluster::row::HEAD;
use cluster::{row::Row, scenarios};
use e2e::place;

const MARKS: [&str; 2] = ["<!-- table -->\n", "<!-- end of table -->\n"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments != ["table"] {
        eprintln!("usage: cargo run -p cluster -- table");
        return ExitCode::from(2);
    }
    let rows = [
        scenarios::killed().await,
        scenarios::stopped().await,
        scenarios::answers_lost().await,
        scenarios::cut_off().await,
        scenarios::database_killed().await,
        scenarios::failed_over().await,
        scenarios::failed_over_in_silence().await,
        scenarios::failed_over_and_gone_on().await,
        scenarios::pooler_killed().await,
        scenarios::pool_filled().await,
        scenarios::connections_run_out().await,
        scenarios::clocks_wrong().await,
        scenarios::restarted().await,
        scenarios::restarted_apart().await,
    ];
    let rows: Vec<String> = rows.iter().map(Row::to_string).collect();
    write(&format!("{HEAD}\n{}\n", rows.join("\n")));
    ExitCode::SUCCESS
}

/// Puts the table between the marks.
fn write(table: &str) {
    println!("{table}");
    let path = place::repository().join("docs/reliability.md");
    let text = std::fs::read_to_string(&path).expect("the document is there");
    let (before, rest) = text.split_once(MARKS[0]).expect("it has a mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("it has a second mark");
    let text = [before, MARKS[0], "\n", table, "\n", MARKS[1], after].concat();
    std::fs::write(&path, text).expect("the document can be written");
}
