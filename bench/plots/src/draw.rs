//! Draws an axis: deliveries in a second on the left, CPU time per delivery on the right. Points
//! are medians and stand at equal distances, since most axes grow by factors and some begin at 0;
//! the strokes through them reach from the least to the most of all rounds.
//!
//! One picture does for light and dark pages: it brings its own ground, and a style sheet that
//! exchanges its colours where whoever looks prefers dark ones.

use crate::axes::grouped;
use crate::figures::{Figures, Measured, Spread};
use anyhow::{Result, anyhow};
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, IntoDrawingArea as _, IntoFont as _, IntoSegmentedCoord as _, LineSeries,
    PathElement, RGBColor, SVGBackend, SegmentValue, TextStyle,
};
use plotters::style::{Color as _, ShapeStyle};

const SIZE: (u32, u32) = (920, 320);

/// A colour in the light, and the one that stands for it in the dark.
struct Ink(RGBColor, RGBColor);

const GROUND: Ink = Ink(RGBColor(255, 255, 255), RGBColor(13, 17, 23));
const TEXT: Ink = Ink(RGBColor(31, 35, 40), RGBColor(230, 237, 243));
const GRID: Ink = Ink(RGBColor(209, 217, 224), RGBColor(61, 68, 77));
const SPEED: Ink = Ink(RGBColor(9, 105, 218), RGBColor(68, 147, 248));
const COST: Ink = Ink(RGBColor(188, 76, 0), RGBColor(219, 109, 40));

/// One half of a picture.
struct Panel {
    title: &'static str,
    ink: RGBColor,
    value: fn(&Figures) -> &[f64],
}

const PANELS: [Panel; 2] = [
    Panel {
        title: "deliveries/s",
        ink: SPEED.0,
        value: |figures| &figures.deliveries_per_second,
    },
    Panel {
        title: "CPU-µs per delivery",
        ink: COST.0,
        value: |figures| &figures.cpu_us,
    },
];

/// The picture, as SVG.
pub(crate) fn picture(axis: &Measured) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&GROUND.0)?;
        for (panel, area) in PANELS.iter().zip(area.split_evenly((1, 2))) {
            panel.draw(&area, axis)?;
        }
        area.present()?;
    }
    let (head, rest) = svg
        .split_once(">\n")
        .ok_or_else(|| anyhow!("the picture has no head"))?;
    Ok(format!("{head}>\n{}{rest}", style_sheet()))
}

impl Panel {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, axis: &Measured) -> Result<()> {
        let spreads = axis
            .points
            .iter()
            .map(|point| Spread::of((self.value)(point)));
        let spreads: Option<Vec<Spread>> = spreads.collect();
        let spreads = spreads.ok_or_else(|| anyhow!("{} has points without figures", axis.file))?;
        let last = spreads.len().saturating_sub(1);
        let most = spreads.iter().map(|spread| spread.most).fold(0.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, text(16.0))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(62)
            .build_cartesian_2d((0..last).into_segmented(), 0.0..most * 1.1)?;
        let label = |place: &SegmentValue<usize>| match place {
            SegmentValue::CenterOf(place) => axis.points[*place].label.clone(),
            SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(GROUND.0.mix(0.0))
            .bold_line_style(GRID.0)
            .axis_style(GRID.0)
            .label_style(text(13.0))
            .axis_desc_style(text(13.0))
            .y_labels(6)
            .x_label_formatter(&label)
            .y_label_formatter(&|value| grouped(*value as u64))
            .x_desc(axis.label.as_str())
            .draw()?;
        let stroke = ShapeStyle::from(self.ink).stroke_width(2);
        let points = || {
            (0..)
                .map(SegmentValue::CenterOf)
                .zip(spreads.iter().copied())
        };
        let medians = points().map(|(place, spread)| (place, spread.median));
        chart.draw_series(LineSeries::new(medians, stroke))?;
        chart.draw_series(points().map(|(place, spread)| {
            let ends = [(place.clone(), spread.least), (place, spread.most)];
            PathElement::new(ends, stroke)
        }))?;
        chart
            .draw_series(points().map(|(place, spread)| {
                Circle::new((place, spread.median), 4, self.ink.filled())
            }))?;
        Ok(())
    }
}

/// The library takes a size for a line's height, and writes a font's that is a quarter smaller.
fn text(font_px: f64) -> TextStyle<'static> {
    ("sans-serif", font_px * 1.24).into_font().color(&TEXT.0)
}

/// Exchanges colours by the attributes that hold them: a rule of a style sheet goes before those.
fn style_sheet() -> String {
    let rules = [GROUND, TEXT, GRID, SPEED, COST].map(|Ink(light, dark)| {
        let (light, dark) = (hex(light), hex(dark));
        format!(
            "  [fill=\"{light}\"] {{ fill: {dark} }} [stroke=\"{light}\"] {{ stroke: {dark} }}\n"
        )
    });
    let rules = rules.concat();
    format!("<style>\n@media (prefers-color-scheme: dark) {{\n{rules}}}\n</style>\n")
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis() -> Measured {
        let point = |label: &str, values: &[f64]| Figures {
            label: label.to_owned(),
            deliveries_per_second: values.to_vec(),
            cpu_us: values.to_vec(),
        };
        Measured {
            file: "x".to_owned(),
            label: "payload, KiB".to_owned(),
            points: vec![point("0.1", &[10.0, 12.0, 11.0]), point("256", &[4.0])],
        }
    }

    #[test]
    fn a_picture_names_its_axes_and_points() {
        let svg = picture(&axis()).unwrap();
        for text in [
            "deliveries/s",
            "CPU-µs per delivery",
            "payload, KiB",
            "0.1",
            "256",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn every_colour_has_one_for_the_dark() {
        let svg = picture(&axis()).unwrap();
        let (sheet, drawn) = svg.split_once("</style>").unwrap();
        for (at, _) in drawn.match_indices("=\"#") {
            let colour = &drawn[at + 1..at + 10];
            assert!(sheet.contains(colour), "{colour} stays as it is");
        }
    }

    #[test]
    fn a_point_without_figures_is_no_picture() {
        let mut axis = axis();
        axis.points[1].cpu_us.clear();
        assert!(picture(&axis).is_err());
    }
}
