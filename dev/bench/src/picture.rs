//! The report as a picture, for the README: cold starts as bars, and the first answer under Lambda's share as lines.

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{Entry, Figure, Memory, Report, Size};
use crate::table::three_digits;

const WIDTH: u32 = 960;
const HEIGHT: u32 = 400;
/// Where the bars end and the lines begin.
const MIDDLE: u32 = 500;
/// Where the bars start, right of their names.
const BARS: i32 = 112;
/// The longest bar, with room for its figures.
const LONGEST: f64 = 250.0;
const TOP: i32 = 74;

/// Readable on white and on black, so that the axes need no second colour.
const AXIS: RGBColor = RGBColor(0x8b, 0x94, 0x9e);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x2f, 0x81, 0xf7),
    RGBColor(0x8b, 0x94, 0x9e),
    RGBColor(0xd2, 0x99, 0x22),
    RGBColor(0x3f, 0xb9, 0x50),
    RGBColor(0xdb, 0x61, 0xa2),
    RGBColor(0xf0, 0x88, 0x3e),
];

/// What dark mode changes: the background, and the text on it.
const DARK: &str = "<style>@media (prefers-color-scheme: dark) { \
                    rect[fill=\"#FFFFFF\"] { fill: #0d1117 } text { fill: #e6edf3 } }</style>\n";

pub fn svg(report: &Report) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(MIDDLE);
        bars(&left, &report.candidates)?;
        if let Memory::Measured { sizes, .. } = &report.memory {
            lines(&right, sizes)?;
        }
        let machine = &report.machine;
        let method = format!(
            "Medians of {} alternating cold starts on {} cores of {}, {}; TLS to a local stand-in for EC2, {} trusted roots.",
            report.rounds, machine.cores, machine.cpu, machine.os, report.roots,
        );
        root.draw(&Text::new(method, (16, 378), text(11)))?;
        root.present()?;
    }
    let head = svg.find('>').ok_or("a picture without a beginning")? + 1;
    svg.insert_str(head, DARK);
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

fn bars(area: &Area<'_>, candidates: &[Entry]) -> Result<(), Box<dyn Error>> {
    area.draw(&Text::new("Cold start, ms: init and first answer", (16, 18), text(18)))?;
    area.draw(&Text::new("without a CPU limit; in parentheses: times this function", (16, 42), text(12)))?;
    let median = |entry: &Entry, figure| entry.figures.get(&figure).map_or(0.0, |it| it.value.median);
    let longest = candidates.iter().map(|it| median(it, Figure::ColdMs)).fold(f64::MIN_POSITIVE, f64::max);
    // A bar of less than a pixel would not be seen at all.
    #[expect(clippy::cast_possible_truncation, reason = "a picture is a few hundred pixels wide")]
    let pixels = |ms: f64| (ms / longest * LONGEST).round().max(1.0) as i32;
    for ((entry, colour), y) in candidates.iter().zip(COLOURS).zip((TOP..).step_by(48)) {
        let (init, first) = (pixels(median(entry, Figure::InitMs)), pixels(median(entry, Figure::FirstAnswerMs)));
        area.draw(&Text::new(shown(&entry.name).to_owned(), (16, y + 8), text(14)))?;
        area.draw(&Rectangle::new([(BARS, y), (BARS + init, y + 28)], colour.filled()))?;
        area.draw(&Rectangle::new([(BARS + init, y), (BARS + init + first, y + 28)], colour.mix(0.55).filled()))?;
        let ratio =
            entry.figures.get(&Figure::ColdMs).and_then(|it| it.ratio).filter(|it| (it.median - 1.0).abs() > 1e-9);
        let label = format!(
            "{}{}",
            three_digits(median(entry, Figure::ColdMs)),
            ratio.map(|it| format!(" (×{})", three_digits(it.median))).unwrap_or_default(),
        );
        area.draw(&Text::new(label, (BARS + init + first + 8, y + 8), text(14)))?;
    }
    Ok(())
}

fn lines(area: &Area<'_>, sizes: &[Size]) -> Result<(), Box<dyn Error>> {
    area.draw(&Text::new("First answer, ms, under Lambda's CPU share", (16, 18), text(18)))?;
    area.draw(&Text::new("by memory size; logarithmic", (16, 42), text(12)))?;
    let medians = sizes.iter().flat_map(|size| &size.candidates).map(|it| it.first_answer_ms.value.median);
    let (least, most) = medians.fold((f64::MAX, 0.0), |(least, most): (f64, f64), it| (least.min(it), most.max(it)));
    #[expect(clippy::cast_precision_loss, reason = "there are five sizes")]
    let (left, right) = (-0.3, sizes.len() as f64 - 0.2);
    let mut chart = ChartBuilder::on(area)
        .margin_left(16)
        .margin_right(90)
        .margin_top(TOP - 6)
        .margin_bottom(44)
        .x_label_area_size(24)
        .y_label_area_size(36)
        .build_cartesian_2d(left..right, (least / 1.5..most * 1.5).log_scale())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "labels stand at the sizes alone")]
    let size = |x: &f64| {
        let at_a_size = (x.round() - x).abs() < 0.01 && *x > -0.1;
        let size = at_a_size.then(|| sizes.get(x.round() as usize)).flatten();
        size.map(|it| format!("{} MB", it.memory_mb)).unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(sizes.len() + 1)
        .x_label_formatter(&size)
        .y_labels(4)
        .y_label_formatter(&|y| format!("{y}"))
        .axis_style(AXIS)
        .bold_line_style(AXIS.mix(0.4))
        .light_line_style(AXIS.mix(0.15))
        .label_style(text(12))
        .draw()?;
    let names = sizes.first().map(|size| size.candidates.iter().map(|it| &it.name)).into_iter().flatten();
    let mut ends = Vec::new();
    for ((nth, name), colour) in names.enumerate().zip(COLOURS) {
        let points: Vec<(f64, f64)> = (0_u32..)
            .zip(sizes)
            .filter_map(|(x, size)| Some((f64::from(x), size.candidates.get(nth)?.first_answer_ms.value.median)))
            .collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
        ends.extend(points.last().map(|end| (chart.backend_coord(end), shown(name))));
    }
    let (left, top) = area.get_base_pixel();
    let places = apart(ends.iter().map(|((_, y), _)| *y).collect());
    for (((x, _), name), y) in ends.iter().zip(places) {
        let beside = text(12).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new((*name).to_owned(), (x - left + 8, y - top), beside))?;
    }
    Ok(())
}

/// The places of labels, each moved down as far as it must be to leave the one above it readable.
fn apart(places: Vec<i32>) -> Vec<i32> {
    const LINE: i32 = 13;
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&nth| places[nth]);
    let mut moved = places;
    for pair in order.windows(2) {
        moved[pair[1]] = moved[pair[1]].max(moved[pair[0]] + LINE);
    }
    moved
}

/// What a reader calls it.
fn shown(name: &str) -> &str {
    if name == "own" { "this function" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_cover_each_other_move_down_in_their_order() {
        assert_eq!(apart(vec![100, 50, 102, 101]), [100, 50, 126, 113]);
    }
}
