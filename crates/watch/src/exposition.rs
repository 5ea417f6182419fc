//! The text that Prometheus reads (its text format, version 0.0.4): families of samples, each with
//! a name, a kind and what it means. What is counted, and where, is others' business.
//!
//! A family's head is written although it has no sample, so that the names are the same on every
//! node, whatever it does.

use model::meter::{BOUNDS, Durations};
use std::fmt::Write as _;

/// A text in the making.
#[derive(Debug, Default)]
pub struct Exposition(String);

/// A family that samples are added to.
pub struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

/// What tells a family's samples apart.
pub type Labels<'l> = &'l [(&'static str, &'l str)];

impl Exposition {
    /// What only grows. Its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// What goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// Durations. Its name ends in `_seconds`.
    pub fn durations(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let text = &mut self.0;
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        write(
            text,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        Family { text, name }
    }

    /// The whole text.
    pub fn end(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// A sample.
    pub fn with(&mut self, labels: Labels<'_>, value: f64) -> &mut Self {
        self.sample("", labels, None, value)
    }

    /// A sample that is all there is.
    pub fn is(&mut self, value: f64) -> &mut Self {
        self.with(&[], value)
    }

    /// Durations, by class and together.
    pub fn took(&mut self, labels: Labels<'_>, durations: &Durations) -> &mut Self {
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(&durations.classes) {
            below += count;
            let bound = bound.as_secs_f64().to_string();
            self.sample("_bucket", labels, Some(&bound), below as f64);
        }
        let count = durations.count() as f64;
        self.sample("_bucket", labels, Some("+Inf"), count);
        self.sample("_sum", labels, None, durations.sum.as_secs_f64());
        self.sample("_count", labels, None, count)
    }

    fn sample(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: f64,
    ) -> &mut Self {
        let text = &mut *self.text;
        write(text, format_args!("{}{suffix}", self.name));
        let bound = bound.map(|bound| ("le", bound));
        let mut separator = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            write(
                text,
                format_args!("{separator}{name}=\"{}\"", escaped(value)),
            );
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        write(text, format_args!(" {value}\n"));
        self
    }
}

fn escaped(value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('"', "\\\"");
    value.replace('\n', r"\n")
}

fn write(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::meter::Stopwatch;
    use std::time::Duration;

    #[test]
    fn a_family_has_a_head_and_its_samples() {
        let mut text = Exposition::default();
        text.counter("things_total", "Things, \\ and\nmore.")
            .with(&[("kind", "a \"b\"\\\n"), ("other", "x")], 3.0)
            .with(&[("kind", "c")], 0.5);
        text.gauge("nothing", "No sample.");
        text.gauge("one", "One.").is(12_345_678_901.0);
        let expected = "# HELP things_total Things, \\\\ and\\nmore.\n\
            # TYPE things_total counter\n\
            things_total{kind=\"a \\\"b\\\"\\\\\\n\",other=\"x\"} 3\n\
            things_total{kind=\"c\"} 0.5\n\
            # HELP nothing No sample.\n# TYPE nothing gauge\n\
            # HELP one One.\n# TYPE one gauge\none 12345678901\n";
        assert_eq!(text.end(), expected);
    }

    #[test]
    fn buckets_hold_whatever_is_not_longer_than_their_bound() {
        let stopwatch = Stopwatch::default();
        for millis in [1, 2, 2, 7_200_000] {
            stopwatch.took(Duration::from_millis(millis));
        }
        let mut text = Exposition::default();
        text.durations("took_seconds", "Durations.")
            .took(&[("of", "x")], &stopwatch.read());
        let text = text.end();
        for line in [
            "took_seconds_bucket{of=\"x\",le=\"0.0005\"} 0",
            "took_seconds_bucket{of=\"x\",le=\"0.001\"} 1",
            "took_seconds_bucket{of=\"x\",le=\"0.0025\"} 3",
            "took_seconds_bucket{of=\"x\",le=\"3600\"} 3",
            "took_seconds_bucket{of=\"x\",le=\"+Inf\"} 4",
            "took_seconds_sum{of=\"x\"} 7200.005",
            "took_seconds_count{of=\"x\"} 4",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}: {text}");
        }
    }
}
