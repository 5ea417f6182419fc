//! What is varied, and at which points. Everything else stays as [`COMMON`] has it, so that all
//! axes go through the same point.
//!
//! No point has fewer than 20,000 deliveries, since the system counts CPU time in ticks of 10 ms;
//! but for the largest payloads, of which 4,000 take as long.

/// What every measurement has, unless its axis says otherwise.
pub(crate) const COMMON: &[&str] = &[
    "--json",
    "--ways",
    "postrider",
    "--keys",
    "auto",
    "--clients",
    "64",
];

/// Deliveries at each point.
const DELIVERIES: u64 = 20_000;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every point, several times.
    Whole,
    /// To see whether it works.
    Quick,
}

/// One thing that is varied.
#[derive(Debug)]
pub(crate) struct Axis {
    /// The picture's name.
    pub(crate) file: &'static str,
    /// What is varied, with its unit.
    pub(crate) label: &'static str,
    /// How.
    pub(crate) runs: Runs,
}

/// How a round is measured.
#[derive(Debug)]
pub(crate) enum Runs {
    /// By a run of the bench for each point.
    Each(Vec<Point>),
    /// By one run for all, which does the rounds itself, with these labels for its cases.
    Together(Vec<String>, Vec<String>),
}

/// A point of an axis.
#[derive(Debug)]
pub(crate) struct Point {
    /// What is written at it.
    pub(crate) label: String,
    /// What the bench is told.
    pub(crate) arguments: Vec<String>,
}

impl Extent {
    /// How often each point is measured.
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Whole => 3,
            Self::Quick => 1,
        }
    }

    /// All of these points, or the first two.
    fn of<T: Copy>(self, points: &[T]) -> Vec<T> {
        let count = match self {
            Self::Whole => points.len(),
            Self::Quick => points.len().min(2),
        };
        points[..count].to_vec()
    }
}

/// Everything that is varied.
pub(crate) fn all(extent: Extent) -> Vec<Axis> {
    vec![
        payload(extent),
        counted(extent, &FAN_OUT),
        counted(extent, &APPLICATIONS),
        counted(extent, &BYSTANDERS),
        stored(extent),
    ]
}

fn payload(extent: Extent) -> Axis {
    let points = [
        ("0.1", 102, DELIVERIES),
        ("1", 1 << 10, DELIVERIES),
        ("4", 4 << 10, DELIVERIES),
        ("16", 16 << 10, DELIVERIES),
        ("64", 64 << 10, DELIVERIES),
        ("256", 256 << 10, DELIVERIES / 5),
    ];
    let point = |(label, bytes, messages): (&str, u64, u64)| Point {
        label: label.to_owned(),
        arguments: flags(&[("--payload", bytes), ("--messages", messages)]),
    };
    Axis {
        file: "payload",
        label: "payload, KiB",
        runs: Runs::Each(extent.of(&points).into_iter().map(point).collect()),
    }
}

/// An axis whose points are values of one flag.
struct Counted {
    file: &'static str,
    label: &'static str,
    flag: &'static str,
    values: &'static [u64],
    /// How many deliveries a message makes at a value.
    each: fn(u64) -> u64,
}

const FAN_OUT: Counted = Counted {
    file: "endpoints-per-message",
    label: "endpoints that get each message",
    flag: "--endpoints",
    values: &[1, 2, 5, 10, 50, 100],
    each: |endpoints| endpoints,
};

const APPLICATIONS: Counted = Counted {
    file: "applications",
    label: "applications, an endpoint each",
    flag: "--applications",
    values: &[1, 10, 100, 1_000, 10_000],
    each: |_| 1,
};

const BYSTANDERS: Counted = Counted {
    file: "endpoints",
    label: "endpoints that want other events",
    flag: "--bystanders",
    values: &[0, 10, 100, 1_000, 10_000],
    each: |_| 1,
};

fn counted(extent: Extent, axis: &Counted) -> Axis {
    let point = |value| Point {
        label: grouped(value),
        arguments: flags(&[
            (axis.flag, value),
            ("--messages", DELIVERIES / (axis.each)(value)),
        ]),
    };
    Axis {
        file: axis.file,
        label: axis.label,
        runs: Runs::Each(extent.of(axis.values).into_iter().map(point).collect()),
    }
}

fn stored(extent: Extent) -> Axis {
    let points = extent.of(&[0, 10_000, 100_000, 1_000_000]);
    let list: Vec<_> = points.iter().map(u64::to_string).collect();
    let arguments = ["--stored".to_owned(), list.join(",")];
    let messages = flags(&[("--messages", DELIVERIES)]);
    Axis {
        file: "stored",
        label: "messages in the store, with idempotency keys",
        runs: Runs::Together(
            [&arguments[..], &messages].concat(),
            points.into_iter().map(grouped).collect(),
        ),
    }
}

fn flags(flags: &[(&str, u64)]) -> Vec<String> {
    let words = |(name, value): &(&str, u64)| [(*name).to_owned(), value.to_string()];
    flags.iter().flat_map(words).collect()
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn every_message_of_a_fan_out_counts_as_often_as_it_is_delivered() {
        let axis = counted(Extent::Quick, &FAN_OUT);
        let Runs::Each(points) = axis.runs else {
            panic!("its points are measured by themselves");
        };
        let arguments = points.iter().map(|point| point.arguments.join(" "));
        assert_eq!(
            arguments.collect::<Vec<_>>(),
            [
                "--endpoints 1 --messages 20000",
                "--endpoints 2 --messages 10000"
            ]
        );
    }
}
