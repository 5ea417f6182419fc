//! What was measured along an axis, and the file that keeps it.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// An axis with its figures.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// The picture's name.
    pub(crate) file: String,
    /// What was varied, with its unit.
    pub(crate) label: String,
    /// In the order in which they are drawn.
    pub(crate) points: Vec<Figures>,
}

/// The figures at a point, of each round.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// What is written at it.
    pub(crate) label: String,
    /// Deliveries that arrived in a second.
    pub(crate) deliveries_per_second: Vec<f64>,
    /// CPU time of the server for each delivery, in microseconds.
    pub(crate) cpu_us: Vec<f64>,
}

/// Of values: the least, the median, the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `None` if there are no values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let upper = *values.get(values.len() / 2)?;
        Some(Self {
            least: *values.first()?,
            median: f64::midpoint(values[(values.len() - 1) / 2], upper),
            most: *values.last()?,
        })
    }
}

/// Reads what was measured last.
pub(crate) fn read(path: &Path) -> Result<Vec<Measured>> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("{} can't be read: measure first", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} has another form", path.display()))
}

/// Keeps what was measured.
pub(crate) fn write(path: &Path, measured: &[Measured]) -> Result<()> {
    let text = serde_json::to_string_pretty(measured)? + "\n";
    std::fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_middle_one_or_the_mean_of_two_in_the_middle() {
        assert_eq!(Spread::of(&[]), None);
        for (values, least, median, most) in [
            (&[4.0][..], 4.0, 4.0, 4.0),
            (&[9.0, 1.0], 1.0, 5.0, 9.0),
            (&[9.0, 1.0, 2.0], 1.0, 2.0, 9.0),
        ] {
            let spread = Spread {
                least,
                median,
                most,
            };
            assert_eq!(Spread::of(values), Some(spread), "{values:?}");
        }
    }
}
