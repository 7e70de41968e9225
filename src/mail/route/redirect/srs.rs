//! The older surface of SRS (experimental specification, "SRS Support"): senders of mail that
//! a router forwards, and bounces that come back for them.

use eximious_core::{Effects, Meta, Opt, Str, TaintRule};
use eximious_mailauth::srs::{Srs, SrsFault};
use eximious_stdlib::address::{find_at, last_at, quote_local_part, unquote_local_part};
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt as main;
use eximious_stdlib::options::opt::router::redirect as opt;
use eximious_stdlib::variables::var;

use super::super::machine::{Machine, Verdict, unless_forced};
use super::super::pass::RouteError;
use super::super::router::{Router, Text};
use super::super::{Address, Purpose};
use super::source::not_expanded;

/// The length of hashes where none is set.
const HASH_LENGTH: usize = 6;
/// How many days an address is good for where that is not set.
const MAX_AGE: i64 = 31;

static CLOCK: Meta = Meta::new("srs", Effects::CLOCK, TaintRule::Result);

/// What the options of a router come to.
pub(super) enum Rewriting {
    /// Nothing is to be done.
    None,
    /// What the router generates has this sender.
    Sender(Str),
    /// The router does not go on.
    Verdict(Verdict),
}

/// What `srs` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Reverse,
    Both,
}

/// The options of the configuration, with the seeds' list of them in one beneath.
struct Given {
    secrets: Vec<Vec<u8>>,
    hash_length: usize,
    hash_min: usize,
    max_age: i64,
    hashes: bool,
    stamps: bool,
}

/// Does what the router's `srs` says, before its data are looked at.
pub(super) fn rewrite(machine: &mut Machine<'_>, router: &Router) -> Result<Rewriting, RouteError> {
    let Some(way) = wanted(machine, router)? else { return Ok(Rewriting::None) };
    for variable in [
        var::SRS_DB_ADDRESS,
        var::SRS_DB_KEY,
        var::SRS_ORIG_RECIPIENT,
        var::SRS_ORIG_SENDER,
        var::SRS_RECIPIENT,
        var::SRS_STATUS,
    ] {
        machine.cx.unset_var(variable);
    }
    let given = Given::read(machine)?;
    let srs = given.srs();
    if srs.hashes && srs.secrets.is_empty() {
        return Err(RouteError::new(router.named(b"no SRS secret is set for ", b" router", b"")));
    }
    let today = machine.cx.call(&CLOCK, |call| call.clock().map(|clock| clock.now().seconds));
    let today = today.map_err(|fail| RouteError::new(fail.message()))?.div_euclid(86_400);
    if way != Way::Forward {
        match reverse(machine, router, &srs, today)? {
            Ok(address) => {
                machine.cx.set_var(var::SRS_ORIG_RECIPIENT, machine.address.text.clone());
                machine.cx.set_var(var::SRS_RECIPIENT, address);
                machine.cx.set_var(var::SRS_STATUS, Str::from("ok"));
                return Ok(Rewriting::None);
            }
            Err(SrsFault::NotSrs) if way == Way::Both => {}
            Err(fault) => {
                machine.cx.set_var(var::SRS_STATUS, Str::from(fault.text()));
                return Ok(Rewriting::Verdict(match fault {
                    SrsFault::NotSrs => Verdict::Decline,
                    _ => Verdict::Fail(RouteError {
                        said: Some(b"Invalid SRS recipient address".to_vec()),
                        ..RouteError::new(format!("invalid SRS address: {}", fault.text()))
                    }),
                }));
            }
        }
    }
    Ok(match forward(machine, router, &srs, today)? {
        Some(sender) => Rewriting::Sender(sender),
        None => Rewriting::None,
    })
}

/// What `srs` asks for, where `srs_condition` lets it.
fn wanted(machine: &mut Machine<'_>, router: &Router) -> Result<Option<Way>, RouteError> {
    let Some(text) = router.some_text(opt::SRS) else { return Ok(None) };
    let Some(value) = expanded(machine, text)? else { return Ok(None) };
    let way = match value.bytes().to_ascii_lowercase().as_slice() {
        b"" => return Ok(None),
        b"forward" => Way::Forward,
        b"reverse" => Way::Reverse,
        b"reverseandforward" => Way::Both,
        _ => {
            let head = [b"\"", value.bytes(), b"\" is not a valid value for \"srs\" in "].concat();
            return Err(RouteError::new(router.named(&head, b" router", b"")));
        }
    };
    match router.some_text(opt::SRS_CONDITION) {
        Some(condition) => Ok(machine.condition(router, condition)?.then_some(way)),
        None => Ok(Some(way)),
    }
}

/// The address that a bounce is for.
fn reverse(
    machine: &mut Machine<'_>,
    router: &Router,
    srs: &Srs<'_>,
    today: i64,
) -> Result<Result<Str, SrsFault>, RouteError> {
    let own = machine.address.local_part.clone();
    let taint = machine.address.text.taint();
    if let Some(select) = router.some_text(opt::SRS_DBSELECT) {
        match Srs::key_of(own.bytes()) {
            Ok(key) => {
                machine.cx.set_var(var::SRS_DB_KEY, Str::from(key).stamped(taint));
                let Some(found) = expanded(machine, select)?.filter(|found| !found.is_empty())
                else {
                    return Ok(Err(SrsFault::Forged));
                };
                machine.cx.set_var(var::SRS_DB_ADDRESS, found.clone());
                return Ok(Ok(found));
            }
            Err(SrsFault::NotSrs) => return Ok(Err(SrsFault::NotSrs)),
            // One that was made before there was a database.
            Err(_) if srs.secrets.is_empty() => return Ok(Err(SrsFault::Incomplete)),
            Err(_) => {}
        }
    }
    Ok(srs.reverse(own.bytes(), today).map(|(local_part, domain)| {
        let text = [&quote_local_part(&local_part)[..], b"@", &domain].concat();
        Str::from(text).stamped(taint)
    }))
}

/// The sender for what the router generates; none where the message has none, or one at the
/// same domain already.
fn forward(
    machine: &mut Machine<'_>,
    router: &Router,
    srs: &Srs<'_>,
    today: i64,
) -> Result<Option<Str>, RouteError> {
    let sender = match machine.address.attached.errors_to.clone() {
        Some(sender) => sender,
        None => machine.cx.value_of(var::SENDER_ADDRESS),
    };
    let Some(at) = find_at(sender.bytes()) else { return Ok(None) };
    let alias = match router.some_text(opt::SRS_ALIAS) {
        Some(text) => expanded(machine, text)?.filter(|alias| !alias.is_empty()),
        None => None,
    };
    let alias = alias.unwrap_or_else(|| original_domain(&machine.address));
    // An address is as good as its domain.
    let alias_domain = match alias.bytes().contains(&b'@') {
        true => &alias.bytes()[last_at(alias.bytes()) + 1..],
        false => alias.bytes(),
    };
    let (local_part, domain) = (&sender.bytes()[..at], &sender.bytes()[at + 1..]);
    let local_part = unquote_local_part(local_part);
    machine.cx.set_var(var::SRS_ORIG_SENDER, sender.clone());
    machine.cx.set_var(var::SRS_STATUS, Str::from("ok"));
    if domain.eq_ignore_ascii_case(alias_domain) {
        return Ok(None);
    }
    let made = match router.some_text(opt::SRS_DBINSERT) {
        // What is an SRS address already goes into the database, too.
        Some(insert) => {
            let key = srs.key(sender.bytes(), today);
            let made = [b"SRS0=", &key[..]].concat();
            machine.cx.set_var(var::SRS_DB_KEY, Str::from(key));
            machine.cx.set_var(var::SRS_DB_ADDRESS, sender.clone());
            // Who only asks where an address goes leaves nothing behind.
            if machine.purpose == Purpose::Delivery && expanded(machine, insert)?.is_none() {
                let why = router.named(b"srs_dbinsert failed in ", b" router", b"");
                return Err(RouteError::new(why));
            }
            made
        }
        None => srs.forward(&local_part, domain, today),
    };
    let text = [&quote_local_part(&made)[..], b"@", alias_domain].concat();
    Ok(Some(Str::from(text).stamped(sender.taint().with(alias.taint()))))
}

/// The domain that the message came for.
fn original_domain(address: &Address) -> Str {
    address.original().map_or_else(|| address.domain.clone(), |one| one.domain.clone())
}

/// An option's text, expanded; `None` where that is forced to fail.
fn expanded(machine: &mut Machine<'_>, text: &Text) -> Result<Option<Str>, RouteError> {
    unless_forced(text.expand(machine.cx)).map_err(|fail| not_expanded(machine, text, &fail))
}

impl Given {
    fn read(machine: &mut Machine<'_>) -> Result<Self, RouteError> {
        let config = setting(machine, main::SRS_CONFIG)?;
        let mut config = elements(config.bytes());
        // SECRET:DAYS:LENGTH:STAMPS:HASHES.
        let mut secrets: Vec<Vec<u8>> = Vec::new();
        secrets.extend(config.next().filter(|one| !one.is_empty()).map(|one| one.into_owned()));
        let mut number = || {
            let text = config.next()?;
            std::str::from_utf8(&text).ok()?.trim().parse::<i64>().ok()
        };
        let (days, length) = (number(), number());
        let mut flag = || {
            let text = config.next()?.to_ascii_lowercase();
            (!text.is_empty()).then(|| !matches!(&text[..], b"0" | b"no" | b"false"))
        };
        let (stamps, hashes) = (flag(), flag());
        let more = setting(machine, main::SRS_SECRETS)?;
        secrets.extend(elements(more.bytes()).map(|one| one.into_owned()));
        secrets.retain(|one| !one.is_empty());
        let settings = machine.cx.engine().settings();
        // 0 is what an option is that is not set.
        let set = |own: i64| (own > 0).then_some(own);
        let length = set(settings.get(main::SRS_HASHLENGTH)).or(length);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let hash_length = length.unwrap_or(HASH_LENGTH).clamp(1, 27);
        let least = set(settings.get(main::SRS_HASHMIN));
        let least = least.and_then(|least| usize::try_from(least).ok());
        Ok(Self {
            secrets,
            hash_length,
            hash_min: least.unwrap_or(hash_length).min(hash_length),
            max_age: set(settings.get(main::SRS_MAXAGE)).or(days).unwrap_or(MAX_AGE),
            hashes: settings.get(main::SRS_USEHASH) && hashes.unwrap_or(true),
            stamps: settings.get(main::SRS_USETIMESTAMP) && stamps.unwrap_or(true),
        })
    }

    fn srs(&self) -> Srs<'_> {
        Srs {
            secrets: self.secrets.iter().map(|one| &one[..]).collect(),
            hash_length: self.hash_length,
            hash_min: self.hash_min,
            max_age: self.max_age,
            hashes: self.hashes,
            stamps: self.stamps,
        }
    }
}

/// A main option, expanded; empty where it is not set.
fn setting(machine: &mut Machine<'_>, option: Opt<Str>) -> Result<Str, RouteError> {
    let Some(text) = machine.cx.engine().settings().text(option) else { return Ok(Str::EMPTY) };
    let text = Text::new(text);
    Ok(expanded(machine, &text)?.unwrap_or(Str::EMPTY))
}
