//! Plots as SVG: rows of marks on a logarithmic axis, and lines.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::verdict::number;

/// Pixels of the picture, and of a row.
const WIDTH: i32 = 1000;
const ROW: i32 = 24;

/// Pixels above the rows, for title and legend; below them, for the axis; left of where marks are, for labels; and right
/// of it, for figures.
const HEAD: i32 = 66;
const FOOT: i32 = 48;
const LEFT: i32 = 380;
const RIGHT: i32 = 880;
const MARGIN: i32 = 12;

/// What keeps its bar, what misses it, and what has none.
pub(crate) const KEPT: RGBColor = RGBColor(0x1b, 0x7f, 0x4b);
pub(crate) const MISSED: RGBColor = RGBColor(0xc0, 0x3a, 0x2b);
pub(crate) const NEUTRAL: RGBColor = RGBColor(0x2f, 0x5d, 0x9b);

/// Colours of several figures of one row, the first to the third.
pub(crate) const SERIES: [RGBColor; 3] = [NEUTRAL, RGBColor(0xb0, 0x7a, 0x1e), MISSED];

const GREY: RGBColor = RGBColor(0x70, 0x70, 0x70);
const BAND: RGBColor = RGBColor(0xf6, 0xf6, 0xf6);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// Rows with what tells a reader what they are.
pub(crate) struct Rows<'a> {
    pub(crate) title: &'a str,
    /// What is measured, and in which unit.
    pub(crate) axis: &'a str,
    /// What each colour is.
    pub(crate) legend: &'a [(&'a str, RGBColor)],
    pub(crate) rows: Vec<Row>,
}

/// One row.
pub(crate) struct Row {
    pub(crate) label: String,
    /// What stands behind the label, in grey.
    pub(crate) note: String,
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

impl Rows<'_> {
    /// They from top to bottom, as SVG. A line that begins at no positive figure begins at the edge.
    ///
    /// # Errors
    /// When nothing can be drawn.
    pub(crate) fn draw(&self) -> Result<String> {
        let bottom = HEAD + ROW * i32::try_from(self.rows.len())?;
        let mut svg = String::new();
        {
            let size = (WIDTH.unsigned_abs(), (bottom + FOOT).unsigned_abs());
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            area.fill(&WHITE)?;
            area.draw(&Text::new(self.title, (MARGIN, MARGIN), text(19, BLACK)))?;
            self.draw_legend(&area)?;
            let axis = Axis::of(&self.rows);
            for at in (0..self.rows.len()).step_by(2) {
                let top = HEAD + ROW * i32::try_from(at)?;
                area.draw(&Rectangle::new([(MARGIN, top), (WIDTH - MARGIN, top + ROW)], BAND.filled()))?;
            }
            for (tick, is_whole) in axis.ticks() {
                let x = axis.x(tick);
                area.draw(&PathElement::new([(x, HEAD), (x, bottom)], GRID))?;
                if is_whole {
                    let style = anchored(text(14, BLACK), HPos::Center);
                    area.draw(&Text::new(thousands(tick), (x, bottom + 14), style))?;
                }
            }
            let middle = ((LEFT + RIGHT) / 2, bottom + 34);
            area.draw(&Text::new(self.axis, middle, anchored(text(14, GREY), HPos::Center)))?;
            for (row, top) in self.rows.iter().zip((HEAD..).step_by(ROW as usize)) {
                row.draw(&area, &axis, top + ROW / 2)?;
            }
            area.present()?;
        }
        Ok(svg)
    }

    fn draw_legend(&self, area: &Area<'_>) -> Result<()> {
        let mut left = MARGIN;
        let bar = self.rows.iter().any(|row| row.bar.is_some()).then_some(("the bar", BLACK));
        for (what, colour) in self.legend.iter().copied().chain(bar) {
            let at = (left + 6, 48);
            if colour == BLACK {
                area.draw(&Cross::new(at, 5, BLACK.stroke_width(2)))?;
            } else {
                area.draw(&Circle::new(at, 5, colour.filled()))?;
            }
            area.draw(&Text::new(what, (left + 18, 48), anchored(text(14, BLACK), HPos::Left)))?;
            left += 44 + i32::try_from(what.len())? * 6;
        }
        let style = anchored(text(14, GREY), HPos::Right);
        let explained = "dot: median; line: smallest to largest";
        Ok(area.draw(&Text::new(explained, (WIDTH - MARGIN, 48), style))?)
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Row {
    fn draw(&self, area: &Area<'_>, axis: &Axis, y: i32) -> Result<()> {
        let label = anchored(text(14, BLACK), HPos::Left);
        area.draw(&Text::new(self.label.as_str(), (MARGIN + 4, y), label))?;
        let note = anchored(text(13, GREY), HPos::Right);
        area.draw(&Text::new(self.note.as_str(), (LEFT - 12, y), note))?;
        for Mark { min, median, max, colour } in &self.marks {
            let line = [(axis.x(*min), y), (axis.x(*max), y)];
            area.draw(&PathElement::new(line, colour.stroke_width(3)))?;
            area.draw(&Circle::new((axis.x(*median), y), 5, colour.filled()))?;
        }
        if let Some(bar) = self.bar {
            area.draw(&Cross::new((axis.x(bar), y), 5, BLACK.stroke_width(2)))?;
        }
        let figures: Vec<_> = self.marks.iter().map(|mark| number(mark.median)).collect();
        let style = anchored(text(14, BLACK), HPos::Right);
        Ok(area.draw(&Text::new(figures.join(" / "), (WIDTH - MARGIN - 4, y), style))?)
    }
}

/// A logarithmic axis from [`LEFT`] to [`RIGHT`].
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn of(rows: &[Row]) -> Axis {
        let marks = rows.iter().flat_map(|row| &row.marks).flat_map(|mark| [mark.min, mark.max]);
        let figures = marks.chain(rows.iter().filter_map(|row| row.bar)).filter(|figure| *figure > 0.0);
        let (low, high) =
            figures.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), at| (low.min(at), high.max(at)));
        Axis { low: low.min(high) / 1.2, high: high * 1.2 }
    }

    fn x(&self, figure: f64) -> i32 {
        let share = (figure.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        LEFT + (share * f64::from(RIGHT - LEFT)).round() as i32
    }

    /// 1, 2 and 5 of each power of ten, and whether there is room to name it.
    fn ticks(&self) -> impl Iterator<Item = (f64, bool)> {
        let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let is_long = self.high / self.low > 2_000.0;
        let of_power = move |power| [1.0, 2.0, 5.0].map(|step| (step * 10_f64.powi(power), step));
        powers
            .flat_map(of_power)
            .filter(|(tick, _)| (self.low..=self.high).contains(tick))
            .map(move |(tick, step)| (tick, !is_long || step < 1.5))
    }
}

fn text(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

fn anchored(style: TextStyle<'_>, horizontal: HPos) -> TextStyle<'_> {
    style.pos(Pos::new(horizontal, VPos::Center))
}

/// A figure with its thousands apart.
fn thousands(figure: f64) -> String {
    let rounded = (figure * 1000.0).round() / 1000.0;
    let text = format!("{rounded}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
    let digits: Vec<char> = whole.chars().collect();
    let parts: Vec<String> = digits.rchunks(3).rev().map(|part| part.iter().collect()).collect();
    fraction.map_or_else(|| parts.join(" "), |fraction| format!("{}.{fraction}", parts.join(" ")))
}

/// One line over an axis of numbers, as SVG; the vertical axis begins at 0.
///
/// # Errors
/// When nothing can be drawn.
pub(crate) fn line(title: &str, [x_axis, y_axis]: [&str; 2], points: &[(f64, f64)]) -> Result<String> {
    let first = points.iter().map(|point| point.0).fold(f64::MAX, f64::min).min(0.0);
    let last = points.iter().map(|point| point.0).fold(f64::MIN, f64::max);
    let high = points.iter().map(|point| point.1).fold(0.0, f64::max) * 1.1;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH.unsigned_abs(), 320)).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(title, (MARGIN, MARGIN), text(19, BLACK)))?;
        let mut chart = ChartBuilder::on(&root)
            .margin(14)
            .margin_top(48)
            .margin_right(48)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(first..last, 0.0..high)?;
        let label = |figure: &f64| thousands(*figure);
        chart
            .configure_mesh()
            .x_desc(x_axis)
            .y_desc(y_axis)
            .x_label_formatter(&label)
            .y_label_formatter(&label)
            .label_style(("sans-serif", 14))
            .bold_line_style(GRID)
            .max_light_lines(0)
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
        let mark = Mark { min: -0.5, median: 1.0, max: 20.0, colour: KEPT };
        let row = |label: &str, marks| Row {
            label: label.to_owned(),
            note: "to another".to_owned(),
            marks,
            bar: Some(0.85),
        };
        let rows = vec![row("warm", vec![mark]), row("cold", vec![])];
        let svg = Rows { title: "Ratios", axis: "times", legend: &[("kept", KEPT)], rows }.draw().unwrap();
        let parts = ["<svg", "warm", "cold", "to another", "Ratios", "times", "kept", "the bar", "<circle"];
        assert!(parts.iter().all(|part| svg.contains(part)), "{svg}");
    }

    #[test]
    fn a_line_goes_through_its_points() {
        let svg = line("Memory", ["requests", "MB"], &[(0.0, 100.0), (1_000_000.0, 120.0)]).unwrap();
        let parts = ["<polyline", "Memory", "requests", "1 000 000"];
        assert!(parts.iter().all(|part| svg.contains(part)), "{svg}");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0.0, -0.4, 0.05, 999.0, 1e3, 1e6].map(thousands),
            ["0", "-0.4", "0.05", "999", "1 000", "1 000 000"]
        );
    }
}
