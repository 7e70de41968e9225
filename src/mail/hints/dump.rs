//! Entries as `exim_dumpdb` shows them.

use eximious_core::world::{Clock, Hint, Moment};

use super::{
    CalloutAddress, CalloutDomain, CalloutResult, Rate, Record, Retry, StsRecord, TlsReport, decode,
};
use crate::mail::mta_sts::StsPolicy;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// An entry of a space, with times in a zone; what can't be read is shown with
/// its time and key alone. Each line ends with a newline.
pub fn dump(
    space: &[u8],
    key: &[u8],
    hint: &Hint,
    clock: &dyn Clock,
    zone: Option<&str>,
) -> Vec<u8> {
    let time = |seconds: i64| {
        let t = clock.civil(Moment { seconds, nanos: 0 }, zone);
        let month = MONTHS[usize::from(t.month.clamp(1, 12) - 1)];
        let (day, year) = (t.day, t.year);
        format!("{day:02}-{month}-{year:04} {:02}:{:02}:{:02}", t.hour, t.minute, t.second)
    };
    let stamp = time(hint.stamp);
    let shown = match () {
        () if space == Retry::SPACE.as_bytes() => retry(key, hint, &time),
        () if space == CalloutDomain::SPACE.as_bytes() => {
            callout(key, hint, &time).map(|line| [stamp.as_bytes(), b" ", &line].concat())
        }
        () if space == Rate::SPACE.as_bytes() => rate(key, hint, &time),
        () if space == StsRecord::SPACE.as_bytes() => policy(key, hint, &time),
        () if space == TlsReport::SPACE.as_bytes() => sessions(key, hint),
        () if space == b"seen" => Some([key, b"\t", stamp.as_bytes(), b"\n"].concat()),
        () => None,
    };
    shown.unwrap_or_else(|| [stamp.as_bytes(), b" ", key, b"\n"].concat())
}

fn retry(key: &[u8], hint: &Hint, time: &dyn Fn(i64) -> String) -> Option<Vec<u8>> {
    let (retry, _) = decode::<Retry>(hint)?;
    let numbers = format!(" {} {} ", retry.error, retry.detail);
    let times = format!(
        "\n{}  {}  {} {}\n",
        time(retry.first_failed),
        time(retry.last_try),
        time(retry.next_try),
        if retry.expired { "*" } else { "" }
    );
    Some([b"  ", key, numbers.as_bytes(), &retry.text, times.as_bytes()].concat())
}

fn callout(key: &[u8], hint: &Hint, time: &dyn Fn(i64) -> String) -> Option<Vec<u8>> {
    let words = if let Some((address, _)) = decode::<CalloutAddress>(hint) {
        format!(" callout={}\n", if address.accepted { "accept" } else { "reject" })
    } else {
        let (domain, _) = decode::<CalloutDomain>(hint)?;
        let known = |result, at| match result {
            CalloutResult::Unknown => "unknown".to_owned(),
            result => format!("{} ({})", word(result), time(at)),
        };
        format!(
            " callout={} postmaster={} random={}\n",
            if domain.refuses_empty_sender { "unknown" } else { word(domain.result) },
            known(domain.postmaster, domain.postmaster_at),
            known(domain.random, domain.random_at)
        )
    };
    Some([key, words.as_bytes()].concat())
}

fn word(result: CalloutResult) -> &'static str {
    match result {
        CalloutResult::Unknown => "unknown",
        CalloutResult::Accept => "accept",
        CalloutResult::Reject => "reject",
    }
}

fn rate(key: &[u8], hint: &Hint, time: &dyn Fn(i64) -> String) -> Option<Vec<u8>> {
    let (rate, _) = decode::<Rate>(hint)?;
    let at = format!("{}.{:06}", time(rate.at.seconds), rate.at.nanos / 1000);
    let uniques = rate.uniques.map_or_else(String::new, |uniques| {
        format!(" epoch: {} size: {}", time(uniques.since), uniques.bits.len())
    });
    let head = format!("{at} rate: {:10.3}{uniques} key: ", rate.rate);
    Some([head.as_bytes(), key, b"\n"].concat())
}

fn policy(key: &[u8], hint: &Hint, time: &dyn Fn(i64) -> String) -> Option<Vec<u8>> {
    let (record, _) = decode::<StsRecord>(hint)?;
    let shown = match StsPolicy::read(&record.text) {
        Some(policy) => {
            let (mode, hosts) = (policy.mode.name(), policy.hosts.join(" "));
            let (since, until) = (time(record.fetched), time(record.until));
            format!(" id={} {mode} fetched {since}, until {until}: {hosts}\n", record.id)
        }
        None => format!(" none: {} ({})\n", record.why, time(record.tried)),
    };
    Some([key, shown.as_bytes()].concat())
}

fn sessions(key: &[u8], hint: &Hint) -> Option<Vec<u8>> {
    let (report, _) = decode::<TlsReport>(hint)?;
    let (good, bad) = report.policies.iter().fold((0_i64, 0_i64), |(good, bad), one| {
        (good.saturating_add(one.good), bad.saturating_add(one.bad))
    });
    Some([key, format!(" good={good} bad={bad}\n").as_bytes()].concat())
}
