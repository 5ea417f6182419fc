//! The repository itself passes, and a finding reads as it should.

use super::*;

#[test]
fn the_house_is_tidy() {
    let report = run(crate::workspace_root()).expect("git, cargo and tidy.toml can be asked");
    assert!(report.findings.is_empty(), "\n{report}");
    assert!(report.files > 0, "git lists no file: nothing was checked");
}

#[test]
fn a_finding_says_where_what_and_which_rule() {
    let finding = Finding::new("head", "crates/x/src/a.rs", 1, "no head: begin with one");
    assert_eq!(
        finding.to_string(),
        "crates/x/src/a.rs:1: no head: begin with one [head]"
    );
}
