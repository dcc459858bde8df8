//! The report as Markdown, to be read on a terminal or in a document.

use std::fmt::Write;

use crate::candidate::Candidate;
use crate::count::Instructions;
use crate::report::{Entry, Figure, Memory, Report, Share, Size};
use crate::stats::Summary;

pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let machine = &report.machine;
    let _ = writeln!(
        text,
        "{}, {} cores, {} GiB, {}, {}. Medians, and in parentheses the quartiles: {} cold starts of each, and {} \
         warm runs of {} invocations. {} trusted roots.\n",
        machine.cpu,
        machine.cores,
        machine.memory_gib,
        machine.kernel,
        machine.os,
        report.rounds,
        report.warm_rounds,
        report.warm_invocations,
        report.roots,
    );
    for entry in &report.candidates {
        let _ = writeln!(text, "* {}: {}", entry.name, entry.what);
    }
    text.push('\n');

    let names: Vec<&str> = report.candidates.iter().map(|it| it.name.as_str()).collect();
    let mut rows = vec![heading("", &names)];
    for figure in Figure::ALL {
        let cell = |entry: &Entry| entry.figures.get(&figure).map_or_else(none, |it| with_spread(&it.value));
        rows.push(row(figure.label(), report.candidates.iter().map(cell)));
    }
    let bytes = |bytes: Option<u64>| bytes.map_or_else(none, size);
    rows.push(row("program, or its one file", report.candidates.iter().map(|it| bytes(it.file_bytes))));
    rows.push(row("zip", report.candidates.iter().map(|it| bytes(it.zip_bytes))));
    text.push_str(&aligned(&rows));

    let _ = writeln!(text, "\nTimes {}, round by round:\n", names.first().unwrap_or(&""));
    let mut rows = vec![heading("", &names[1.min(names.len())..])];
    for figure in Figure::ALL {
        let cell =
            |entry: &Entry| entry.figures.get(&figure).and_then(|it| it.ratio).map_or_else(none, |it| with_spread(&it));
        rows.push(row(unitless(figure.label()), report.candidates.iter().skip(1).map(cell)));
    }
    text.push_str(&aligned(&rows));

    text.push('\n');
    match &report.memory {
        Memory::Skipped(reason) => {
            let _ = writeln!(text, "Without Lambda's share of a processor: {reason}.");
        }
        Memory::Measured { rounds, sizes } => {
            let _ = writeln!(text, "Under Lambda's share of a processor, {rounds} cold starts at each size.\n");
            let table = |title: &str, cell: fn(&Share) -> String| {
                let mut rows = vec![heading(title, &names)];
                let line = |size: &Size| row(&format!("{} MB", size.memory_mb), size.candidates.iter().map(cell));
                rows.extend(sizes.iter().map(line));
                aligned(&rows)
            };
            text.push_str(&table("first answer, ms", |it| with_spread(&it.first_answer_ms.value)));
            text.push('\n');
            text.push_str(&table("times the first", |it| {
                it.first_answer_ms.ratio.map_or_else(none, |it| with_spread(&it))
            }));
            text.push('\n');
            text.push_str(&table("a million cold starts: billed ms each, US$", |it| {
                format!("{:.0} ms, ${:.2}", it.billed_ms.median, it.usd_per_million)
            }));
        }
    }
    text
}

pub fn instructions(counted: &[(&Candidate, Instructions)]) -> String {
    let names: Vec<&str> = counted.iter().map(|(candidate, _)| candidate.name.as_str()).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count is a whole number")]
    let cell = |it: &Summary| {
        let [median, min, max] = [it.median, it.min, it.max].map(|it| thousands(it as u64));
        format!("{median} ({min}–{max})")
    };
    aligned(&[
        heading("instructions: median, least and most", &names),
        row("init", counted.iter().map(|(_, it)| cell(&it.init))),
        row("first answer", counted.iter().map(|(_, it)| cell(&it.first_answer))),
    ])
}

fn heading(corner: &str, names: &[&str]) -> Vec<String> {
    row(corner, names.iter().map(|&name| name.to_owned()))
}

fn row(label: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(label.to_owned()).chain(cells).collect()
}

fn none() -> String {
    "–".to_owned()
}

fn unitless(label: &str) -> &str {
    label.trim_end_matches(", ms").trim_end_matches(", MiB")
}

fn with_spread(summary: &Summary) -> String {
    format!("{} ({}–{})", three_digits(summary.median), three_digits(summary.q1), three_digits(summary.q3))
}

/// Three significant digits, which is more than most of the figures are good for.
pub fn three_digits(value: f64) -> String {
    match value.abs() {
        0.0..0.9995 => format!("{value:.3}"),
        0.9995..9.995 => format!("{value:.2}"),
        9.995..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A whole number with commas.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as kB and MB of the thousands that AWS and file managers count in.
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "no zip has 2^52 bytes")]
    let bytes = bytes as f64;
    if bytes < 1e6 { format!("{:.1} kB", bytes / 1e3) } else { format!("{:.2} MB", bytes / 1e6) }
}

/// Markdown's table, with columns that a terminal shows as such.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (&width, cell) in widths.iter().zip(row) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "| {:-<width$} ", "");
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let texts = [0.1234, 0.9996, 1.234, 9.996, 12.34, 99.96, 123.4, 12345.6].map(three_digits);
        assert_eq!(texts, ["0.123", "1.00", "1.23", "10.0", "12.3", "100", "123", "12346"]);
    }

    #[test]
    fn a_summary_is_its_median_and_quartiles() {
        let summary = Summary { median: 3.52, q1: 3.4, q3: 3.75, min: 3.0, max: 9.0, n: 100 };
        assert_eq!(with_spread(&summary), "3.52 (3.40–3.75)");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec![String::new(), "own".to_owned()], vec!["init".to_owned(), "3–4".to_owned()]];
        assert_eq!(aligned(&rows), "|      | own |\n| ---- | --- |\n| init | 3–4 |\n");
    }

    #[test]
    fn large_numbers_have_commas() {
        let texts = [0, 12, 123, 1_234, 123_456, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    }

    #[test]
    fn sizes_are_decimal() {
        assert_eq!([512, 2_650_000].map(size), ["0.5 kB", "2.65 MB"]);
    }
}
