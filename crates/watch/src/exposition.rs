//! What monitoring is told: families of samples, each with a name, a kind and what it means; and
//! the text of them that Prometheus reads (its text format, version 0.0.4). What is counted, and
//! where, is others' business, and so are other forms.
//!
//! A family's head is written although it has no sample, so that the names are the same on every
//! node, whatever it does.

use model::meter::{BOUNDS, Durations};
use std::fmt::Write as _;

/// Families in the making.
#[derive(Debug, Default)]
pub struct Exposition(Vec<Told>);

/// A family, and all its samples.
#[derive(Debug)]
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// How its samples are read.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// What was counted.
    pub samples: Vec<Sample>,
}

/// How samples are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They only grow.
    Counter,
    /// They go up and down.
    Gauge,
    /// They are durations.
    Durations,
}

/// One sample.
#[derive(Debug)]
pub struct Sample {
    /// What tells it apart from others of its family.
    pub labels: Vec<(&'static str, String)>,
    /// How much.
    pub value: Value,
}

/// How much it is.
#[derive(Debug)]
pub enum Value {
    /// A number.
    Number(f64),
    /// In a family of durations.
    Durations(Box<Durations>),
}

/// A family that samples are added to.
pub struct Family<'t>(&'t mut Told);

/// What tells a family's samples apart.
pub type Labels<'l> = &'l [(&'static str, &'l str)];

impl Exposition {
    /// What only grows. Its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Counter, help)
    }

    /// What goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Gauge, help)
    }

    /// Durations. Its name ends in `_seconds`.
    pub fn durations(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Durations, help)
    }

    fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        Family(self.0.push_mut(Told {
            name,
            kind,
            help,
            samples: Vec::new(),
        }))
    }

    /// All families, in their order.
    pub fn families(self) -> Vec<Told> {
        self.0
    }

    /// The whole text.
    pub fn end(self) -> String {
        let mut text = String::new();
        for family in &self.0 {
            family.write(&mut text);
        }
        text
    }
}

impl Family<'_> {
    /// A sample.
    pub fn with(&mut self, labels: Labels<'_>, value: f64) -> &mut Self {
        self.sample(labels, Value::Number(value))
    }

    /// A sample that is all there is.
    pub fn is(&mut self, value: f64) -> &mut Self {
        self.with(&[], value)
    }

    /// Durations, by class and together.
    pub fn took(&mut self, labels: Labels<'_>, durations: &Durations) -> &mut Self {
        self.sample(labels, Value::Durations(Box::new(*durations)))
    }

    fn sample(&mut self, labels: Labels<'_>, value: Value) -> &mut Self {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).into()));
        self.0.samples.push(Sample {
            labels: labels.collect(),
            value,
        });
        self
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Durations => "histogram",
        }
    }
}

impl Told {
    fn write(&self, text: &mut String) {
        let (name, kind) = (self.name, self.kind.word());
        let help = self.help.replace('\\', r"\\").replace('\n', r"\n");
        write(
            text,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        for sample in &self.samples {
            match &sample.value {
                Value::Number(value) => self.line(text, ("", sample), None, *value),
                Value::Durations(durations) => self.classes(text, sample, durations),
            }
        }
    }

    fn classes(&self, text: &mut String, sample: &Sample, durations: &Durations) {
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(&durations.classes) {
            below += count;
            let bound = bound.as_secs_f64().to_string();
            self.line(text, ("_bucket", sample), Some(&bound), below as f64);
        }
        let count = durations.count() as f64;
        self.line(text, ("_bucket", sample), Some("+Inf"), count);
        self.line(text, ("_sum", sample), None, durations.sum.as_secs_f64());
        self.line(text, ("_count", sample), None, count);
    }

    fn line(
        &self,
        text: &mut String,
        (suffix, sample): (&str, &Sample),
        bound: Option<&str>,
        value: f64,
    ) {
        write(text, format_args!("{}{suffix}", self.name));
        let labels = sample.labels.iter();
        let labels = labels.map(|(name, value)| (*name, value.as_str()));
        let mut separator = '{';
        for (name, value) in labels.chain(bound.map(|bound| ("le", bound))) {
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
