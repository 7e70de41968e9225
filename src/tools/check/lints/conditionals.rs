//! Lines that look like conditions of the file, and are none.

use crate::config::conditional;
use crate::tools::check::{Lint, Severity, Spot};

/// W211.
pub(super) static CONDITIONAL_IGNORED: Lint = Lint {
    code: "W211",
    name: "conditional-ignored",
    severity: Severity::Warning,
    summary: "A line such as `.endif` or `.else` counts for nothing.",
    docs: "Nothing but a space may stand right behind the word. With a carriage return there, which \
           files written under Windows have in each line, with a tab or a comment sign, Exim passes \
           over the line: the branches run into each other, or it asks for the `.endif` that is \
           there.",
    bad: "queue_only\n.ifdef X\n.else\r\ntimezone = UTC\n.endif\n",
    good: "queue_only\n.ifdef X\n.else\ntimezone = UTC\n.endif\n",
    run: |survey, findings| {
        for file in survey.config.sources.files() {
            let mut number = 0;
            for line in file.text.split_inclusive(|c| *c == b'\n') {
                number += 1;
                let Some((word, Some(behind))) =
                    conditional(crate::config::macros::trim_start(line))
                else {
                    continue;
                };
                if matches!(behind, b' ' | b'\n') {
                    continue;
                }
                let shown = String::from_utf8_lossy(word);
                let sign = match behind {
                    b'\r' => "a carriage return".to_owned(),
                    b'\t' => "a tab".to_owned(),
                    other => format!("\"{}\"", char::from(other).escape_default()),
                };
                let message =
                    format!("Exim passes over this line: {sign} stands right behind {shown}");
                let help = match behind {
                    b'\r' => "write the file with lines that end in a newline alone",
                    _ => "put a space behind the word",
                };
                findings.add_with(Spot::Physical(number, file.name.clone()), message, help);
            }
        }
    },
};
