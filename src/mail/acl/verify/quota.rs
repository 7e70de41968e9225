//! `verify = recipient/quota`: whether there is room in a mailbox (specification
//! 44.21, 44.23).

use std::sync::Arc;

use eximious_core::world::Files;
use eximious_core::{DriverOpt, Effects, Fail, Meta, Str, TaintRule};
use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::variables::var;

use super::super::machine::{Answer, Run};
use crate::mail::hints::{QuotaStanding, ToldHints, quota_key};
use crate::mail::route::{Delivery, Purpose, Report, Request, Standing};
use crate::mail::transport::{Transport, limit};

/// Parameters of a recipient's `quota=` (44.23), as for `CALLOUT_PARAMETERS`.
pub const QUOTA_PARAMETERS: [(&str, bool); 3] =
    [("cachepos", true), ("cacheneg", true), ("no_cache", false)];

/// How many files of a mailbox are counted, and how deep its directories are.
const MOST_FILES: usize = 1_000_000;
const DEEPEST: u32 = 20;

static META: Meta = Meta::new("quota", Effects::FILES.union(Effects::CLOCK), TaintRule::Tainted);

/// How it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    good: i64,
    bad: i64,
}

impl Quota {
    /// Reads what stands behind the option's name. An error is what is wrong with
    /// it; `whole` is the text of the condition.
    pub(super) fn parse(option: &[u8], whole: &[u8]) -> Result<Self, Vec<u8>> {
        let mut quota = Self { good: 5 * 60, bad: 3600 };
        let list =
            memchr::memchr(b'=', option).map_or(&b""[..], |at| option[at + 1..].trim_ascii());
        for text in elements_with(list, b',').filter(|_| !list.is_empty()) {
            let time = |text: &[u8]| {
                let bad = b"bad time value in ACL condition \"verify ".as_slice();
                let unread = || [bad, whole, b"\""].concat();
                seconds(text).map(i64::from).ok_or_else(unread)
            };
            if *text == *b"no_cache" {
                (quota.good, quota.bad) = (0, 0);
            } else if let Some(value) = text.strip_prefix(b"cachepos=") {
                quota.good = time(value)?;
            } else if let Some(value) = text.strip_prefix(b"cacheneg=") {
                quota.bad = time(value)?;
            }
        }
        Ok(quota)
    }
}

/// Looks whether there is room for a recipient.
pub(super) fn verify(run: &mut Run<'_>, address: &Str, quota: Quota) -> Answer {
    run.cx.set_var(var::RECIPIENT_VERIFY_FAILURE, Str::EMPTY);
    let now = run.cx.call(&META, |call| call.clock().map(|clock| clock.now().seconds));
    let now = now.unwrap_or(0);
    let key = quota_key(address.bytes());
    let caches = quota.good > 0 || quota.bad > 0;
    let hints = caches.then(|| ToldHints::open::<QuotaStanding>(run.cx, now));
    if let Some(hints) = &hints
        && let Some(room) = known(run, hints, &key, address, (quota, now))
    {
        if !room {
            run.logged = Some(Str::fixed("Previous (cached) quota verification failure"));
        }
        return told(run, room);
    }
    let room = match has_room(run, address) {
        Ok(Some(room)) => room,
        Ok(None) => return Answer::No,
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            return Answer::Later;
        }
    };
    if let Some(hints) = &hints {
        // What can't be kept is found out anew another time.
        let _ = hints.save(run.cx, &QuotaStanding { room }, &key, now);
        let word = if room { "positive" } else { "negative" };
        let head = format!("wrote {word} quota cache record for ");
        run.note(&[head.as_bytes(), address.bytes()].concat());
    }
    if !room {
        run.logged = Some(Str::fixed("Over quota"));
    }
    told(run, room)
}

fn told(run: &mut Run<'_>, room: bool) -> Answer {
    if !room {
        run.cx.set_var(var::RECIPIENT_VERIFY_FAILURE, Str::fixed("quota"));
    }
    Answer::from(room)
}

fn known(
    run: &mut Run<'_>,
    hints: &ToldHints,
    key: &[u8],
    address: &Str,
    (quota, now): (Quota, i64),
) -> Option<bool> {
    let tell = |run: &mut Run<'_>, text: &str, name: &[u8]| {
        run.note(&[text.as_bytes(), name].concat());
    };
    let Some((found, stamp)) = hints.load::<QuotaStanding>(run.cx, key).ok().flatten() else {
        tell(run, "callout cache: no address record found for ", address.bytes());
        return None;
    };
    let limit = if found.room { quota.good } else { quota.bad };
    if now.saturating_sub(stamp) > limit {
        tell(run, "callout cache: address record expired for ", address.bytes());
        return None;
    }
    tell(run, "callout cache: found address record for ", address.bytes());
    let word = if found.room { "positive" } else { "negative" };
    tell(run, &format!("quota cache: address record is {word}"), b"");
    Some(found.room)
}

/// Whether the mailbox that an address leads to has room; where it has no quota, there
/// is. An address that leads to none has none, and says why.
fn has_room(run: &mut Run<'_>, address: &Str) -> Result<Option<bool>, Fail> {
    let acls = run.acls.clone();
    let request = Request::new(address.clone(), Purpose::VerifyRecipient);
    let variables = [var::LOCAL_PART, var::DOMAIN, var::HOME, var::ADDRESS_DATA];
    let before = variables.map(|var| run.cx.value_of(var));
    let (mut last, mut count): (Option<Box<Delivery>>, usize) = (None, 0);
    // Nobody is told how the address is routed.
    let muted = run.cx.trace().mute();
    let mut why = None;
    let standing = acls.routes().test(run.cx, &request, &mut |report| match report {
        Report::Delivered(delivery) => {
            last = Some(Box::new((*delivery).clone()));
            count += 1;
        }
        Report::Divided(_) | Report::Discarded(_) | Report::Direct(_) => count += 2,
        Report::Failed(_, error) | Report::Deferred(_, error) => why = error.message.clone(),
    });
    run.cx.trace().unmute(muted);
    let mut room = Ok(Some(true));
    match standing {
        Standing::Fine => {}
        Standing::Failed => {
            run.logged = why.map(Str::tainted);
            room = Ok(None);
        }
        Standing::Deferred => room = Err(Fail::defer(why.unwrap_or_default())),
    }
    let routes = acls.routes();
    let is_here = |delivery: &Delivery| {
        delivery.transport.is_some_and(|number| !routes.transport_at(number).is_remote())
    };
    if count == 1 && last.as_ref().is_some_and(|delivery| !is_here(delivery)) {
        // Nobody can say what room there is elsewhere.
        room = Err(Fail::defer("Could not complete recipient verify callout"));
    } else if let Some(delivery) = &last
        && let Some(number) = delivery.transport
    {
        run.cx.set_var(var::LOCAL_PART, delivery.address.local_part.clone());
        run.cx.set_var(var::DOMAIN, delivery.address.domain.clone());
        run.cx.set_var(
            var::HOME,
            delivery.home.as_ref().map(|home| home.text().clone()).unwrap_or_default(),
        );
        room = fits(run, routes.transport_at(number), delivery).map(Some);
    }
    for (var, value) in variables.into_iter().zip(before) {
        run.cx.set_var(var, value);
    }
    room
}

fn fits(run: &mut Run<'_>, transport: &Transport, delivery: &Delivery) -> Result<bool, Fail> {
    let Some(options) = transport.quota() else { return Ok(true) };
    let set = |option: &DriverOpt<Str>| transport.text(*option).is_some();
    let directory = options.directories.into_iter().find(set);
    let counted = directory.or(Some(options.file).filter(set));
    let Some(counted) = counted else { return Ok(true) };
    let path = transport.expand(run.cx, counted).unwrap_or(Ok(Str::EMPTY))?;
    let mut number = |option: DriverOpt<Str>| -> Result<i64, Fail> {
        let Some(text) = transport.expand(run.cx, option).transpose()? else { return Ok(0) };
        // What is no size counts as none.
        let limit = limit(text.bytes()).filter(|limit| !limit.is_unchecked).unwrap_or_default();
        Ok(i64::try_from(limit.number).unwrap_or(i64::MAX))
    };
    let bytes = number(options.bytes)?;
    // What is one file is not counted.
    let files = if directory.is_some() { number(options.files)? } else { 0 };
    let known = Some(number(options.known)?).filter(|_| set(&options.known));
    if bytes <= 0 && files <= 0 {
        return Ok(true);
    }
    let organ = run.cx.call(&META, |call| call.files().map(|_| ()));
    organ?;
    let all = run.cx.engine().world().files.clone();
    let seen = match delivery.identity.uid {
        Some(uid) => all.seen_by(uid, delivery.identity.gid),
        None => all,
    };
    let mut used = Used::default();
    match (directory, known) {
        (Some(_), _) => used.add(&seen, path.bytes(), 0),
        (None, Some(known)) => used.bytes = known,
        (None, None) => {
            let size = seen.stat(path.bytes(), true).map_or(0, |stat| stat.size);
            used.bytes = i64::try_from(size).unwrap_or(i64::MAX);
        }
    }
    let own = run.cx.value_of(var::MESSAGE_SIZE);
    let own = std::str::from_utf8(own.bytes()).ok().and_then(|text| text.parse().ok());
    let (more, one) = match transport.on(options.inclusive) {
        true => (own.unwrap_or(-1), 1),
        false => (0, 0),
    };
    let fits = |used: i64, more: i64, limit: i64| limit <= 0 || used.saturating_add(more) <= limit;
    Ok(fits(used.bytes, more, bytes) && fits(used.files, one, files))
}

/// What is in a mailbox.
#[derive(Default)]
struct Used {
    bytes: i64,
    files: i64,
}

impl Used {
    fn add(&mut self, seen: &Arc<dyn Files>, directory: &[u8], depth: u32) {
        let left = MOST_FILES.saturating_sub(usize::try_from(self.files).unwrap_or(MOST_FILES));
        for name in seen.names(directory, left).unwrap_or_default() {
            let path = [directory, b"/", &name[..]].concat();
            let Ok(stat) = seen.stat(&path, false) else { continue };
            match stat.mode & 0o170_000 {
                0o040_000 if depth < DEEPEST => self.add(seen, &path, depth + 1),
                0o100_000 => {
                    self.files = self.files.saturating_add(1);
                    let size = i64::try_from(stat.size).unwrap_or(i64::MAX);
                    self.bytes = self.bytes.saturating_add(size);
                }
                _ => {}
            }
        }
    }
}
