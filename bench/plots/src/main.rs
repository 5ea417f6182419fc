//! `cargo plots`: measures what a delivery costs along several axes with `postrider bench`, and
//! draws a picture of each into `docs/plots`.
//!
//! It depends on no room of the product: it runs the release build as anyone could. It stands by
//! itself, not in xtask, so that the checks of the house need not build what draws. The figures
//! are kept beside the pictures; `--draw` draws them anew without measuring.

mod axes;
mod draw;
mod figures;
mod measure;

use anyhow::{Context as _, Result};
use axes::Extent;
use figures::Measured;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo plots [--quick | --draw]\n\n  \
    measures with target/release/postrider, for a quarter of an hour, and draws docs/plots/*.svg\n  \
    --quick   fewer points, once each, to try it: two minutes\n  \
    --draw    only draws anew what was measured last";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        [] => measure_all(Extent::Whole).and_then(|measured| draw_all(&measured)),
        ["--quick"] => measure_all(Extent::Quick).and_then(|measured| draw_all(&measured)),
        ["--draw"] => figures::read(&figures_file()).and_then(|measured| draw_all(&measured)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plots: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all(extent: Extent) -> Result<Vec<Measured>> {
    let program = root().join("target/release/postrider");
    let mut measured = Vec::new();
    for axis in axes::all(extent) {
        measured.push(measure::along(&program, &axis, extent)?);
    }
    std::fs::create_dir_all(folder()).context("docs/plots can't be made")?;
    figures::write(&figures_file(), &measured)?;
    Ok(measured)
}

fn draw_all(measured: &[Measured]) -> Result<()> {
    for axis in measured {
        let path = folder().join(format!("{}.svg", axis.file));
        std::fs::write(&path, draw::picture(axis)?)
            .with_context(|| format!("{} can't be written", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("docs/plots")
}

fn figures_file() -> PathBuf {
    folder().join("figures.json")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("bench/plots lies in the repository")
}
