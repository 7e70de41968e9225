//! `ratelimit` (specification 44.20).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use eximious_core::world::Moment;
use eximious_core::{AclPhases, AclTerm, Effects, Meta, Str, TaintRule};
use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};
use crate::mail::hints::{Rate, ToldHints, Uniques, ratelimit_key};

/// How many bytes a set of events has at the least, and at the most.
const SET: (usize, usize) = (64, 1 << 19);
/// How many bits an event has in such a set.
const BITS: u64 = 8;
/// How many rates a conversation remembers.
const MOST_REMEMBERED: usize = 1000;

static CLOCK: Meta = Meta::new("ratelimit", Effects::CLOCK, TaintRule::Result);

/// `ratelimit`.
pub(super) static RATELIMIT: AclTerm = words::condition(
    &TermRun::Text(ratelimit),
    words::meta(
        "ratelimit",
        "ratelimit = <m> / <time> / <options> / <key>",
        "specification 44.20",
        "A client sends faster than a limit.",
        "It holds once there were more than so many events in the time, by an average that \
         decays. Options say what is counted (`per_conn`, `per_mail`, `per_rcpt`, `per_byte`, \
         `per_cmd`, `per_addr`, `unique=`, `count=`) and when (`strict`, `leaky`, `readonly`, \
         `noupdate`). Without a key it is the client's address. `$sender_rate` tells the rate.",
    ),
)
.effects(Effects::FILES.union(CLOCK.effects));

/// Whether there is more than a limit permits.
fn ratelimit(run: &mut Run<'_>, text: &Str) -> Answer {
    let limits = match Limits::parse(text.bytes(), run.phase) {
        Ok(limits) => limits,
        Err(why) => {
            let head = b"error in arguments to \"ratelimit\" condition: ".as_slice();
            run.logged = Some(Str::from([head, &why].concat()));
            return Answer::Error;
        }
    };
    match measure(run, &limits) {
        Ok(rate) => {
            run.cx.set_var(var::SENDER_RATE, format!("{rate:.1}"));
            run.cx.set_var(var::SENDER_RATE_LIMIT, Str::from(limits.written).stamped(text.taint()));
            run.cx.set_var(var::SENDER_RATE_PERIOD, Str::from(limits.period).stamped(text.taint()));
            Answer::from(rate >= limits.limit)
        }
        Err(answer) => answer,
    }
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Measure {
    Connections,
    Messages,
    Bytes,
    Recipients,
    Addresses,
    Commands,
}

/// When what was measured is noted down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// Unless there is too much already.
    Leaky,
    /// In any case.
    Strict,
    /// Not at all.
    Readonly,
}

impl Measure {
    const ALL: [(Self, &str); 6] = [
        (Self::Connections, "per_conn"),
        (Self::Messages, "per_mail"),
        (Self::Bytes, "per_byte"),
        (Self::Recipients, "per_rcpt"),
        (Self::Addresses, "per_addr"),
        (Self::Commands, "per_cmd"),
    ];

    /// Where it can be measured.
    fn phases(self) -> AclPhases {
        let message =
            AclPhases::PREDATA.union(AclPhases::MIME).union(AclPhases::DATA).union(AclPhases::PRDR);
        let recipients = message.union(AclPhases::RCPT);
        match self {
            Self::Connections => AclPhases::all()
                .difference(AclPhases::NOT_SMTP)
                .difference(AclPhases::NOT_SMTP_MIME)
                .difference(AclPhases::NOT_SMTP_START),
            Self::Messages | Self::Bytes => {
                recipients.union(AclPhases::MAIL).union(AclPhases::NOT_SMTP)
            }
            Self::Recipients => recipients.union(AclPhases::NOT_SMTP),
            Self::Addresses => AclPhases::RCPT,
            Self::Commands => AclPhases::all(),
        }
    }

    /// What stands in the key: some are others with a count of their own.
    fn in_key(self) -> &'static str {
        match self {
            Self::Connections => "per_conn",
            Self::Messages | Self::Bytes => "per_mail",
            Self::Recipients | Self::Addresses => "per_rcpt",
            Self::Commands => "per_cmd",
        }
    }
}

/// What the condition wants.
struct Limits {
    limit: f64,
    /// The limit as it is written.
    written: Vec<u8>,
    period: Vec<u8>,
    seconds: f64,
    measure: Measure,
    mode: Mode,
    count: Option<f64>,
    unique: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Limits {
    fn parse(text: &[u8], phase: AclPhases) -> Result<Self, Vec<u8>> {
        let mut parts = elements_with(text, b'/');
        let Some(written) = parts.next() else { return Err(b"sender rate limit not set".into()) };
        let positive = |text: &[u8]| [b"\"", text, b"\" is not a positive number"].concat();
        let limit = limit(&written).ok_or_else(|| positive(&written))?;
        let period = parts.next();
        let time = |text: &[u8]| [b"\"", text, b"\" is not a time value"].concat();
        let seconds = period.as_deref().and_then(seconds).filter(|seconds| *seconds > 0);
        let (Some(period), Some(seconds)) = (&period, seconds) else {
            return Err(time(period.as_deref().unwrap_or(b"NULL")));
        };
        let (mut measure, mut mode, mut readonly) = (None, None, false);
        let (mut count, mut unique, mut key) = (None, None, None::<Vec<u8>>);
        // Words are told apart by their letters, whatever their case; that some exclude each
        // other is told behind all that is wrong with one.
        let (mut measures_conflict, mut modes_conflict) = (false, false);
        for part in parts {
            let lower = part.to_ascii_lowercase();
            let word = std::str::from_utf8(&lower).unwrap_or_default();
            if let Some((one, name)) = Measure::ALL.into_iter().find(|(_, name)| *name == word) {
                measures_conflict |= measure.replace((one, name)).is_some();
                continue;
            }
            let update = match word {
                "strict" => Mode::Strict,
                "leaky" => Mode::Leaky,
                "readonly" => Mode::Readonly,
                "noupdate" => {
                    // The former name of `readonly` goes along with the others.
                    readonly = true;
                    continue;
                }
                _ => {
                    if lower.starts_with(b"count=") {
                        let number = number_of(&part[b"count=".len()..]);
                        count = Some(number.ok_or_else(|| positive(&part))?);
                    } else if lower.starts_with(b"unique=") {
                        unique = Some(part[b"unique=".len()..].to_vec());
                    } else {
                        key = Some(match key {
                            Some(before) => [&before, b"/".as_slice(), &part].concat(),
                            None => part.into_owned(),
                        });
                    }
                    continue;
                }
            };
            modes_conflict |= mode.replace(update).is_some_and(|before| before != update);
        }
        if measures_conflict {
            return Err(b"conflicting per_* options".into());
        }
        if modes_conflict {
            return Err(b"conflicting update modes".into());
        }
        let misplaced = measure.filter(|(measure, _)| !measure.phases().contains(phase));
        if let (Some((measure, _)), Some(Mode::Strict | Mode::Leaky)) = (misplaced, mode)
            && !readonly
        {
            let name = measure.in_key();
            let acl = phase.called();
            let message = format!(
                "\"{name}\" must not have /leaky or /strict option, or cannot be used in {acl} ACL"
            );
            return Err(message.into_bytes());
        }
        let mode = match mode {
            _ if readonly || misplaced.is_some() => Mode::Readonly,
            mode => mode.unwrap_or(Mode::Leaky),
        };
        Ok(Self {
            limit,
            written: written.into_owned(),
            period: period.to_vec(),
            seconds: f64::from(seconds),
            measure: measure.map_or(Measure::Messages, |(measure, _)| measure),
            mode,
            count,
            unique,
            key,
        })
    }
}

/// A limit: a number, perhaps of kilobytes, megabytes or gigabytes.
fn limit(text: &[u8]) -> Option<f64> {
    let (digits, factor) = match text {
        [digits @ .., b'k' | b'K'] => (digits, 1024.0),
        [digits @ .., b'm' | b'M'] => (digits, 1024.0 * 1024.0),
        [digits @ .., b'g' | b'G'] => (digits, 1024.0 * 1024.0 * 1024.0),
        _ => (text, 1.0),
    };
    number_of(digits).map(|number| number * factor)
}

/// A number that is not negative; nothing at all is zero.
fn number_of(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text.trim_ascii_start()).ok()?;
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        _ if text.is_empty() => 0.0,
        Some(digits) => u32::from_str_radix(digits, 16).ok()?.into(),
        None => text.parse::<f64>().ok()?,
    };
    (number >= 0.0).then_some(number)
}

/// Rates that are known already: an event counts once, however often it is asked
/// for.
#[derive(Default)]
pub(super) struct Memory {
    connection: HashMap<Vec<u8>, f64>,
    message: HashMap<Vec<u8>, f64>,
    command: HashMap<Vec<u8>, f64>,
}

impl Memory {
    /// Another ACL runs, for another command.
    pub(super) fn end_command(&mut self) {
        self.command.clear();
    }

    /// Another message follows.
    pub(super) fn end_message(&mut self) {
        self.message.clear();
        self.command.clear();
    }

    fn of(&mut self, limits: &Limits, phase: AclPhases) -> &mut HashMap<Vec<u8>, f64> {
        let rates = match limits.measure {
            _ if limits.mode == Mode::Readonly => &mut self.command,
            Measure::Connections => &mut self.connection,
            Measure::Messages | Measure::Bytes => &mut self.message,
            // Where no recipient is at hand, they are all counted, and once.
            Measure::Recipients if phase != AclPhases::RCPT => &mut self.message,
            Measure::Recipients | Measure::Addresses | Measure::Commands => &mut self.command,
        };
        if rates.len() >= MOST_REMEMBERED {
            rates.clear();
        }
        rates
    }
}

/// The rate, with the event at hand.
fn measure(run: &mut Run<'_>, limits: &Limits) -> Result<f64, Answer> {
    let unique = match (&limits.unique, limits.measure) {
        (Some(event), _) => Some(event.clone()),
        (None, Measure::Addresses) => {
            let (part, domain) = (run.cx.value_of(var::LOCAL_PART), run.cx.value_of(var::DOMAIN));
            Some([part.bytes(), b"@", domain.bytes()].concat())
        }
        _ => None,
    };
    let key = match &limits.key {
        Some(key) => key.clone(),
        None => run.cx.value_of(var::SENDER_HOST_ADDRESS).bytes().to_vec(),
    };
    let key =
        ratelimit_key(&limits.period, limits.measure.in_key().as_bytes(), unique.is_some(), &key);
    let count = match (limits.mode, limits.count) {
        (Mode::Readonly, _) => 0.0,
        (_, Some(count)) => count,
        _ => implied(run, limits.measure),
    };
    // Halves go to the even number, as the C library prints them.
    let shown = count.round_ties_even();
    let head = format!("ratelimit condition count={shown:.0} {:.1}/", limits.limit);
    run.note(&[head.as_bytes(), &key].concat());
    if let Some(rate) = run.cx.memory::<Memory>().of(limits, run.phase).get(&key).copied() {
        run.note(format!("ratelimit found pre-computed rate {rate:.1}").as_bytes());
        return Ok(rate);
    }
    let now = run.cx.call(&CLOCK, |call| call.clock().map(|clock| clock.now()));
    let now = now.map_err(|fail| {
        run.logged = Some(Str::from(fail.message()));
        Answer::Error
    })?;
    let hints = ToldHints::open::<Rate>(run.cx, now.seconds);
    let event = Event { count, unique: unique.as_deref(), now };
    let mut steps = Steps::default();
    let done = hints.change::<Rate>(run.cx, &key, |old| {
        let (rate, noted) = event.count(limits, old.map(|(rate, _)| rate));
        let keep = noted.update.then_some(Some(rate));
        steps = noted;
        keep
    });
    if done.is_err() {
        run.logged = Some(Str::fixed("ratelimit database not available"));
        return Err(Answer::Later);
    }
    for note in &steps.notes {
        run.note(note);
    }
    run.note(format!("ratelimit computed rate {:.1}", steps.rate).as_bytes());
    run.cx.memory::<Memory>().of(limits, run.phase).insert(key, steps.rate);
    Ok(steps.rate)
}

/// How much an event counts that nothing is said of.
fn implied(run: &mut Run<'_>, measure: Measure) -> f64 {
    let variable = match measure {
        Measure::Bytes => var::MESSAGE_SIZE,
        Measure::Recipients if run.phase != AclPhases::RCPT => var::RECIPIENTS_COUNT,
        _ => return 1.0,
    };
    let value = run.cx.value_of(variable);
    let number = std::str::from_utf8(value.bytes()).ok().and_then(|text| text.parse().ok());
    number.map_or(0.0, |number: f64| number.max(0.0))
}

/// What is to be counted.
struct Event<'e> {
    count: f64,
    unique: Option<&'e [u8]>,
    now: Moment,
}

/// What was done.
#[derive(Default)]
struct Steps {
    rate: f64,
    update: bool,
    notes: Vec<Vec<u8>>,
}

impl Event<'_> {
    /// The record with the event.
    fn count(&self, limits: &Limits, old: Option<Rate>) -> (Rate, Steps) {
        let mut notes: Vec<Vec<u8>> = Vec::new();
        let mut note = |text: &[u8]| notes.push(text.to_vec());
        if old.is_some() {
            note(b"ratelimit found key in database");
        }
        let old_set = old.as_ref().and_then(|rate| rate.uniques.clone());
        let mut set = self.unique.map(|_| match old_set {
            Some(set) if self.is_young(&set, limits) && is_usable(&set) => set,
            before => {
                if before.is_some_and(|set| !self.is_young(&set, limits)) {
                    note(b"ratelimit discarding old Bloom filter");
                }
                note(b"ratelimit creating new Bloom filter");
                Uniques { since: self.now.seconds, bits: vec![0; size(limits.limit)] }
            }
        });
        if old.is_none() && self.unique.is_none() {
            note(b"ratelimit creating new rate data block");
        }
        let mut count = self.count;
        if let (Some(set), Some(event), true) =
            (&mut set, self.unique, limits.mode != Mode::Readonly)
        {
            note(&[b"ratelimit checking uniqueness of ", event].concat());
            if add(&mut set.bits, event) {
                note(b"ratelimit event added to Bloom filter");
            } else {
                note(b"ratelimit event found in Bloom filter");
                count = 0.0;
            }
        }
        let rate = match &old {
            None => {
                note(b"ratelimit initializing new key's rate data");
                count
            }
            Some(old) => smoothed(old, self.now, limits.seconds, count),
        };
        let why = match limits.mode {
            Mode::Readonly => Some("readonly mode"),
            Mode::Leaky if rate >= limits.limit => Some("over the limit, but leaky"),
            _ => None,
        };
        match why {
            Some(why) => note(format!("ratelimit db not updated: {why}").as_bytes()),
            None => note(b"ratelimit db updated"),
        }
        (Rate { at: self.now, rate, uniques: set }, Steps { rate, update: why.is_none(), notes })
    }

    /// Whether a set is young enough. The clock may have been put back.
    fn is_young(&self, set: &Uniques, limits: &Limits) -> bool {
        self.now.seconds.saturating_sub(set.since) <= limits.seconds as i64
    }
}

/// Whether a set is not so full that it has everything.
fn is_usable(set: &Uniques) -> bool {
    let ones: u64 = set.bits.iter().map(|byte| u64::from(byte.count_ones())).sum();
    !set.bits.is_empty() && ones.saturating_mul(2) <= (set.bits.len() as u64).saturating_mul(8)
}

/// The average: what was there fades, and what comes counts for the time since
/// then, and for itself at the least, however long that was.
fn smoothed(old: &Rate, now: Moment, period: f64, count: f64) -> f64 {
    let seconds = now.seconds.saturating_sub(old.at.seconds) as f64;
    let elapsed = seconds + (f64::from(now.nanos) - f64::from(old.at.nanos)) / 1e9;
    // The clock may have been put back.
    let periods = elapsed.max(1e-9) / period;
    let fading = (-periods).exp();
    let rate = ((1.0 - fading) * count / periods + fading * old.rate).max(count);
    if rate.is_finite() { rate } else { f64::MAX }
}

/// How many bytes a set has for a limit.
fn size(limit: f64) -> usize {
    // What is no number or too large becomes the most.
    let wanted = (limit * 2.0).clamp(0.0, SET.1 as f64) as usize;
    wanted.max(SET.0).next_power_of_two().min(SET.1)
}

/// Adds an event to a set; whether it was not there.
fn add(bits: &mut [u8], event: &[u8]) -> bool {
    let hash = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(event);
        hasher.finish()
    };
    let (first, step, all) = (hash(0), hash(1) | 1, bits.len() as u64 * 8);
    let mut new = false;
    for n in 0..BITS {
        let Some(bit) = first.wrapping_add(step.wrapping_mul(n)).checked_rem(all) else { break };
        let Some(byte) = bits.get_mut((bit / 8) as usize) else { break };
        let mask = 1 << (bit % 8);
        new |= *byte & mask == 0;
        *byte |= mask;
    }
    new
}

#[cfg(test)]
#[path = "ratelimit/tests.rs"]
mod tests;
