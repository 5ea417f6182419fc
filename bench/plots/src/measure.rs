//! Measures along an axis, by running the bench. Each point is measured once in each round, so that
//! what changes on the machine meanwhile meets all of them alike.

use crate::axes::{Axis, COMMON, Extent, Runs};
use crate::figures::{Figures, Measured};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the bench reports, as far as it is drawn.
#[derive(Deserialize)]
struct Report {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rounds: Vec<Round>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    deliveries_per_second: f64,
    cpu_us: Option<f64>,
}

/// Measures everything along an axis.
pub(crate) fn along(program: &Path, axis: &Axis, extent: Extent) -> Result<Measured> {
    let points = match &axis.runs {
        Runs::Each(points) => {
            let labels = points.iter().map(|point| point.label.as_str());
            let mut figures: Vec<_> = labels.map(Figures::at).collect();
            for round in 1..=extent.rounds() {
                for (point, figures) in points.iter().zip(&mut figures) {
                    eprintln!("{}: {}, round {round}", axis.label, point.label);
                    let cases = bench(program, &point.arguments, 1)?;
                    figures.add(&cases)?;
                }
            }
            figures
        }
        Runs::Together(arguments, labels) => {
            eprintln!("{}: {}", axis.label, labels.join(" "));
            let cases = bench(program, arguments, extent.rounds())?;
            ensure!(cases.len() == labels.len(), "a case for each point");
            let mut figures: Vec<_> = labels.iter().map(|label| Figures::at(label)).collect();
            for (figures, case) in figures.iter_mut().zip(cases) {
                figures.add(&[case])?;
            }
            figures
        }
    };
    Ok(Measured {
        file: axis.file.to_owned(),
        label: axis.label.to_owned(),
        points,
    })
}

impl Figures {
    fn at(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            ..Self::default()
        }
    }

    fn add(&mut self, cases: &[Case]) -> Result<()> {
        for round in cases.iter().flat_map(|case| &case.rounds) {
            let cpu_us = round.cpu_us.context("CPU time is not known here")?;
            self.cpu_us.push(rounded(cpu_us));
            let per_second = rounded(round.deliveries_per_second);
            self.deliveries_per_second.push(per_second);
        }
        Ok(())
    }
}

/// No figure is good to more than a tenth.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn bench(program: &Path, arguments: &[String], rounds: usize) -> Result<Vec<Case>> {
    let mut command = Command::new(program);
    command
        .arg("bench")
        .args(COMMON)
        .args(["--rounds", &rounds.to_string()])
        .args(arguments);
    // Progress is shown.
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| {
        let build = "cargo build --release -p postrider";
        format!("{} can't be run: {build}", program.display())
    })?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    let report: Report = serde_json::from_slice(&output.stdout)?;
    Ok(report.cases)
}
