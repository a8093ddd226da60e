//! Flame graphs as still pictures, of folded stacks: a line is the functions of a stack, outermost first, parted by `;`, and
//! its weight after the last space.
//!
//! What calls stands above what it calls, and is as wide as all its instructions. What is too narrow for its name has
//! none, and what is narrower than a sliver is left out: the text of a profile, `cargo xtask counts --profile`, has it all.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use plotters::prelude::*;

/// Pixels of the picture, of a row, of a letter on average, and of the least that is shown.
const WIDTH: i32 = 1400;
const ROW: i32 = 20;
const LETTER: f64 = 6.5;
const SLIVER: f64 = 4.0;

/// Pixels above the first row, and around everything.
const HEAD: i32 = 62;
const MARGIN: i32 = 10;

/// A function, with all that it calls from one place.
#[derive(Default)]
struct Frame {
    weight: u64,
    calls: BTreeMap<String, Frame>,
}

/// What a function is part of, by what its name holds, the first that fits.
const PARTS: [(&str, RGBColor, &[&str]); 6] = [
    (
        "allocating, copying, comparing",
        RGBColor(0xe5, 0xa5, 0x9c),
        &[
            "__rust_",
            "dlmalloc",
            "memcpy",
            "memcmp",
            "memmove",
            "memset",
            "drop_in_place",
            "drop_slow",
            "raw_vec",
        ],
    ),
    (
        "the token",
        RGBColor(0xf0, 0xd0, 0x8a),
        &["::authn::", "::verified_tokens::", "::credential::", "::authentication::"],
    ),
    (
        "header lines and the host",
        RGBColor(0xa8, 0xc6, 0xe8),
        &[
            "portcullis_filter::host::",
            "::header_pairs::",
            "::identity::",
            "proxy_",
            "portcullis_policy::headers::",
        ],
    ),
    ("finding and deciding", RGBColor(0x9c, 0xcf, 0xae), &["portcullis_policy::"]),
    ("the gate", RGBColor(0xc9, 0xb8, 0xe0), &["portcullis_filter::"]),
    ("the standard library and others", RGBColor(0xdd, 0xdd, 0xdd), &[""]),
];

/// The picture of `folded` stacks, whose weights are `unit`.
///
/// # Errors
/// When a line has no weight, or nothing can be drawn.
pub(crate) fn draw(title: &str, unit: &str, folded: &str) -> Result<String> {
    let mut root = Frame::default();
    for line in folded.lines() {
        let (stack, weight) = line.rsplit_once(' ').context("a stack without a weight")?;
        root.add(stack.split(';'), weight.parse().context("a weight that is no number")?);
    }
    let scale = f64::from(WIDTH - 2 * MARGIN) / root.weight.max(1) as f64;
    let height = HEAD + ROW * root.depth(scale) + MARGIN;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH.unsigned_abs(), height.unsigned_abs()));
        let area = area.into_drawing_area();
        area.fill(&WHITE)?;
        let heading = format!("{title}: {} {unit}", root.weight);
        area.draw(&Text::new(heading, (MARGIN, MARGIN), ("sans-serif", 18)))?;
        let mut left = MARGIN;
        for (part, colour, _) in PARTS {
            area.draw(&Rectangle::new([(left, 38), (left + 12, 50)], colour.filled()))?;
            area.draw(&Text::new(part, (left + 17, 37), ("sans-serif", 15)))?;
            left += 40 + (part.len() as f64 * LETTER) as i32;
        }
        let picture = Picture { area: &area, scale, whole: root.weight };
        picture.draw_calls(&root, f64::from(MARGIN), HEAD)?;
        area.present()?;
    }
    Ok(svg)
}

impl Frame {
    fn add<'a>(&mut self, mut stack: impl Iterator<Item = &'a str>, weight: u64) {
        self.weight += weight;
        if let Some(outermost) = stack.next() {
            self.calls.entry(outermost.to_owned()).or_default().add(stack, weight);
        }
    }

    /// Rows that are wide enough to be shown, below this one.
    fn depth(&self, scale: f64) -> i32 {
        let shown = self.calls.values().filter(|call| call.weight as f64 * scale >= SLIVER);
        shown.map(|call| 1 + call.depth(scale)).max().unwrap_or(0)
    }
}

struct Picture<'a, 'b> {
    area: &'a DrawingArea<SVGBackend<'b>, plotters::coord::Shift>,
    /// Pixels of a unit of weight.
    scale: f64,
    whole: u64,
}

impl Picture<'_, '_> {
    /// What a frame calls, the heaviest first.
    fn draw_calls(&self, frame: &Frame, mut left: f64, top: i32) -> Result<()> {
        let mut calls: Vec<_> = frame.calls.iter().collect();
        calls.sort_by_key(|(_, call)| std::cmp::Reverse(call.weight));
        for (name, call) in calls {
            let width = call.weight as f64 * self.scale;
            if width >= SLIVER {
                self.draw_frame(name, call, (left, width), top)?;
                self.draw_calls(call, left, top + ROW)?;
            }
            left += width;
        }
        Ok(())
    }

    fn draw_frame(&self, name: &str, frame: &Frame, (left, width): (f64, f64), top: i32) -> Result<()> {
        let (from, to) = (left.round() as i32, (left + width).round() as i32 - 1);
        let rectangle = [(from, top), (to, top + ROW - 1)];
        self.area.draw(&Rectangle::new(rectangle, part_of(name).filled()))?;
        let share = frame.weight as f64 * 100.0 / self.whole as f64;
        let room = ((width - 6.0) / LETTER) as usize;
        if let Some(label) = label(&short(name), share, room) {
            self.area.draw(&Text::new(label, (from + 3, top + 3), ("sans-serif", 14)))?;
        }
        Ok(())
    }
}

/// The colour of the part that a function is of.
fn part_of(name: &str) -> RGBColor {
    let fits = |holds: &[&str]| holds.iter().any(|part| name.contains(part));
    PARTS.iter().find(|(_, _, holds)| fits(holds)).map_or(WHITE, |(_, colour, _)| *colour)
}

/// As much of a name and its share as there is room for, in letters.
fn label(name: &str, share: f64, room: usize) -> Option<String> {
    let whole = format!("{name} {share:.1} %");
    if whole.chars().count() <= room {
        return Some(whole);
    }
    if name.chars().count() <= room {
        return Some(name.to_owned());
    }
    // The end of a path says most, but for `of` and the like.
    let last = name.rsplit("::").next().filter(|last| last.len() > 3).unwrap_or(name);
    match (last.chars().count() <= room, room) {
        (true, _) => Some(last.to_owned()),
        (false, 6..) => Some(last.chars().take(room - 1).chain(['…']).collect()),
        (false, _) => None,
    }
}

/// The last two steps of a function's path, without types.
fn short(name: &str) -> String {
    if let Some(dropped) = name.strip_prefix("core::ptr::drop_in_place<") {
        return format!(
            "drop {}",
            short(dropped.trim_end_matches('>')).rsplit("::").next().unwrap_or_default()
        );
    }
    // `<Type as Trait>::function` is a function of the type.
    let inherent = name.strip_prefix('<').and_then(|inside| inside.split_once(" as "));
    let of_type = inherent.and_then(|(of_type, rest)| Some((of_type, rest.rsplit_once(">::")?.1)));
    let name =
        of_type.map_or_else(|| name.to_owned(), |(of_type, function)| format!("{of_type}::{function}"));
    let mut depth = 0_u32;
    let mut plain = String::new();
    for letter in name.chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    let steps: Vec<_> = plain.split("::").filter(|step| !step.is_empty()).collect();
    steps[steps.len().saturating_sub(2)..].join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_to_what_tells_them_apart() {
        for (name, wanted) in [
            ("proxy_on_request_headers", "proxy_on_request_headers"),
            (
                "portcullis_filter::gate::conclusion::<impl portcullis_filter::gate::Gate>::conclude",
                "conclusion::conclude",
            ),
            ("core::ptr::drop_in_place<portcullis_filter::gate::request::Request>", "drop Request"),
            ("alloc::sync::Arc<T,A>::drop_slow", "Arc::drop_slow"),
            ("<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop", "Vec::drop"),
        ] {
            assert_eq!(short(name), wanted);
        }
    }

    #[test]
    fn the_wide_are_named_and_the_narrow_are_left_out() {
        let svg = draw("warm", "instructions", "a::b;wide 9990\na::b;narrow 2\n").unwrap();
        assert!(
            ["<svg", "warm: 9992 instructions", "a::b 100.0 %", "wide 100.0 %"]
                .iter()
                .all(|part| svg.contains(part))
        );
        assert!(!svg.contains("narrow") && svg.contains("the gate"), "{svg}");
        assert!(draw("warm", "instructions", "no-weight").is_err());
    }

    #[test]
    fn a_name_is_cut_where_there_is_no_room() {
        let cut = |room| label("gate::conclude", 12.0, room);
        let texts = [cut(40), cut(14), cut(8), cut(7), cut(5)];
        let wanted =
            [Some("gate::conclude 12.0 %"), Some("gate::conclude"), Some("conclude"), Some("conclu…"), None];
        assert_eq!(texts.each_ref().map(Option::as_deref), wanted);
    }
}
