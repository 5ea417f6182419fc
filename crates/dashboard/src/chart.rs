//! Charts, drawn on the server: numbers over time as bars that stand on each other, or as lines.
//! Each has a title and a sentence for those who don't see it, and its figures as a table that
//! anybody can open. Colours are the style sheet's; nothing here is told by them alone.

use crate::parts::{self, count};
use maud::{Markup, html};

/// The drawing's size, in units that are about a pixel on a wide screen.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 170.0;
/// What is left around the plot: for the scale, and for times.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;

/// How numbers are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A bar for each point: the first series stands below the second.
    Bars,
    /// A line for each series.
    Lines,
}

/// Numbers over time.
pub(crate) struct Chart<'a> {
    /// What it is called among the page's elements.
    pub(crate) id: &'a str,
    /// What it shows.
    pub(crate) title: &'a str,
    /// How it is drawn.
    pub(crate) shape: Shape,
    /// What is counted: how each is called, and the class of its colour.
    pub(crate) series: &'a [(&'a str, &'a str)],
    /// How much there was of each, by time.
    pub(crate) points: &'a [Point],
    /// The same for the table, which may be by longer times.
    pub(crate) rows: &'a [Point],
    /// What a row of the table is called.
    pub(crate) unit: &'a str,
}

/// What was counted at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    /// The time, as people read it.
    pub(crate) at: String,
    /// How much of each series.
    pub(crate) values: Vec<u64>,
}

impl Chart<'_> {
    /// The chart with its figures, or a word that there is nothing yet.
    pub(crate) fn show(&self) -> Markup {
        html! {
            figure.figure {
                figcaption #{ (self.id) "-title" } { (self.title) }
                @if self.points.is_empty() { p.empty { "Nothing has been counted yet." } }
                @else {
                    (self.drawing())
                    (self.legend())
                    details {
                        summary { "The same in figures" }
                        (self.table())
                    }
                }
            }
        }
    }

    fn drawing(&self) -> Markup {
        let top = round_up(self.highest());
        let view = format!("0 0 {WIDTH} {HEIGHT}");
        html! {
            svg.chart viewBox=(view) role="img"
                aria-labelledby={ (self.id) "-title" } aria-describedby={ (self.id) "-text" } {
                desc #{ (self.id) "-text" } { (self.sentence()) }
                (scale(top))
                @match self.shape {
                    Shape::Bars => (self.bars(top)),
                    Shape::Lines => (self.lines(top)),
                }
                (self.times())
            }
        }
    }

    /// What the drawing shows, for those who don't see it.
    fn sentence(&self) -> String {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return String::new();
        };
        let mut text = format!("From {} to {}.", first.at, last.at);
        for (index, (name, _)) in self.series.iter().enumerate() {
            let all = self.points.iter().map(|point| point.value(index));
            let sum = all.clone().fold(0_u64, u64::saturating_add);
            let most = all.max().unwrap_or_default();
            text.push_str(&format!(
                " {name}: {} in all, at most {} at a time.",
                count(sum),
                count(most)
            ));
        }
        text
    }

    /// The highest place that is drawn at.
    fn highest(&self) -> u64 {
        let heights = self.points.iter().map(|point| match self.shape {
            Shape::Bars => point.sum(self.series.len()),
            Shape::Lines => point.values.iter().copied().max().unwrap_or_default(),
        });
        heights.max().unwrap_or_default()
    }

    fn bars(&self, top: u64) -> Markup {
        let step = (WIDTH - LEFT - RIGHT) / self.points.len() as f64;
        let width = number((step * 0.8).min(24.0));
        html! {
            @for (place, point) in self.points.iter().enumerate() {
                @let x = number(LEFT + step * (place as f64 + 0.1));
                @for (index, (_, class)) in self.series.iter().enumerate() {
                    @let below = point.values[..index].iter().copied().fold(0, u64::saturating_add);
                    @let above = below.saturating_add(point.value(index));
                    @let (from, to) = (y(below, top), y(above, top));
                    @if from > to {
                        rect class=(class) x=(x) width=(width)
                            y=(number(to)) height=(number(from - to)) {}
                    }
                }
            }
        }
    }

    /// A single point is a line as wide as the plot.
    fn lines(&self, top: u64) -> Markup {
        let steps = (self.points.len() - 1).max(1) as f64;
        let x = |place: usize| LEFT + (WIDTH - LEFT - RIGHT) * place as f64 / steps;
        let line = |index: usize| {
            let mut places: Vec<String> = Vec::with_capacity(self.points.len() + 1);
            for (place, point) in self.points.iter().enumerate() {
                let height = number(y(point.value(index), top));
                places.push(format!("{},{height}", number(x(place))));
                if self.points.len() == 1 {
                    places.push(format!("{},{height}", number(x(1))));
                }
            }
            places.join(" ")
        };
        html! {
            @for (index, (_, class)) in self.series.iter().enumerate() {
                polyline class={ "line " (class) } points=(line(index)) {}
            }
        }
    }

    /// The first, the middle and the last.
    fn times(&self) -> Markup {
        let (last, below) = (self.points.len() - 1, number(HEIGHT - 6.0));
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        html! {
            text x=(number(LEFT)) y=(below) text-anchor="start" { (self.points[0].at) }
            @if last > 1 {
                text x=(number(middle)) y=(below) text-anchor="middle" { (self.points[last / 2].at) }
            }
            @if last > 0 {
                text x=(number(WIDTH - RIGHT)) y=(below) text-anchor="end" { (self.points[last].at) }
            }
        }
    }

    fn legend(&self) -> Markup {
        let stands = match self.shape {
            Shape::Bars => [" (below)", " (above)"],
            Shape::Lines => [""; 2],
        };
        html! {
            @if self.series.len() > 1 {
                ul.legend {
                    @for ((name, class), stands) in self.series.iter().zip(stands) {
                        li { span class={ "key " (class) } aria-hidden="true" {} (name) (stands) }
                    }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        let names = self.series.iter().map(|(name, _)| *name);
        let heads: Vec<&str> = std::iter::once(self.unit).chain(names).collect();
        let row = |point: &Point| {
            let values = point.values.iter().map(|value| html! { (count(*value)) });
            let at = html! { (point.at) };
            std::iter::once(at).chain(values).collect()
        };
        let rows = self.rows.iter().rev().map(row).collect();
        parts::table(self.title, &heads, rows, "Nothing")
    }
}

impl Point {
    fn value(&self, index: usize) -> u64 {
        self.values.get(index).copied().unwrap_or_default()
    }

    /// Of so many series.
    fn sum(&self, series: usize) -> u64 {
        let values = self.values.iter().take(series).copied();
        values.fold(0, u64::saturating_add)
    }
}

/// Three heights, with what they stand for.
fn scale(top: u64) -> Markup {
    let mut heights = vec![0, top];
    if top.is_multiple_of(2) {
        heights.insert(1, top / 2);
    }
    html! {
        @for height in heights {
            @let at = y(height, top);
            @let (from, to) = (number(LEFT), number(WIDTH - RIGHT));
            line.axis x1=(from) x2=(to) y1=(number(at)) y2=(number(at)) {}
            text x=(number(LEFT - 5.0)) y=(number(at + 4.0)) text-anchor="end" { (brief(height)) }
        }
    }
}

/// Where a value is drawn.
fn y(value: u64, top: u64) -> f64 {
    let part = value as f64 / top.max(1) as f64;
    HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * part.min(1.0)
}

/// The smallest of 1, 2, 5, 10, 20 and so on that is as large.
fn round_up(value: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        for times in [1, 2, 5] {
            match power.checked_mul(times) {
                Some(round) if round >= value => return round,
                Some(_) => {}
                None => return u64::MAX,
            }
        }
        power = match power.checked_mul(10) {
            Some(power) => power,
            None => return u64::MAX,
        };
    }
}

/// A round number in little room.
fn brief(number: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| number >= *unit);
    let Some((unit, word)) = unit else {
        return number.to_string();
    };
    match (number % unit) * 10 / unit {
        0 => format!("{}\u{202f}{word}", number / unit),
        tenth => format!("{}.{tenth}\u{202f}{word}", number / unit),
    }
}

/// A place, to a tenth of a unit.
fn number(place: f64) -> String {
    format!("{:.1}", place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: [(&str, &str); 2] = [("succeeded", "good"), ("failed", "bad")];

    fn points(values: &[[u64; 2]]) -> Vec<Point> {
        let point = |(minute, values): (usize, &[u64; 2])| Point {
            at: format!("12:{minute:02}"),
            values: values.to_vec(),
        };
        values.iter().enumerate().map(point).collect()
    }

    fn chart(shape: Shape, values: &[[u64; 2]]) -> String {
        let points = points(values);
        let chart = Chart {
            id: "a",
            title: "Attempts <by minute>",
            shape,
            series: &SERIES,
            points: &points,
            rows: &points,
            unit: "minute",
        };
        chart.show().into_string()
    }

    #[test]
    fn scales_end_at_round_numbers() {
        for (value, round) in [
            (0, 1),
            (1, 1),
            (3, 5),
            (11, 20),
            (50, 50),
            (51, 100),
            (999_999, 1_000_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(round_up(value), round);
        }
        for (number, text) in [
            (0, "0"),
            (500, "500"),
            (1_000, "1\u{202f}k"),
            (2_500, "2.5\u{202f}k"),
            (20_000_000, "20\u{202f}M"),
        ] {
            assert_eq!(brief(number), text);
        }
    }

    #[test]
    fn what_was_not_counted_is_not_drawn() {
        let empty = chart(Shape::Bars, &[]);
        assert!(empty.contains("Nothing has been counted yet."), "{empty}");
        assert!(!empty.contains("<svg"), "{empty}");
        let nothing = chart(Shape::Bars, &[[0, 0], [0, 0]]);
        assert!(nothing.contains("<svg"), "{nothing}");
        assert!(!nothing.contains("<rect"), "{nothing}");
    }

    #[test]
    fn bars_stand_on_each_other_and_end_at_the_top() {
        let shown = chart(Shape::Bars, &[[1, 4]]);
        let bars: Vec<&str> = shown.split("<rect").skip(1).collect();
        assert_eq!(bars.len(), 2);
        // A fifth of 138 units, on the ground; the rest above it, up to the top of the scale.
        assert!(
            bars[0].contains("class=\"good\"") && bars[0].contains("y=\"120.4\" height=\"27.6\"")
        );
        assert!(
            bars[1].contains("class=\"bad\"") && bars[1].contains("y=\"10.0\" height=\"110.4\"")
        );
    }

    #[test]
    fn the_largest_numbers_stay_within_the_drawing() {
        let shown = chart(Shape::Bars, &[[u64::MAX, u64::MAX], [1, 0]]);
        assert!(shown.contains("y=\"10.0\" height=\"138.0\""), "{shown}");
        assert!(!shown.contains("NaN") && !shown.contains("inf"), "{shown}");
        let shown = chart(Shape::Lines, &[[u64::MAX, 0], [0, 7]]);
        assert!(
            shown.contains("points=\"46.0,10.0 474.0,148.0\""),
            "{shown}"
        );
    }

    #[test]
    fn a_line_of_one_point_is_seen() {
        let shown = chart(Shape::Lines, &[[5, 0]]);
        assert!(shown.contains("points=\"46.0,10.0 474.0,10.0\""), "{shown}");
        assert!(
            shown.contains("points=\"46.0,148.0 474.0,148.0\""),
            "{shown}"
        );
    }

    #[test]
    fn those_who_do_not_see_it_are_told_the_same() {
        let shown = chart(Shape::Bars, &[[3, 0], [1_200, 2]]);
        assert!(
            shown.contains("role=\"img\" aria-labelledby=\"a-title\""),
            "{shown}"
        );
        assert!(shown.contains("Attempts &lt;by minute&gt;"), "{shown}");
        let text = "From 12:00 to 12:01. succeeded: 1\u{202f}203 in all, at most 1\u{202f}200 at a \
                    time. failed: 2 in all, at most 2 at a time.";
        assert!(shown.contains(text), "{shown}");
        let cell = "<td data-head=\"failed\"><div>2</div></td>";
        assert!(shown.contains(cell), "{shown}");
        assert!(!shown.contains("style="), "{shown}");
    }
}
