//! `spam` (specification 45.2, 45.3): SpamAssassin's daemon, or Rspamd in its older
//! protocol.

use std::io;
use std::time::Duration;

use eximious_core::{AclTerm, Effects, Str};
use eximious_stdlib::interval;
use eximious_stdlib::lists::{elements, elements_by, elements_with};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::super::Logs;
use super::super::machine::{Answer, Run};
use super::super::scanners::{Link, Reached, connect_with_retry, reason};
use super::super::words::{self, TermRun};
use super::copy::UNCOPIED;
use crate::mail::client;

/// How long a server may take, where nothing is said.
const TIME: Duration = Duration::from_secs(120);
/// How many servers there may be.
const MOST_SERVERS: usize = 32;
/// How long the bar may be: one more than the specification says, as in Exim.
const LONGEST_BAR: usize = 51;

/// `spam`.
pub(in crate::mail::acl) static SPAM: AclTerm = words::condition(
    &TermRun::Text(spam),
    words::meta(
        "spam",
        "spam = <user>[:true][/defer_ok]",
        "specification 45.3",
        "A scanner takes the message for spam.",
        "The message goes to SpamAssassin or Rspamd at `spamd_address`, for the settings of that \
         user; it is asked once per message and user. `:true` holds whatever the verdict, so that \
         `$spam_score` and `$spam_report` are filled. No answer defers, unless `/defer_ok` \
         follows.",
    ),
)
.phases(words::CONTENT)
.effects(Effects::NET);

/// What the scanner has said, and for whose settings.
#[derive(Clone, Debug, Default)]
pub(in crate::mail::acl) struct Known(Option<(Vec<u8>, Verdict)>);

/// A verdict.
#[derive(Clone, PartialEq, Debug)]
struct Verdict {
    score: f64,
    threshold: f64,
    report: Vec<u8>,
    /// What Rspamd would do.
    action: Option<Vec<u8>>,
}

/// A server.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Server {
    place: Vec<u8>,
    priority: u32,
    weight: u32,
    /// Seconds of the day between which it is asked.
    hours: Option<(u32, u32)>,
    /// How long after a failure a connection is tried once more.
    retry: Option<Duration>,
    time: Duration,
    is_rspamd: bool,
}

fn spam(run: &mut Run<'_>, text: &Str) -> Answer {
    let mut words = elements_with(text.bytes(), b'/');
    let first = words.next().unwrap_or_default();
    let defers = !words.any(|word| word.eq_ignore_ascii_case(b"defer_ok"));
    let mut parts = elements(&first);
    let user = parts.next().unwrap_or_default().to_vec();
    // A name that is empty is one, where something stands behind it.
    if first.trim_ascii().is_empty() || user == b"0" || user.eq_ignore_ascii_case(b"false") {
        return Answer::No;
    }
    // As Exim has it: nothing stands between, and nothing behind.
    let always = parts.count() == 1 && first.to_ascii_lowercase().ends_with(b":true");
    let setting = run.cx.engine().settings().get(opt::SPAMD_ADDRESS);
    let is_expanded = setting.bytes().starts_with(b"$");
    let known = run.state.scan.spam.0.clone();
    let known = known.filter(|(whose, _)| *whose == user && !is_expanded);
    let verdict = match known {
        Some((_, verdict)) => verdict,
        None => match asked(run, &user, &setting, is_expanded) {
            Ok(verdict) => {
                run.state.scan.spam = Known(Some((user, verdict.clone())));
                verdict
            }
            Err(words) => {
                let line = [b"spam acl condition: ", &words[..]].concat();
                run.host.log_to(Logs::PANIC, &line);
                return if defers { Answer::Later } else { Answer::No };
            }
        },
    };
    show(run, &verdict);
    Answer::from(always || verdict.score >= verdict.threshold)
}

/// Sets the variables.
fn show(run: &mut Run<'_>, verdict: &Verdict) {
    let score = verdict.score;
    let is_spam = score >= verdict.threshold;
    let (sign, count) = if score < 0.0 { ("-", -score) } else { ("+", score) };
    // What is no whole number of signs is cut off.
    let bar = match count as usize {
        0 => "/".to_owned(),
        count => sign.repeat(count.min(LONGEST_BAR)),
    };
    let action = match &verdict.action {
        Some(action) => Str::tainted(&action[..]),
        None => Str::fixed(if is_spam { "reject" } else { "no action" }),
    };
    // Numbers, and what is made of them here, are nobody's words.
    for (var, value) in [
        (var::SPAM_SCORE, Str::from(format!("{score:.1}").into_bytes())),
        (
            var::SPAM_SCORE_INT,
            Str::from((((score + 0.001) * 10.0) as i64).to_string().into_bytes()),
        ),
        (var::SPAM_BAR, Str::from(bar.into_bytes())),
        (var::SPAM_REPORT, Str::tainted(&verdict.report[..])),
        (var::SPAM_ACTION, action),
    ] {
        run.cx.set_var(var, value);
    }
}

/// Asks one server after the other, until one answers; words for the log where none does.
fn asked(
    run: &mut Run<'_>,
    user: &[u8],
    setting: &Str,
    is_expanded: bool,
) -> Result<Verdict, Vec<u8>> {
    let list = match is_expanded {
        true => run.expanded_setting("spamd_address", setting)?,
        false => setting.clone(),
    };
    if run.copy().is_none() {
        return Err(UNCOPIED.to_vec());
    }
    let mut servers = Vec::new();
    for element in elements(list.bytes()).take(MOST_SERVERS) {
        servers.extend(server(run, &element));
    }
    if servers.is_empty() {
        let words = b"no useable spamd server addresses in spamd_address configuration option.";
        return Err(words.to_vec());
    }
    while !servers.is_empty() {
        let server = servers.swap_remove(choose(run, &servers));
        let reached = connect_with_retry(run, &server.place, server.time, server.retry);
        let Reached { address, link } = reached;
        match link {
            Ok(link) => return converse(run, &server, link, user, &address),
            Err(words) => {
                let line = [b"spam acl condition: spamd: ", &words[..]].concat();
                run.host.log(&line);
            }
        }
    }
    Err(b"all spamd servers failed".to_vec())
}

/// Which server is asked: one of those with the highest priority whose time it is, by
/// their weights.
fn choose(run: &mut Run<'_>, servers: &[Server]) -> usize {
    let world = run.cx.engine().world();
    let now = world.clock.civil(world.clock.now(), None);
    let now = u32::from(now.hour) * 3600 + u32::from(now.minute) * 60 + u32::from(now.second);
    let in_time = |server: &Server| server.hours.is_none_or(|(a, b)| a <= now && now <= b);
    let any = servers.iter().any(in_time);
    let usable = |server: &Server| !any || in_time(server);
    let highest = servers.iter().filter(|one| usable(one)).map(|one| one.priority).max();
    let mine = |server: &Server| usable(server) && Some(server.priority) == highest;
    let weights = servers.iter().filter(|one| mine(one)).map(|one| u64::from(one.weight));
    let mut drawn = world.random.below(weights.sum());
    for (number, server) in servers.iter().enumerate().filter(|(_, one)| mine(one)) {
        match drawn.checked_sub(server.weight.into()) {
            Some(left) => drawn = left,
            None => return number,
        }
    }
    servers.iter().position(mine).unwrap_or(0)
}

/// A server, as it is written; nothing where it can't be read, which is logged.
fn server(run: &mut Run<'_>, text: &[u8]) -> Option<Server> {
    let mut warn = |what: &str, value: &[u8]| {
        let head = format!("spam acl condition: warning - invalid spamd {what}: '");
        run.host.log(&[head.as_bytes(), value, b"'"].concat());
    };
    // A list by itself, which may have another separator.
    let words: Vec<_> = elements_by(text, b' ').filter(|word| !word.is_empty()).collect();
    let mut words = words.iter().map(|word| &word[..]);
    let first = words.next().unwrap_or_default();
    let place = match (first.starts_with(b"/"), words.clone().next()) {
        (true, _) => first.to_vec(),
        (false, Some(port)) => {
            words.next();
            [first, b" ", port].concat()
        }
        (false, None) => {
            warn("address", text);
            return None;
        }
    };
    let mut server = Server {
        place,
        priority: 1,
        weight: 1,
        hours: None,
        retry: None,
        time: TIME,
        is_rspamd: false,
    };
    for word in words {
        let (name, value) = match memchr::memchr(b'=', word) {
            Some(at) => (&word[..at], &word[at + 1..]),
            None => (word, &b""[..]),
        };
        match name {
            b"pri" if number(value).is_some() => server.priority = number(value).unwrap_or(1),
            b"weight" if number(value).is_some() => server.weight = number(value).unwrap_or(1),
            b"variant" if value == b"rspamd" => server.is_rspamd = true,
            b"time" => match hours(value) {
                Some(hours) => server.hours = Some(hours),
                None => warn("time value", value),
            },
            b"retry" => match time(value) {
                Some(time) => server.retry = Some(time),
                None => warn("retry value", value),
            },
            b"tmo" => match time(value).filter(|time| !time.is_zero()) {
                Some(time) => server.time = time,
                None => warn("timeout value", value),
            },
            _ => warn("parameter", word),
        }
    }
    Some(server)
}

/// A number, as Exim reads it: nothing stands for 1, and what stands behind it does not count.
fn number(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    if text.is_empty() {
        return Some(1);
    }
    let number: u128 = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
    let number = number as u32;
    Some(if text.starts_with(b"-") { number.wrapping_neg() } else { number })
}

fn time(text: &[u8]) -> Option<Duration> {
    Some(Duration::from_secs(u64::try_from(interval::seconds(text)?).ok()?))
}

/// Seconds of the day: `9.30-17`, hours, minutes and seconds.
fn hours(text: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (from, to) = text.split_once('-')?;
    let seconds = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        let mut next = || parts.next().unwrap_or(Some(0));
        let (hour, minute, second) = (next()?, next()?, next()?);
        hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)
    };
    Some((seconds(from)?, seconds(to)?))
}

/// Asks a server.
fn converse(
    run: &mut Run<'_>,
    server: &Server,
    mut link: Link,
    user: &[u8],
    address: &[u8],
) -> Result<Verdict, Vec<u8>> {
    let head = match server.is_rspamd {
        true => rspamd_head(run),
        false => {
            // What is a line's end to the server ends no line here.
            let user: Vec<u8> =
                user.iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
            [b"REPORT SPAMC/1.2\r\nUser: ", &user[..], b"\r\n"].concat()
        }
    };
    let Some(copy) = run.copy() else {
        return Err(UNCOPIED.to_vec());
    };
    let (source, length) = (copy.source(), copy.length);
    let mut head = head;
    let length = format!("Content-length: {length}\r\n");
    let line = memchr::memchr(b'\n', &head).map_or(head.len(), |end| end + 1);
    match server.is_rspamd {
        true => drop(head.splice(line..line, length.bytes())),
        false => head.extend_from_slice(length.as_bytes()),
    }
    head.extend_from_slice(b"\r\n");
    let failed = |what: &str, why: &io::Error| {
        let head = format!("error {what} spamd ").into_bytes();
        [&head, address, b", socket: ", reason(why).as_bytes()].concat()
    };
    let sent = link.send(&head).and_then(|()| link.send_message(&*source, false));
    sent.map_err(|why| failed("writing to", &why))?;
    if !server.is_rspamd {
        // That is the end of the message.
        link.finish_writing().map_err(|why| failed("writing to", &why))?;
    }
    // The scores come first; a report may be longer than what is kept of it.
    let answer = link.all().into_what_counts();
    let mut answer = answer.map_err(|why| failed("reading from", &why))?;
    // What stands behind a zero byte would be lost in a header line or a reply.
    answer.truncate(memchr::memchr(0, &answer).unwrap_or(answer.len()));
    let parsed = match server.is_rspamd {
        true => read_rspamd(&answer).map_err(|count| format!(", output: {count}")),
        false => read(&answer).ok_or_else(|| " output".to_owned()),
    };
    parsed.map_err(|tail| [b"cannot parse spamd ", address, tail.as_bytes()].concat())
}

/// What Rspamd is told of the message.
fn rspamd_head(run: &mut Run<'_>) -> Vec<u8> {
    let name = client::look_up_name(run.cx);
    let value = |run: &mut Run<'_>, var| run.cx.value_of(var).bytes().to_vec();
    let mut head = b"CHECK RSPAMC/1.3\r\n".to_vec();
    let mut line = |parts: &[&[u8]]| {
        let line = parts.concat();
        head.extend(line.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        head.extend_from_slice(b"\r\n");
    };
    line(&[b"Queue-Id: ", &value(run, var::MESSAGE_EXIM_ID)]);
    line(&[b"From: <", &value(run, var::SENDER_ADDRESS), b">"]);
    let recipients = run.cx.message().map(|message| message.recipients.clone()).unwrap_or_default();
    line(&[b"Recipient-Number: ", recipients.len().to_string().as_bytes()]);
    for recipient in &recipients {
        line(&[b"Rcpt: <", recipient.bytes(), b">"]);
    }
    for (header, value) in [
        (&b"Helo: "[..], value(run, var::SENDER_HELO_NAME)),
        (b"Hostname: ", name.bytes().to_vec()),
        (b"IP: ", value(run, var::SENDER_HOST_ADDRESS)),
        (b"User: ", value(run, var::AUTHENTICATED_ID)),
    ] {
        if !value.is_empty() {
            line(&[header, &value]);
        }
    }
    head
}

/// `True ; 5.4 / 5.0`: the score, and what is spam from there on.
fn scores(text: &str) -> Option<(f64, f64)> {
    let (_, numbers) = text.split_once(';')?;
    let mut numbers = numbers.split(['/', ';']).map(|number| number.trim().parse::<f64>().ok());
    let (score, threshold) = (numbers.next()??, numbers.next()??);
    (score.is_finite() && threshold.is_finite()).then_some((score, threshold))
}

/// What SpamAssassin says.
fn read(answer: &[u8]) -> Option<Verdict> {
    let (status, mut rest) = line(answer)?;
    begins_well(&status, "SPAMD/")?;
    let mut found = None;
    while let Some((text, behind)) = line(rest) {
        rest = behind;
        if let Some(numbers) = text.strip_prefix("Spam:") {
            found = scores(numbers);
        }
        // The report follows, be there an empty line before it or not.
        if found.is_some() || text.is_empty() {
            break;
        }
    }
    let (score, threshold) = found?;
    Some(Verdict { score, threshold, report: folded(rest), action: None })
}

/// What Rspamd says: of three numbers the last one is where it refuses, and behind them it
/// says more. Otherwise, how much of that is there, as Exim counts it: -1 for nothing at all.
fn read_rspamd(answer: &[u8]) -> Result<Verdict, i8> {
    let (status, rest) = line(answer).ok_or(-1)?;
    if !status.starts_with("RSPAMD/") {
        return Err(0);
    }
    begins_well(&status, "RSPAMD/").ok_or(1)?;
    let (metric, rest) = line(rest).ok_or(1)?;
    let metric = metric.strip_prefix("Metric:").ok_or(1)?.trim_ascii_start();
    let numbers = metric.strip_prefix("default;").ok_or(1)?;
    let (_, numbers) = numbers.split_once(';').ok_or(2)?;
    let mut numbers = numbers.split(['/', ';']).map(|text| text.trim().parse::<f64>().ok());
    let mut next = |count| numbers.next().flatten().filter(|one| one.is_finite()).ok_or(count);
    let (score, threshold) = (next(2)?, next(3)?);
    next(4)?;
    if rest.trim_ascii().is_empty() {
        return Err(5);
    }
    let mut lines = rest.split(|byte| *byte == b'\n');
    let action = lines.find_map(|line| line.strip_prefix(b"Action: "));
    let action = Some(action.unwrap_or_default().trim_ascii_end().to_vec());
    Ok(Verdict { score, threshold, report: folded(rest), action })
}

/// A line of an answer without its end, which the last one need not have, and what stands
/// behind it.
fn line(text: &[u8]) -> Option<(String, &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = String::from_utf8_lossy(text[..end].trim_ascii_end()).into_owned();
    Some((line, text.get(end + 1..).unwrap_or_default()))
}

/// Whether the first line of an answer is of a protocol, and says that all is well.
fn begins_well(status: &str, protocol: &str) -> Option<()> {
    let mut words = status.split_ascii_whitespace();
    let fine = words.next()?.starts_with(protocol) && words.next()? == "0";
    fine.then_some(())
}

/// A report that can go into a header line: each newline has a space behind it.
fn folded(report: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(report.len());
    for byte in report.trim_ascii() {
        match byte {
            b'\r' => {}
            b'\n' => out.extend_from_slice(b"\n "),
            _ => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let head = "SPAMD/1.1 0 EX_OK\r\n";
        let spam = "Spam: True ; 5.4 / 5.0\r\n";
        let verdict = read(format!("{head}{spam}\r\nA\r\n\r\n  B  \r\n....\r\n\r\n").as_bytes());
        let verdict = verdict.unwrap();
        assert_eq!((verdict.score, verdict.threshold), (5.4, 5.0));
        assert_eq!(verdict.report, b"A\n \n   B  \n ....");
        assert!(read(format!("{head}Content-length: 3\n{spam}\nrep").as_bytes()).is_some());
        let close = read(format!("{head}{spam}A: b\r\nc\r\n\r\nd\r\n").as_bytes()).unwrap();
        assert_eq!(close.report, b"A: b\n c\n \n d");
        let bare = read(format!("{head}Spam: True ; 55.55 / 5.0").as_bytes()).unwrap();
        assert_eq!((bare.score, bare.report), (55.55, Vec::new()));
        for wrong in [
            "",
            "foo\r\n",
            "SPAMD/1.0 76 Bad header line: x\r\n",
            "SPAMD/1.1 0 EX_OK\r\n\r\nreport\r\n",
            "SPAMD/1.1 0 EX_OK\r\nSpam: True ; x / 5.0\r\n\r\n",
            "SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5.0\r\n\r\n",
            "SPAMD/1.1 0 EX_OK\r\nSpam: True\r\n\r\n",
        ] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn answers_of_rspamd_are_read() {
        let answer = b"RSPAMD/1.3 0 EX_OK\r\nMetric: default; True; 10.40 / 10.00 / 0.0\r\n\
            Action: reject\r\nSymbol: NAME(1.00)\r\n\r\n";
        let verdict = read_rspamd(answer).unwrap();
        assert_eq!((verdict.score, verdict.threshold), (10.4, 10.0));
        assert_eq!(verdict.action.as_deref(), Some(&b"reject"[..]));
        assert_eq!(verdict.report, b"Action: reject\n Symbol: NAME(1.00)");
        assert_eq!(read_rspamd(b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5.4 / 5.0\r\n\r\n"), Err(0));
        assert_eq!(read_rspamd(b""), Err(-1));
        assert_eq!(read_rspamd(b"RSPAMD/1.3 1 ERROR\r\n"), Err(1));
        for (wrong, count) in [
            ("default; Skip; 0.00 / 0.00 / 0\r\n", 5),
            ("default; True; 8.00 / 5.00 / 10", 5),
            ("default; True; 8.00 / 5.00\r\nAction: x\r\n", 4),
            ("default; True; 8.00 / 5.00 / x\r\nAction: x\r\n", 4),
            ("default; True; 8.00 / nan / 10\r\nAction: x\r\n", 3),
            ("default; True; x\r\nAction: x\r\n", 2),
            ("other; True; 8 / 5 / 10\r\nAction: b\r\n", 1),
        ] {
            let answer = format!("RSPAMD/1.3 0 EX_OK\r\nMetric: {wrong}");
            assert_eq!(read_rspamd(answer.as_bytes()), Err(count), "{wrong}");
        }
    }

    #[test]
    fn times_of_day() {
        assert_eq!(hours(b"9.30-17"), Some((34_200, 61_200)));
        assert_eq!(hours(b"1.2.3-4.5.6"), Some((3723, 14_706)));
        assert_eq!(hours(b"1"), None);
        assert_eq!(hours(b"a-b"), None);
        assert_eq!(hours(b"4294967295-1"), None);
    }
}
