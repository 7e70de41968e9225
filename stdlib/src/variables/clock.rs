//! Variables that read the clock (`tod` is the time of day).

use eximious_core::world::Civil;
use eximious_core::{Call, Example, Fail, LogSelector, Str, Variable};

use super::record::computed;

use crate::options::opt;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The records.
pub static ALL: &[Variable] = &[
    computed!(
        "tod_bsdinbox",
        CLOCK,
        Clean,
        "Local time as the `From ` line of a mailbox has it: `Thu Oct 17 17:14:09 1995`.",
        |call| local(call, |t, _| {
            let mut text = format!("{} {} {:02}", day(t), month(t), t.day);
            push_time(&mut text, t);
            text.push(' ');
            push_year(&mut text, t);
            text
        }),
        docs("Used in `message_prefix` of transports that write mbox files. It has no zone."),
        examples(&[Example::new("$tod_bsdinbox", "Sun Sep 09 01:46:40 2001")])
    ),
    computed!(
        "tod_epoch",
        CLOCK,
        Clean,
        "Seconds since the start of 1970 in UTC.",
        |call| Ok(Str::from(call.clock()?.now().seconds.to_string())),
        docs(
            "A plain number, good for `eval` and for comparisons: \
             `${if >{${eval:$tod_epoch - $received_time}}{3600}}`. Each reference reads the clock \
             anew."
        ),
        examples(&[
            Example::new("$tod_epoch", "1000000000"),
            Example::new("${eval:$tod_epoch + 86400}", "1000086400"),
        ])
    ),
    computed!(
        "tod_epoch_l",
        CLOCK,
        Clean,
        "Microseconds since the start of 1970 in UTC.",
        |call| {
            let now = call.clock()?.now();
            let micros = i128::from(now.seconds) * 1_000_000 + i128::from(now.nanos / 1000);
            Ok(Str::from(micros.to_string()))
        },
        examples(&[Example::new("$tod_epoch_l", "1000000000000000")])
    ),
    computed!(
        "tod_full",
        CLOCK,
        Clean,
        "Local time as a header line has it: `Wed, 16 Oct 1995 09:51:40 +0100`.",
        |call| local(call, |t, _| {
            let mut text = String::with_capacity(32);
            text.push_str(day(t));
            text.push(',');
            push(&mut text, ' ', t.day);
            text.push(' ');
            text.push_str(month(t));
            text.push(' ');
            push_year(&mut text, t);
            push_time(&mut text, t);
            text.push(' ');
            text.push_str(&zone(t));
            text
        }),
        docs(
            "The form of RFC 5322, fit for `Date:` and `Received:`. The zone is always an offset \
             in hours and minutes, and follows the `timezone` option."
        ),
        examples(&[Example::new("$tod_full", "Sun, 09 Sep 2001 01:46:40 +0000")])
    ),
    computed!(
        "tod_log",
        CLOCK,
        Clean,
        "Local time as the log has it, without a zone: `1995-10-12 15:32:29`.",
        |call| {
            let millis = call.settings().log_selector().contains(LogSelector::MILLISEC);
            local(call, |t, nanos| {
                let mut text = String::with_capacity(24);
                push_year(&mut text, t);
                push(&mut text, '-', t.month);
                push(&mut text, '-', t.day);
                push_time(&mut text, t);
                if millis {
                    text.push_str(&format!(".{:03}", nanos / 1_000_000));
                }
                text
            })
        },
        docs(
            "Sorts as text. With `log_selector = +millisec` it has three decimals; \
             `log_timezone` does not change it."
        ),
        examples(&[Example::new("$tod_log", "2001-09-09 01:46:40")])
    ),
    computed!(
        "tod_logfile",
        CLOCK,
        Clean,
        "The local date as `yyyymmdd`, as `%D` in names of log files.",
        |call| local(call, |t, _| format!("{:04}{:02}{:02}", t.year, t.month, t.day)),
        examples(&[Example::new("$tod_logfile", "20010909")])
    ),
    computed!(
        "tod_zone",
        CLOCK,
        Clean,
        "The local zone as an offset: `-0500`.",
        |call| local(call, |t, _| zone(t)),
        examples(&[Example::new("$tod_zone", "+0000")])
    ),
    computed!(
        "tod_zulu",
        CLOCK,
        Clean,
        "UTC as ISO 8601 without separators, but for a missing `T`: `20030221154023Z`.",
        |call| civil(call, Some("UTC"), |t, _| format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}Z",
            t.year, t.month, t.day, t.hour, t.minute, t.second
        )),
        examples(&[Example::new("$tod_zulu", "20010909014640Z")])
    ),
];

/// Shows now, and its nanoseconds, in the zone of the `timezone` option.
fn local(call: &mut Call<'_>, show: impl Fn(&Civil, u32) -> String) -> Result<Str, Fail> {
    // An empty option means what none at all means: the system's own zone.
    let zone = call.settings().text(opt::TIMEZONE);
    civil(call, zone.as_ref().map(Str::display).as_deref(), show)
}

fn civil(
    call: &mut Call<'_>,
    zone: Option<&str>,
    show: impl Fn(&Civil, u32) -> String,
) -> Result<Str, Fail> {
    let clock = call.clock()?;
    let now = clock.now();
    Ok(Str::from(show(&clock.civil(now, zone), now.nanos)))
}

fn day(t: &Civil) -> &'static str {
    DAYS.get(usize::from(t.weekday)).copied().unwrap_or_default()
}

fn month(t: &Civil) -> &'static str {
    usize::from(t.month).checked_sub(1).and_then(|n| MONTHS.get(n)).copied().unwrap_or_default()
}

/// Adds a number of two digits behind something: that is done for each message, more than once.
fn push(text: &mut String, behind: char, number: u8) {
    let digit = |number: u8| char::from(b'0' + number % 10);
    text.extend([behind, digit(number / 10), digit(number)]);
}

fn push_year(text: &mut String, t: &Civil) {
    let year = u32::try_from(t.year).unwrap_or(0);
    [1000, 100, 10, 1].iter().for_each(|unit| {
        text.extend(char::from_digit(year / unit % 10, 10));
    });
}

/// ` 01:46:40`
fn push_time(text: &mut String, t: &Civil) {
    push(text, ' ', t.hour);
    push(text, ':', t.minute);
    push(text, ':', t.second);
}

/// `+0530`: what is less than a minute is left out.
fn zone(t: &Civil) -> String {
    let sign = if t.offset < 0 { '-' } else { '+' };
    let minutes = t.offset.unsigned_abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}
