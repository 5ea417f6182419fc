//! The plans that a server with `auto_explain` has logged, as the store's own statements had them.

use private_postgres::Server;
use serde_json::Value;
use std::collections::BTreeMap;

/// What makes a server log the plan of every statement, with what it really read.
pub(crate) const OPTIONS: [&str; 8] = [
    "session_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_analyze=on",
    "auto_explain.log_timing=off",
    "auto_explain.log_buffers=on",
    "auto_explain.log_settings=on",
    "auto_explain.log_format=json",
    "autovacuum=off",
];

/// A statement as it was run.
pub(crate) struct Run {
    /// With single spaces.
    pub(crate) statement: String,
    pub(crate) plan: Value,
}

impl Run {
    /// The pages that it read.
    pub(crate) fn buffers(&self) -> u64 {
        let of = |kind| self.plan[kind].as_u64().unwrap_or(0);
        of("Shared Hit Blocks") + of("Shared Read Blocks")
    }
}

/// What the store has run, in the server's order. What others have run is told apart by the
/// settings, which are the store's.
pub(crate) fn runs(server: &Server) -> Vec<Run> {
    let log = std::fs::read_to_string(server.directory().join("log")).expect("it logs");
    let mut lines = log.lines().peekable();
    let mut runs = Vec::new();
    while let Some(line) = lines.next() {
        if !line.ends_with("plan:") {
            continue;
        }
        let mut text = String::new();
        while let Some(more) = lines.next_if(|more| more.starts_with('\t')) {
            text.push_str(more);
        }
        let mut entry: Value = serde_json::from_str(&text).expect("it logs JSON");
        let settings = &entry["Settings"];
        if settings["plan_cache_mode"] != "force_generic_plan" {
            continue;
        }
        assert_eq!(settings["enable_seqscan"], "off", "{text}");
        let statement = entry["Query Text"].as_str().expect("it is logged with it");
        let words: Vec<&str> = statement.split_whitespace().collect();
        runs.push(Run {
            statement: words.join(" "),
            plan: entry["Plan"].take(),
        });
    }
    runs
}

/// Each statement once with each form of its plan.
pub(crate) fn distinct(runs: Vec<Run>) -> Vec<Run> {
    let forms = runs.into_iter().map(|run| {
        let form = format!("{} {}", run.statement, form(&run.plan));
        (form, run)
    });
    forms.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// A plan without what it read.
fn form(node: &Value) -> String {
    let below = node["Plans"].as_array().into_iter().flatten();
    let below: Vec<String> = below.map(form).collect();
    let own = ["Node Type", "Index Name", "Index Cond", "Filter"].map(|key| node[key].to_string());
    format!("{own:?}{below:?}")
}
