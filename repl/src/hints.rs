//! `eximious hints`: what is remembered from one message to the next is shown, tidied and
//! changed (specification 54.12 to 54.14).

use std::collections::BTreeSet;
use std::process::ExitCode;

use eximious::hints::{self, Record, Retry, Waiting};
use eximious::stdlib::interval;
use eximious::world::{Hint, HintStore, HintsError};
use eximious::{Context, opt};
use eximious_mta::spool;
use eximious_mta::spool::queue::is_message_id;

use crate::refusal::{Refusal, Stop};
use crate::session::{Session, Setup};
use crate::{caller, print};

/// What is done with hints, and with what it begins.
#[derive(Debug)]
pub struct HintsRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// What is done.
    pub work: HintsWork,
}

/// What is done with hints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HintsWork {
    /// The names of all databases are shown.
    Names,
    /// All records of a database are shown: in which zone, and whether their keys alone.
    Dump {
        /// The database.
        space: Vec<u8>,
        /// Whether times are in UTC.
        utc: bool,
        /// Whether the keys are all that is shown.
        keys: bool,
    },
    /// Records that are older, in seconds, go; of these databases, or of all.
    Tidy(i64, Vec<Vec<u8>>),
    /// A record is shown.
    Get(Vec<u8>, Vec<u8>),
    /// A record gets another value in a field.
    Set {
        /// The database.
        space: Vec<u8>,
        /// The record's key.
        key: Vec<u8>,
        /// The field.
        field: String,
        /// The value.
        value: String,
    },
    /// A record goes.
    Delete(Vec<u8>, Vec<u8>),
}

/// How old records are that `tidy` removes, where nothing else is said: 30 days.
const OLD: i64 = 30 * 24 * 3600;

/// Reads the arguments of `hints`.
///
/// # Errors
/// They ask for nothing that there is.
pub fn work(arguments: &[String]) -> Result<HintsWork, Stop> {
    let bytes = |text: &&str| text.as_bytes().to_vec();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (flags, rest): (Vec<&str>, Vec<&str>) = match words.first() {
        Some(&"dump") => words.iter().skip(1).partition(|word| ["-z", "-k"].contains(*word)),
        _ => (Vec::new(), words.iter().skip(1).copied().collect()),
    };
    match (words.first().copied(), rest.as_slice()) {
        (None, _) => Ok(HintsWork::Names),
        (Some("dump"), [space]) => Ok(HintsWork::Dump {
            space: bytes(space),
            utc: flags.contains(&"-z"),
            keys: flags.contains(&"-k"),
        }),
        (Some("tidy"), ["-t", time, spaces @ ..]) => {
            let seconds = interval::seconds(time.as_bytes()).map(i64::from);
            let Some(seconds) = seconds else {
                let message = format!("eximious: \"{time}\" is no time: hints tidy -t 7d");
                return Err(Stop(message.into()));
            };
            Ok(HintsWork::Tidy(seconds, spaces.iter().map(bytes).collect()))
        }
        (Some("tidy"), spaces) if spaces.first() != Some(&"-t") => {
            Ok(HintsWork::Tidy(OLD, spaces.iter().map(bytes).collect()))
        }
        (Some("get"), [space, key]) => Ok(HintsWork::Get(bytes(space), bytes(key))),
        (Some("set"), [space, key, field, value]) => Ok(HintsWork::Set {
            space: bytes(space),
            key: bytes(key),
            field: (*field).to_owned(),
            value: (*value).to_owned(),
        }),
        (Some("delete"), [space, key]) => Ok(HintsWork::Delete(bytes(space), bytes(key))),
        _ => Err(Stop(format!("eximious: hints {}?\n{USAGE}", words.join(" ")).into())),
    }
}

const USAGE: &str = "hints | hints dump [-z] [-k] NAME | hints tidy [-t TIME] [NAME…] | \
    hints get NAME KEY | hints set NAME KEY FIELD VALUE | hints delete NAME KEY";

/// Does it.
pub fn run(request: HintsRequest) -> Result<ExitCode, Refusal> {
    let session = Session::start(request.setup, eximious_world::system())?;
    let (_, cx) = session.into_parts();
    if !caller::is_admin(cx.engine().settings(), cx.engine().world()) {
        return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
    }
    let directory = cx.engine().settings().get(opt::SPOOL_DIRECTORY);
    let store = cx.engine().world().hint_store(directory.bytes());
    let said = done(&cx, &*store, request.work).map_err(|why| {
        let spool = directory.display().to_string();
        Refusal::Said(format!("eximious: hints of {spool}: {why}").into_bytes())
    })?;
    Ok(print(&said))
}

/// What there is to say of it; an error is why it can't be.
fn done(cx: &Context, store: &dyn HintStore, work: HintsWork) -> Result<Vec<u8>, String> {
    let why = |error: HintsError| error.to_string();
    let now = cx.engine().world().clock.now().seconds;
    let mut said = Vec::new();
    match work {
        HintsWork::Names => {
            for name in store.spaces().map_err(why)? {
                said.extend_from_slice(&[&name[..], b"\n"].concat());
            }
        }
        HintsWork::Dump { space, utc, keys } => {
            let mut at_host = Vec::new();
            let mut show = |key: &[u8], hint: &Hint| {
                match (keys, Waiting::read(&space, key)) {
                    (true, _) => said.extend_from_slice(&[key, b"\n"].concat()),
                    // Those that wait for one host stand in one line.
                    (false, Some((host, id))) if host == &at_host[..] => {
                        said.pop();
                        said.extend_from_slice(&[id, b" \n"].concat());
                    }
                    (false, Some((host, id))) => {
                        at_host = host.to_vec();
                        said.extend_from_slice(&[host, b" ", id, b" \n"].concat());
                    }
                    (false, None) => said.extend_from_slice(&shown(cx, &space, key, hint, utc)),
                }
                true
            };
            store.each(&space, &mut show).map_err(why)?;
        }
        HintsWork::Tidy(age, named) => {
            let names = match named.is_empty() {
                true => store.spaces().map_err(why)?,
                false => named,
            };
            for name in names {
                said.extend_from_slice(&tidied(cx, store, &name, now.saturating_sub(age))?);
            }
        }
        HintsWork::Get(space, key) => {
            said = shown(cx, &space, &key, &entry(store, &space, &key)?, false);
        }
        HintsWork::Set { space, key, field, value } => {
            let hint = entry(store, &space, &key)?;
            let new = hints::edited(&space, &hint, (&field, &value), now)?;
            store.put(&space, &key, new.clone()).map_err(why)?;
            said = shown(cx, &space, &key, &new, false);
        }
        HintsWork::Delete(space, key) => {
            entry(store, &space, &key)?;
            store.delete(&space, &key).map_err(why)?;
        }
    }
    Ok(said)
}

fn entry(store: &dyn HintStore, space: &[u8], key: &[u8]) -> Result<Hint, String> {
    let found = store.get(space, key).map_err(|error| error.to_string())?;
    found.ok_or_else(|| format!("no record \"{}\"", String::from_utf8_lossy(key)))
}

/// A record, as `exim_dumpdb` shows it.
fn shown(cx: &Context, space: &[u8], key: &[u8], hint: &Hint, utc: bool) -> Vec<u8> {
    let zone = cx.engine().settings().get(opt::TIMEZONE).display().to_string();
    let zone = if utc { Some("UTC") } else { Some(&*zone).filter(|zone| !zone.is_empty()) };
    hints::dump(space, key, hint, &*cx.engine().world().clock, zone)
}

/// Removes old records, and such as are about messages that are gone.
fn tidied(
    cx: &Context,
    store: &dyn HintStore,
    space: &[u8],
    before: i64,
) -> Result<Vec<u8>, String> {
    let why = |error: HintsError| error.to_string();
    let mut said = Vec::new();
    if space == Retry::SPACE.as_bytes() || Waiting::is_space(space) {
        let waiting = waiting(cx)?;
        let mut gone = Vec::new();
        let mut look = |key: &[u8], _: &Hint| {
            let id = key.rsplit(|byte| matches!(byte, b':' | b' ')).next().unwrap_or_default();
            if is_message_id(id) && !waiting.contains(id) {
                gone.push(key.to_vec());
            }
            true
        };
        store.each(space, &mut look).map_err(why)?;
        for key in gone {
            store.delete(space, &key).map_err(why)?;
            said.extend_from_slice(&[b"deleted ", &key[..], b" (no message)\n"].concat());
        }
    }
    let count = store.tidy(space, before).map_err(why)?;
    let name = String::from_utf8_lossy(space);
    said.extend_from_slice(format!("{name}: {count} old records deleted\n").as_bytes());
    Ok(said)
}

/// The names of all messages that wait.
fn waiting(cx: &Context) -> Result<BTreeSet<Vec<u8>>, String> {
    let place = spool::place(cx, b"").map_err(|why| String::from_utf8_lossy(&why).into_owned())?;
    let spool = &cx.engine().world().spool;
    let entries = spool.entries(&place).map_err(|why| eximious::stdlib::wording::reason(&why))?;
    Ok(entries.into_iter().map(|entry| entry.id).collect())
}
