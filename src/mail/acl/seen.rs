//! `seen` (specification 44.19).

use eximious_core::{AclTerm, Effects, Meta, Str, TaintRule};
use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};
use crate::mail::hints::{Record, Seen};

/// How old a record may become before it is refreshed: ten days.
const REFRESH: i64 = 10 * 24 * 3600;

static CLOCK: Meta = Meta::new("seen", Effects::CLOCK, TaintRule::Result);

/// `seen`.
pub(super) static SEEN: AclTerm = words::condition(
    &TermRun::Text(seen),
    words::meta(
        "seen",
        "seen = [-]<time> / <options>",
        "specification 44.19",
        "A key was met before.",
        "It holds if the key was last recorded within the time; with a minus, if that is longer \
         ago. `key=` names what is looked for, the client's address without it; `readonly`, \
         `write` and `refresh=` say when it is recorded. Greylisting is made of it.",
    )
    .since("4.96"),
)
.effects(Effects::FILES.union(CLOCK.effects));

/// Whether a key was met before.
fn seen(run: &mut Run<'_>, text: &Str) -> Answer {
    let wanted = match Wanted::parse(text.bytes()) {
        Ok(wanted) => wanted,
        Err(why) => {
            run.logged = Some(Str::from(why));
            return Answer::Error;
        }
    };
    let now = match run.cx.call(&CLOCK, |call| call.clock().map(|clock| clock.now().seconds)) {
        Ok(now) => now,
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            return Answer::Error;
        }
    };
    let key = match &wanted.key {
        Some(key) => key.clone(),
        None => run.cx.value_of(var::SENDER_HOST_ADDRESS).bytes().to_vec(),
    };
    let test = now.saturating_sub(wanted.interval);
    let engine = run.cx.engine().clone();
    let store = engine.world().hint_store(engine.settings().get(opt::SPOOL_DIRECTORY).bytes());
    let Ok(found) = Seen::load(&*store, &key) else { return unavailable(run) };
    let found = found.map(|(_, stamp)| stamp);
    let holds = found.is_some_and(|stamp| if wanted.before { stamp <= test } else { stamp > test });
    let write = match found {
        _ if wanted.readonly => Some(("not written (readonly)", None)),
        None => Some(("written (create)", Some(now))),
        Some(_) if wanted.write || !wanted.before => Some(("written (update)", Some(now))),
        Some(stamp) if holds && now.saturating_sub(stamp) >= wanted.refresh => {
            Some(("written (refresh)", Some(test)))
        }
        Some(_) => None,
    };
    if let Some((what, stamp)) = write {
        if let Some(stamp) = stamp
            && Seen.save(&*store, &key, stamp).is_err()
        {
            return unavailable(run);
        }
        run.note(format!("seen db {what}").as_bytes());
    }
    Answer::from(holds)
}

fn unavailable(run: &mut Run<'_>) -> Answer {
    run.logged = Some(Str::fixed("database for 'seen' not available"));
    Answer::Later
}

/// What the condition wants.
struct Wanted {
    before: bool,
    interval: i64,
    key: Option<Vec<u8>>,
    readonly: bool,
    write: bool,
    refresh: i64,
}

impl Wanted {
    fn parse(text: &[u8]) -> Result<Self, Vec<u8>> {
        let unread = || [b"failed to parse '", text, b"'"].concat();
        let time = |text: &[u8]| seconds(text).map(i64::from).ok_or_else(unread);
        let mut parts = elements_with(text, b'/');
        let first = parts.next().unwrap_or_default();
        let after = first.strip_prefix(b"-");
        let mut wanted = Self {
            before: after.is_some(),
            interval: time(after.unwrap_or(&first))?,
            key: None,
            readonly: false,
            write: false,
            refresh: REFRESH,
        };
        for part in parts {
            match &*part {
                b"readonly" => wanted.readonly = true,
                b"write" => (wanted.write, wanted.readonly) = (true, false),
                part => {
                    if let Some(key) = part.strip_prefix(b"key=") {
                        wanted.key = Some(key.to_vec());
                    } else if let Some(refresh) = part.strip_prefix(b"refresh=") {
                        wanted.refresh = time(refresh)?;
                    } else {
                        let head = b"unrecognised option '".as_slice();
                        return Err([head, part, b"' in '", text, b"'"].concat());
                    }
                }
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;
    use super::*;

    #[track_caller]
    fn check(driver: &mut Driver, text: &str, verdict: &str, note: &str) {
        let acl = format!("deny seen = {text}\naccept");
        let said = driver.run(&acl);
        let notes = driver.notes();
        assert_eq!((said.as_str(), notes.join("|").as_str()), (verdict, note), "{text}");
    }

    #[test]
    fn records_are_made_and_looked_at() {
        let cx = &mut Driver::new().set("sender_host_address", "192.0.2.1");
        check(cx, "5m", "Accept", "seen db written (create)");
        check(cx, "5m", "Deny", "seen db written (update)");
        check(cx, "-5m", "Accept", "");
        check(cx, "5m / key=foo / readonly", "Accept", "seen db not written (readonly)");
        check(cx, "-5m / key=foo", "Accept", "seen db written (create)");
        check(cx, "-5m / key=foo", "Accept", "");
        check(cx, "-0s / key=foo", "Deny", "");
        check(cx, "-0s / key=foo / refresh=0s", "Deny", "seen db written (refresh)");
        check(cx, "0s / key=foo / write", "Accept", "seen db written (update)");
        check(cx, "5m /", "Deny", "seen db written (update)");
    }

    #[test]
    fn old_records_are_refreshed() {
        let mut driver = Driver::new();
        let engine = driver.cx.engine().clone();
        let store = engine.world().hint_store(b"/spool");
        Seen.save(&*store, b"k", 1_000_000_000 - REFRESH).unwrap();
        check(&mut driver, "-5m / key=k", "Deny", "seen db written (refresh)");
        assert_eq!(Seen::load(&*store, b"k"), Ok(Some((Seen, 1_000_000_000 - 300))));
        check(&mut driver, "-5m / key=k", "Deny", "");
    }

    #[test]
    fn mistakes() {
        let mut driver = Driver::new();
        for (text, message) in [
            ("5", "failed to parse '5'"),
            ("", "failed to parse ''"),
            ("+ 5m", "failed to parse '+ 5m'"),
            ("- 5m", "failed to parse '- 5m'"),
            ("5m / foo", "unrecognised option 'foo' in '5m / foo'"),
            ("5m / refresh=x", "failed to parse '5m / refresh=x'"),
        ] {
            driver.fails(&format!("warn seen = {text}"), message);
        }
    }

    #[test]
    fn a_key_that_no_store_takes_defers() {
        let mut driver = Driver::new();
        let key = "k".repeat(5000);
        driver.fails(&format!("deny seen = 5m / key={key}"), "database for 'seen' not available");
    }
}
