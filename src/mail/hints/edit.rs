//! Values of records that a person changes, as `exim_fixdb` lets it (specification 54.14).

use eximious_core::world::{Hint, Moment};
use eximious_stdlib::interval;
use eximious_stdlib::options::yes_or_no;

use super::{CalloutAddress, CalloutDomain, CalloutResult, Rate, Record, Retry, decode, encode};

/// The names of the fields that can be set, of records of a space.
pub fn fields(space: &[u8]) -> Vec<&'static str> {
    fn names<R: Editable>() -> Vec<&'static str> {
        R::FIELDS.iter().map(|field| field.name).collect()
    }
    match space {
        _ if space == Retry::SPACE.as_bytes() => names::<Retry>(),
        // Of addresses, one of them.
        _ if space == CalloutDomain::SPACE.as_bytes() => names::<CalloutDomain>(),
        _ if space == Rate::SPACE.as_bytes() => names::<Rate>(),
        _ => Vec::new(),
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
    let order = Order { field, value, now };
    let changed = order
        .apply::<Retry>(space, hint)
        .or_else(|| order.apply::<CalloutAddress>(space, hint))
        .or_else(|| order.apply::<CalloutDomain>(space, hint))
        .or_else(|| order.apply::<Rate>(space, hint));
    let value =
        changed.unwrap_or_else(|| Err("fields of such a record can't be set".to_owned()))?;
    Ok(Hint { value, stamp: now })
}

/// What is to be changed.
struct Order<'a> {
    field: &'a str,
    value: &'a str,
    now: i64,
}

impl Order<'_> {
    /// The bytes of a record with the change; nothing where the record is of another kind.
    fn apply<R: Editable>(&self, space: &[u8], hint: &Hint) -> Option<Result<Vec<u8>, String>> {
        let (mut record, _) = decode::<R>(hint).filter(|_| space == R::SPACE.as_bytes())?;
        let (name, value) = (self.field, self.value);
        let Some(field) = R::FIELDS.iter().find(|field| field.name == name) else {
            let names: Vec<&str> = R::FIELDS.iter().map(|field| field.name).collect();
            return Some(Err(format!("no field \"{name}\": there are {}", names.join(", "))));
        };
        Some(match (field.set)(&mut record, value, self.now) {
            Some(()) => Ok(encode(&record)),
            None => {
                let takes = field.takes;
                Err(format!("\"{value}\" is no value for \"{name}\", which takes {takes}"))
            }
        })
    }
}

/// A field that can be set.
struct Field<R> {
    name: &'static str,
    /// Which values it takes.
    takes: &'static str,
    /// Sets it, at a time; nothing where it does not take the value.
    set: fn(&mut R, &str, i64) -> Option<()>,
}

/// A record whose fields can be set.
trait Editable: Record + 'static {
    const FIELDS: &'static [Field<Self>];
}

/// A field, which values it takes, and how a text becomes one.
macro_rules! field {
    ($name:literal, $takes:expr, $($field:ident).+, $read:expr) => {
        Field {
            name: $name,
            takes: $takes,
            set: |record, value, now| {
                record.$($field).+ = $read(value, now)?;
                Some(())
            },
        }
    };
}

const NUMBER: &str = "a number";
const TIME: &str = "a time";
const RESULT: &str = "accept, reject or unknown";

impl Editable for Retry {
    const FIELDS: &'static [Field<Self>] = &[
        field!("error", NUMBER, error, number),
        field!("detail", NUMBER, detail, number),
        field!("text", "a text of one line", text, |value: &str, _| {
            // A record is shown in lines, and its text is in the log.
            (!value.contains(char::is_control)).then(|| value.as_bytes().to_vec())
        }),
        field!("first_failed", TIME, first_failed, time),
        field!("last_try", TIME, last_try, time),
        field!("next_try", TIME, next_try, time),
        field!("expired", "yes or no", expired, |value: &str, _| yes_or_no(value.as_bytes())),
    ];
}

impl Editable for CalloutAddress {
    const FIELDS: &'static [Field<Self>] =
        &[field!("callout", "accept or reject", accepted, |value, now| {
            match result(value, now)? {
                CalloutResult::Unknown => None,
                result => Some(result == CalloutResult::Accept),
            }
        })];
}

impl Editable for CalloutDomain {
    const FIELDS: &'static [Field<Self>] = &[
        field!("callout", RESULT, result, result),
        Field {
            name: "postmaster",
            takes: RESULT,
            set: |record, value, now| {
                (record.postmaster, record.postmaster_at) = (result(value, now)?, now);
                Some(())
            },
        },
        Field {
            name: "random",
            takes: RESULT,
            set: |record, value, now| {
                (record.random, record.random_at) = (result(value, now)?, now);
                Some(())
            },
        },
    ];
}

impl Editable for Rate {
    const FIELDS: &'static [Field<Self>] = &[
        field!("time", TIME, at, |value, now| {
            time(value, now).map(|seconds| Moment { seconds, nanos: 0 })
        }),
        field!("rate", NUMBER, rate, |value: &str, _| {
            let rate = value.parse::<f64>().ok();
            rate.filter(|rate| rate.is_finite() && *rate >= 0.0)
        }),
    ];
}

fn number(value: &str, _: i64) -> Option<i32> {
    value.parse().ok()
}

fn result(value: &str, _: i64) -> Option<CalloutResult> {
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
        assert_eq!(fields(b"callout"), ["callout", "postmaster", "random"]);
        assert!(fields(b"seen").is_empty());
    }
}
