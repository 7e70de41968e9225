//! What is remembered of failures: the hints of a spool, as both programs show them.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

/// The records about retries, sorted; of their times, how long it is from the last try to the
/// next.
pub fn retries(program: &Path, is_real: bool, config: &Path, spool: &Path) -> String {
    let mut command = match is_real {
        true => Command::new("exim_dumpdb"),
        false => Command::new(program),
    };
    match is_real {
        true => command.arg("-z").arg(spool),
        false => command.args(["hints", "dump", "-z", "-C"]).arg(config),
    };
    let output = command.arg("retry").output().expect("the program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Nothing is asked of a configuration there.
    if text.starts_with("Exim configuration error") {
        return String::new();
    }
    let mut records: Vec<String> = Vec::new();
    // Where nothing is kept, there may be no file.
    for line in text.lines().filter(|line| !line.starts_with("** Failed to open")) {
        match times(line) {
            Some(gap) => records.iter_mut().last().into_iter().for_each(|one| one.push_str(&gap)),
            None => records.push(line.trim().to_owned()),
        }
    }
    records.sort();
    records.join("\n")
}

/// From the last try to the next, and whether there is no hope.
fn times(line: &str) -> Option<String> {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        let time = r"(\d\d)-\w{3}-\d{4} (\d\d):(\d\d):(\d\d)";
        Regex::new(&format!(r"^{time}  {time}  {time} ?(\*?)$")).expect("a pattern")
    });
    let found = TIMES.captures(line.trim_end())?;
    let number = |at: usize| found[at].parse::<i64>().expect("digits");
    let seconds = |at: usize| {
        let of_day = number(at + 1) * 3600 + number(at + 2) * 60 + number(at + 3);
        number(at) * 86_400 + of_day
    };
    Some(format!(" next=+{}{}", seconds(9) - seconds(5), &found[13]))
}
