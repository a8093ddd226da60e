//! Plots as SVG: rows of marks on a logarithmic axis, and lines.

use anyhow::Result;
use plotters::coord::ranged1d::SegmentValue;
use plotters::prelude::*;

/// Pixels of a row, and of what stands around all of them.
const ROW: u32 = 24;
const AROUND: u32 = 100;
const WIDTH: u32 = 900;

/// What keeps its bar, what misses it, and what has none.
pub(crate) const KEPT: RGBColor = RGBColor(0x1b, 0x7f, 0x4b);
pub(crate) const MISSED: RGBColor = RGBColor(0xc0, 0x3a, 0x2b);
pub(crate) const NEUTRAL: RGBColor = RGBColor(0x2f, 0x5d, 0x9b);

/// Colours of several figures of one row, the first to the third.
pub(crate) const SERIES: [RGBColor; 3] = [NEUTRAL, RGBColor(0xb0, 0x7a, 0x1e), MISSED];

/// One row.
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) marks: Vec<Mark>,
    /// Where the bar is, drawn as a cross.
    pub(crate) bar: Option<f64>,
}

/// A dot at the median, on a line from the smallest to the largest.
pub(crate) struct Mark {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
    pub(crate) colour: RGBColor,
}

/// Rows from top to bottom, as SVG; figures that are not positive are left out.
///
/// # Errors
/// When nothing can be drawn.
pub(crate) fn rows(title: &str, axis: &str, rows: &[Row]) -> Result<String> {
    let figures = || {
        let marks = rows.iter().flat_map(|row| &row.marks);
        let figures =
            marks.flat_map(|mark| [mark.min, mark.max]).chain(rows.iter().filter_map(|row| row.bar));
        figures.filter(|figure| *figure > 0.0)
    };
    let low = figures().fold(1e9, f64::min) / 1.3;
    let high = figures().fold(low, f64::max) * 1.3;
    let count = i32::try_from(rows.len())?;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, AROUND + ROW * rows.len() as u32));
        let root = root.into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(42)
            .y_label_area_size(250)
            .build_cartesian_2d((low..high).log_scale(), (0..count).into_segmented())?;
        let label = |segment: &SegmentValue<i32>| match segment {
            SegmentValue::CenterOf(at) | SegmentValue::Exact(at) => {
                let row = usize::try_from(count - 1 - at).ok().and_then(|at| rows.get(at));
                row.map(|row| row.label.clone()).unwrap_or_default()
            }
            SegmentValue::Last => String::new(),
        };
        chart
            .configure_mesh()
            .y_labels(rows.len())
            .y_label_formatter(&label)
            .x_label_formatter(&|figure| format!("{figure}"))
            .x_desc(axis)
            .label_style(("sans-serif", 13))
            .light_line_style(RGBColor(0xf2, 0xf2, 0xf2))
            .bold_line_style(RGBColor(0xdd, 0xdd, 0xdd))
            .draw()?;
        for (row, at) in rows.iter().zip((0..count).rev()) {
            let at = |figure: f64| (figure.max(low), SegmentValue::CenterOf(at));
            for Mark { min, median, max, colour } in &row.marks {
                let line = vec![at(*min), at(*max)];
                chart.draw_series([PathElement::new(line, colour.stroke_width(3))])?;
                chart.draw_series([Circle::new(at(*median), 5, colour.filled())])?;
            }
            chart.draw_series(row.bar.map(|bar| Cross::new(at(bar), 6, BLACK.stroke_width(2))))?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// One line over an axis of numbers, as SVG; the vertical axis begins at 0.
///
/// # Errors
/// When nothing can be drawn.
pub(crate) fn line(title: &str, [x_axis, y_axis]: [&str; 2], points: &[(f64, f64)]) -> Result<String> {
    let first = points.iter().map(|point| point.0).fold(f64::MAX, f64::min);
    let last = points.iter().map(|point| point.0).fold(f64::MIN, f64::max);
    let high = points.iter().map(|point| point.1).fold(0.0, f64::max) * 1.1;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 320)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18))
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(70)
            .build_cartesian_2d(first..last, 0.0..high)?;
        let label = |figure: &f64| format!("{}", (figure * 100.0).round() / 100.0);
        chart
            .configure_mesh()
            .x_desc(x_axis)
            .y_desc(y_axis)
            .x_label_formatter(&label)
            .y_label_formatter(&label)
            .label_style(("sans-serif", 13))
            .light_line_style(RGBColor(0xf2, 0xf2, 0xf2))
            .draw()?;
        chart.draw_series(LineSeries::new(points.iter().copied(), NEUTRAL.stroke_width(2)))?;
        root.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_label() {
        let mark = Mark { min: 0.5, median: 1.0, max: 20.0, colour: KEPT };
        let mut all: Vec<_> = ["warm", "cold"]
            .map(|label| Row { label: label.to_owned(), marks: vec![], bar: Some(0.85) })
            .into();
        all[0].marks.push(mark);
        let svg = rows("Ratios", "times", &all).unwrap();
        assert!(["<svg", "warm", "cold", "Ratios", "<circle"].iter().all(|part| svg.contains(part)), "{svg}");
    }

    #[test]
    fn a_line_goes_through_its_points() {
        let svg = line("Memory", ["requests", "MB"], &[(0.0, 100.0), (10.0, 120.0)]).unwrap();
        assert!(svg.contains("<polyline") && svg.contains("Memory"), "{svg}");
    }
}
