//! Values of records that a person changes, as `exim_fixdb` lets it (specification 54.14).

use eximious_core::world::Hint;
use eximious_stdlib::interval;

use super::{CalloutAddress, CalloutDomain, CalloutResult, Rate, Record, Retry, decode, encode};

/// The names of a record's fields that can be set, and what each takes; empty where the
/// record is none whose fields are known.
pub fn fields(space: &[u8], hint: &Hint) -> &'static [(&'static str, &'static str)] {
    match kind(space, hint) {
        Some(Kind::Retry(_)) => &[
            ("error", "a number"),
            ("detail", "a number"),
            ("text", "a text"),
            ("first_failed", "a time"),
            ("last_try", "a time"),
            ("next_try", "a time"),
            ("expired", "yes or no"),
        ],
        Some(Kind::Address(_)) => &[("callout", "accept or reject")],
        Some(Kind::Domain(_)) => &[
            ("callout", "accept, reject or unknown"),
            ("postmaster", "accept, reject or unknown"),
            ("random", "accept, reject or unknown"),
        ],
        Some(Kind::Rate(_)) => &[("time", "a time"), ("rate", "a number")],
        None => &[],
    }
}

/// A record with another value in one of its fields. A time is in seconds since 1970, or
/// `now`, `now+1h30m`, `now-7d`.
///
/// # Errors
/// There is no such field, or it does not take the value: why, in words.
pub fn edited(
    space: &[u8],
    hint: &Hint,
    (field, value): (&str, &str),
    now: i64,
) -> Result<Hint, String> {
    let Some(mut kind) = kind(space, hint) else {
        return Err("fields of such a record can't be set".to_owned());
    };
    let known = fields(space, hint);
    let Some((_, takes)) = known.iter().find(|(name, _)| *name == field) else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(format!("no field \"{field}\": there are {}", names.join(", ")));
    };
    if kind.set(field, value, now).is_none() {
        return Err(format!("\"{value}\" is no value for \"{field}\", which takes {takes}"));
    }
    Ok(Hint { value: kind.encoded(), stamp: now })
}

/// A record whose fields can be set.
enum Kind {
    Retry(Retry),
    Address(CalloutAddress),
    Domain(CalloutDomain),
    Rate(Rate),
}

fn kind(space: &[u8], hint: &Hint) -> Option<Kind> {
    if space == Retry::SPACE.as_bytes() {
        return decode(hint).map(|(one, _)| Kind::Retry(one));
    }
    if space == CalloutAddress::SPACE.as_bytes() {
        let address = decode(hint).map(|(one, _)| Kind::Address(one));
        return address.or_else(|| decode(hint).map(|(one, _)| Kind::Domain(one)));
    }
    let is_rate = space == Rate::SPACE.as_bytes();
    is_rate.then(|| decode(hint).map(|(one, _)| Kind::Rate(one))).flatten()
}

impl Kind {
    fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Retry(one) => encode(one),
            Self::Address(one) => encode(one),
            Self::Domain(one) => encode(one),
            Self::Rate(one) => encode(one),
        }
    }

    /// Sets a field; nothing where it does not take the value.
    fn set(&mut self, field: &str, value: &str, now: i64) -> Option<()> {
        match self {
            Self::Retry(one) => match field {
                "error" => one.error = value.parse().ok()?,
                "detail" => one.detail = value.parse().ok()?,
                "text" => one.text = value.as_bytes().to_vec(),
                "first_failed" => one.first_failed = time(value, now)?,
                "last_try" => one.last_try = time(value, now)?,
                "next_try" => one.next_try = time(value, now)?,
                _ => one.expired = ["no", "yes"].iter().position(|word| *word == value)? == 1,
            },
            Self::Address(one) => match result(value)? {
                CalloutResult::Unknown => return None,
                result => one.accepted = result == CalloutResult::Accept,
            },
            Self::Domain(one) => match field {
                "callout" => one.result = result(value)?,
                "postmaster" => (one.postmaster, one.postmaster_at) = (result(value)?, now),
                _ => (one.random, one.random_at) = (result(value)?, now),
            },
            Self::Rate(one) => match field {
                "time" => (one.at.seconds, one.at.nanos) = (time(value, now)?, 0),
                _ => {
                    let rate = value.parse::<f64>().ok();
                    one.rate = rate.filter(|rate| rate.is_finite() && *rate >= 0.0)?;
                }
            },
        }
        Some(())
    }
}

fn result(value: &str) -> Option<CalloutResult> {
    match value {
        "unknown" => Some(CalloutResult::Unknown),
        "accept" => Some(CalloutResult::Accept),
        "reject" => Some(CalloutResult::Reject),
        _ => None,
    }
}

fn time(value: &str, now: i64) -> Option<i64> {
    let Some(distance) = value.strip_prefix("now") else {
        return value.parse().ok().filter(|seconds| *seconds >= 0);
    };
    if distance.is_empty() {
        return Some(now);
    }
    let (sign, length) = distance.split_at_checked(1)?;
    let seconds = interval::seconds(length.as_bytes()).map(i64::from)?;
    match sign {
        "+" => Some(now.saturating_add(seconds)),
        "-" => Some(now.saturating_sub(seconds).max(0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn retry() -> Hint {
        let one = Retry { error: 111, text: b"refused".to_vec(), ..Retry::default() };
        Hint { value: encode(&one), stamp: 5 }
    }

    #[test]
    fn fields_take_what_suits_them() {
        let set = |field, value| {
            edited(b"retry", &retry(), (field, value), NOW)
                .map(|hint| decode::<Retry>(&hint).expect("a record"))
        };
        let (one, stamp) = set("next_try", "now+1h30m").expect("it is set");
        assert_eq!((one.next_try, one.error, stamp), (NOW + 5400, 111, NOW));
        assert_eq!(set("first_failed", "now-1d").expect("it is set").0.first_failed, NOW - 86400);
        assert_eq!(set("last_try", "77").expect("it is set").0.last_try, 77);
        assert!(set("expired", "yes").expect("it is set").0.expired);
        for (field, value) in
            [("next_try", "soon"), ("next_try", "now*2"), ("expired", "1"), ("error", "x")]
        {
            let why = set(field, value).expect_err("it is no value");
            assert!(why.starts_with(&format!("\"{value}\" is no value for \"{field}\"")), "{why}");
        }
        let why = set("size", "1").expect_err("there is none");
        assert!(why.starts_with("no field \"size\": there are error, detail, text"), "{why}");
    }

    #[test]
    fn callouts_and_rates_have_fields() {
        let address = Hint { value: encode(&CalloutAddress { accepted: true }), stamp: 5 };
        let new = edited(b"callout", &address, ("callout", "reject"), NOW).expect("it is set");
        assert!(!decode::<CalloutAddress>(&new).expect("a record").0.accepted);
        assert!(edited(b"callout", &address, ("callout", "unknown"), NOW).is_err());
        let domain = Hint { value: encode(&CalloutDomain::default()), stamp: 5 };
        let new = edited(b"callout", &domain, ("random", "accept"), NOW).expect("it is set");
        let (new, _) = decode::<CalloutDomain>(&new).expect("a record");
        assert_eq!((new.random, new.random_at), (CalloutResult::Accept, NOW));
        let rate = Hint { value: encode(&Rate::default()), stamp: 5 };
        let new = edited(b"ratelimit", &rate, ("rate", "2.5"), NOW).expect("it is set");
        assert!((decode::<Rate>(&new).expect("a record").0.rate - 2.5).abs() < 1e-9);
        assert!(edited(b"ratelimit", &rate, ("rate", "inf"), NOW).is_err());
        assert!(edited(b"seen", &rate, ("rate", "1"), NOW).is_err());
    }
}
