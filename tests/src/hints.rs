//! What is remembered of failures and of callouts: the hints of a spool, as both programs show
//! them.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use regex::Regex;

/// The records about retries, sorted; of their times, how long it is from the last try to the
/// next.
pub fn retries(program: &Path, is_real: bool, config: &Path, spool: &Path) -> String {
    let text = dumped(program, is_real, config, spool, "retry");
    let mut records: Vec<String> = Vec::new();
    for line in lines(&text) {
        match times(line) {
            Some(gap) => records.iter_mut().last().into_iter().for_each(|one| one.push_str(&gap)),
            None => records.push(line.trim().to_owned()),
        }
    }
    records.sort();
    records.join("\n")
}

/// The records about callouts, sorted, without their times.
pub fn callouts(program: &Path, is_real: bool, config: &Path, spool: &Path) -> String {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        let time = r"\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d";
        Regex::new(&format!(r"^{time} | \({time}\)")).expect("a pattern")
    });
    let text = dumped(program, is_real, config, spool, "callout");
    let mut records: Vec<String> =
        lines(&text).map(|line| TIMES.replace_all(line, "").into_owned()).collect();
    records.sort();
    records.join("\n")
}

/// What a program shows of a database.
fn dumped(program: &Path, is_real: bool, config: &Path, spool: &Path, database: &str) -> String {
    let mut command = match is_real {
        true => Command::new("exim_dumpdb"),
        false => Command::new(program),
    };
    match is_real {
        true => command.arg("-z").arg(spool),
        false => command.args(["hints", "dump", "-z", "-C"]).arg(config),
    };
    let output = command.arg(database).output().expect("the program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Nothing is asked of a configuration there.
    if text.starts_with("Exim configuration error") { String::new() } else { text }
}

/// What is shown, where anything is kept: where nothing is, there may be no file.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("** Failed to open"))
}

/// From the last try to the next, and whether there is no hope.
fn times(line: &str) -> Option<String> {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        let time = r"(\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d)";
        Regex::new(&format!(r"^{time}  {time}  {time} ?(\*?)$")).expect("a pattern")
    });
    let found = TIMES.captures(line.trim_end())?;
    let time = |at: usize| DateTime::strptime("%d-%b-%Y %H:%M:%S", &found[at]).expect("a time");
    Some(format!(" next=+{}{}", time(3).duration_since(time(2)).as_secs(), &found[4]))
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn gaps_may_span_the_ends_of_months() {
        let line = "30-Nov-2026 23:00:00  30-Nov-2026 23:30:00  01-Dec-2026 00:30:00 *";
        assert_eq!(times(line).as_deref(), Some(" next=+3600*"));
    }
}
