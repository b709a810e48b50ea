//! The table of configurations in the README.

use std::fmt::Write;

use crate::catalogue::{Case, Expect, Size, Subject, all};

/// All configurations, as the README lists them.
pub fn table() -> String {
    let (holding, breaking): (Vec<Case>, Vec<Case>) =
        all().into_iter().partition(|case| case.expect == Expect::Holds);
    let mut text = String::from("| what must break | what goes wrong | found as | steps |\n");
    text.push_str("|---|---|---|---|\n");
    for case in breaking {
        let (property, steps) = match case.expect {
            Expect::Breaks(property, steps) => (format!("not: {property}"), steps.to_string()),
            _ => ("from some state nothing leads to quiet".to_owned(), String::new()),
        };
        let _ = writeln!(text, "| `{}` | {} | {property} | {steps} |", case.name, case.about);
    }
    text.push_str("\n| what must hold | with | in the tests |\n|---|---|---|\n");
    for case in holding {
        let with = match &case.subject {
            Subject::Protocol(configuration) => configuration.describe(),
            Subject::Version08(_) => format!("0.8: {}", case.about),
        };
        let is_small = if case.size == Size::Small { "yes" } else { "" };
        let _ = writeln!(text, "| `{}` | {with} | {is_small} |", case.name);
    }
    text
}
