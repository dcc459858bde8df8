//! What the function may cost before somebody has to agree to more.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::count::Instructions;
use crate::table::thousands;

/// Limits a few percent above what was measured when they were set.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub zip_bytes: u64,
    pub init_instructions: u64,
    pub first_answer_instructions: u64,
}

impl Limits {
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// A line for each limit, and whether all of them are kept.
    pub fn judge(&self, zip_bytes: u64, instructions: &Instructions) -> (Vec<String>, bool) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count is a whole number")]
        let count = |median: f64| median as u64;
        let rows = [
            ("the zip, in bytes", zip_bytes, self.zip_bytes, "`cargo bloat --release --crates` shows whose code it is"),
            (
                "instructions of the init, from exec to the first /next",
                count(instructions.init.median),
                self.init_instructions,
                "`git bisect run make check-size` finds the commit",
            ),
            (
                "instructions of the first answer",
                count(instructions.first_answer.median),
                self.first_answer_instructions,
                "`git bisect run make check-size` finds the commit",
            ),
        ];
        let lines = rows.iter().map(|&(what, value, limit, advice)| line(what, value, limit, advice)).collect();
        (lines, rows.iter().all(|(_, value, limit, _)| value <= limit))
    }
}

fn line(what: &str, value: u64, limit: u64, advice: &str) -> String {
    let (value_text, limit_text) = (thousands(value), thousands(limit));
    if value > limit {
        format!("{what}: {value_text}, {} more than the limit of {limit_text}; {advice}", thousands(value - limit))
    } else if value < limit / 10 * 9 {
        format!("{what}: {value_text}, far below the limit of {limit_text}: lower it, so that it guards again")
    } else {
        format!("{what}: {value_text}, limit {limit_text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Summary;

    const LIMITS: Limits = Limits { zip_bytes: 1_000, init_instructions: 2_000, first_answer_instructions: 3_000 };

    fn instructions(init: f64, first_answer: f64) -> Instructions {
        let summary = |value| Summary { median: value, q1: value, q3: value, min: value, max: value, n: 1 };
        Instructions { init: summary(init), first_answer: summary(first_answer) }
    }

    #[test]
    fn a_limit_may_be_reached() {
        let (lines, kept) = LIMITS.judge(1_000, &instructions(2_000.0, 3_000.0));
        assert!(kept);
        assert_eq!(lines[0], "the zip, in bytes: 1,000, limit 1,000");
    }

    #[test]
    fn what_grew_is_named_and_by_how_much() {
        let (lines, kept) = LIMITS.judge(1_000, &instructions(2_150.0, 3_000.0));
        assert!(!kept);
        let expected = "instructions of the init, from exec to the first /next: 2,150, 150 more than the limit of \
                        2,000; `git bisect run make check-size` finds the commit";
        assert_eq!(lines[1], expected);
    }

    #[test]
    fn each_limit_counts() {
        assert!(!LIMITS.judge(1_001, &instructions(2_000.0, 3_000.0)).1);
        assert!(!LIMITS.judge(1_000, &instructions(2_001.0, 3_000.0)).1);
        assert!(!LIMITS.judge(1_000, &instructions(2_000.0, 3_001.0)).1);
    }

    #[test]
    fn a_limit_that_guards_nothing_any_more_is_pointed_out() {
        let (lines, kept) = LIMITS.judge(500, &instructions(2_000.0, 3_000.0));
        assert!(kept);
        assert!(lines[0].ends_with("lower it, so that it guards again"), "{}", lines[0]);
    }
}
