//! Whether a plan finds the rows of tables that grow by their keys, and says where it does not.

use crate::log::Run;
use serde_json::Value;

/// What is wrong with a scan of a table that grows; nothing, for a plan that is bound.
pub(crate) fn faults(run: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    visit(&run.plan, None, &mut faults);
    faults
}

/// `table`: that of the bitmap scan above.
fn visit(node: &Value, table: Option<&str>, faults: &mut Vec<String>) {
    let text = |key| node[key].as_str();
    let kind = text("Node Type").unwrap_or_default();
    let own = text("Relation Name").map(parent).or(table);
    if let Some(table) = own
        && let Some(fault) = fault(table, kind, (text("Index Cond"), text("Filter")))
    {
        faults.push(format!("{kind} of {table}: {fault}"));
    }
    let below = match kind {
        "Bitmap Heap Scan" | "BitmapOr" | "BitmapAnd" => own,
        _ => None,
    };
    for child in node["Plans"].as_array().into_iter().flatten() {
        let scanned = child["Relation Name"].as_str().map(parent);
        if kind == "Materialize" && scanned.is_some_and(grows) {
            faults.push(format!("keeps all it finds in {scanned:?} in memory"));
        }
        visit(child, below, faults);
    }
}

/// The table that a partition is one of.
pub(crate) fn parent(table: &str) -> &str {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match table.rsplit_once('_') {
        Some((parent, number)) if is_number(number) => parent,
        _ => table,
    }
}

/// Whether a table grows with traffic.
pub(crate) fn grows(table: &str) -> bool {
    key(table).is_some()
}

/// What must be asked for, with one value each, of a table that grows.
fn key(table: &str) -> Option<&'static [&'static str]> {
    match table {
        "message" | "attempt" | "excerpt" | "event_key" => Some(&["application = "]),
        // Whoever reads one knows all of its key.
        "payload" => Some(&["expires_at = ", "application = ", "message = "]),
        // The fingerprint is a hash of who asks, for what, and the key.
        "idempotency" => Some(&["hour ", "fingerprint = "]),
        // A hash of what came in.
        "replay_key" => Some(&["(key = "]),
        _ => None,
    }
}

fn fault(
    table: &str,
    kind: &str,
    (condition, filter): (Option<&str>, Option<&str>),
) -> Option<String> {
    if kind == "Seq Scan" {
        let small = !grows(table) && table != "delivery";
        return (!small).then(|| "reads all of it".to_owned());
    }
    if kind == "ModifyTable" || kind == "Bitmap Heap Scan" {
        return None;
    }
    let condition = condition.unwrap_or_default();
    if table == "delivery" && condition.is_empty() {
        return Some("reads all of it, by an index".to_owned());
    }
    let key = key(table)?;
    let is_bound = key.iter().all(|part| condition.contains(part));
    let is_whole = table == "replay_key";
    // The application alone is all that it ever got.
    if !is_bound || !(is_whole || condition.contains(" AND ")) {
        return Some(format!("by {condition:?} only"));
    }
    // A message has few attempts at an endpoint, and nothing is read of others.
    let few = condition.contains("(message = ") && condition.contains("(endpoint = ");
    let filter = filter.filter(|_| !few && !is_whole)?;
    Some(format!(
        "by {condition:?}, and looks through that for {filter:?}"
    ))
}
