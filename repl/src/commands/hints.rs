//! `eximious hints`: what is remembered from one message to the next is shown, tidied and
//! changed (specification 54.12 to 54.14).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use eximious::hints::{self, Record, Retry, StsRecord, TlsReport, Waiting};
use eximious::stdlib::interval;
use eximious::world::spool::{SpoolPlace, is_message_id};
use eximious::world::{Hint, HintStore, HintsError};
use eximious::{Context, opt};
use eximious_mta::spool;

use super::bytes;
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use crate::{caller, print};

/// What is done with hints.
enum HintsWork {
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

/// `--spool`, and what it stands for.
pub const SPOOL: &str = "spool";

/// Its options.
pub fn command() -> Command {
    let name = || Arg::new("name").value_name("NAME").required(true).help("The database");
    let key = || {
        let key = Arg::new("key").value_name("KEY").required(true).help("The record's key");
        key.value_parser(value_parser!(OsString))
    };
    let fields = SETTABLE
        .map(|space| format!("  {space}: {}\n", hints::fields(space.as_bytes()).join(", ")));
    Command::new("hints")
        .about("shows, tidies and changes what is remembered of hosts, addresses and rates")
        .long_about(
            "Shows, tidies and changes what is remembered from one message to the next, as \
             exim_dumpdb, exim_tidydb and exim_fixdb do for Exim. Without anything it says \
             which databases there are: retry, callout, ratelimit, seen, misc, tls, and \
             wait-TRANSPORT, of which a key is a host. It is for admin users. With links of these names to the program, exim_dumpdb and exim_tidydb work as \
             they are typed for Exim, and exinext, which asks the first one, does, too.",
        )
        .disable_help_subcommand(true)
        .arg(
            Arg::new(SPOOL)
                .long(SPOOL)
                .value_name("DIRECTORY")
                .value_parser(value_parser!(OsString))
                .global(true)
                .help("Those of another spool, with the rights of who asks"),
        )
        .subcommand(
            Command::new("dump")
                .about("Shows all records")
                .arg(name())
                .arg(Arg::new("utc").short('z').action(ArgAction::SetTrue).help("Times in UTC"))
                .arg(
                    Arg::new("keys").short('k').action(ArgAction::SetTrue).help("Their keys alone"),
                ),
        )
        .subcommand(
            Command::new("tidy")
                .about("Removes old records, and times for retrying of messages that are gone")
                .arg(
                    Arg::new("names")
                        .value_name("NAME")
                        .num_args(0..)
                        .help("The databases; by default, all"),
                )
                .arg(
                    Arg::new("time")
                        .short('t')
                        .value_name("TIME")
                        .value_parser(time)
                        .allow_hyphen_values(true)
                        .default_value("30d")
                        .help("How old they are"),
                ),
        )
        .subcommand(Command::new("get").about("Shows a record").arg(name()).arg(key()))
        .subcommand(
            Command::new("set")
                .about("Gives a field another value")
                .arg(name())
                .arg(key())
                .arg(Arg::new("field").value_name("FIELD").required(true).help("The field"))
                .arg(
                    Arg::new("value")
                        .value_name("VALUE")
                        .required(true)
                        .allow_hyphen_values(true)
                        .help("A time is in seconds since 1970, or now, now+1h30m, now-7d"),
                )
                .after_help(format!("The fields:\n{}", fields.concat())),
        )
        .subcommand(Command::new("delete").about("Removes a record").arg(name()).arg(key()))
}

/// Whether a database of Exim's hints has that name.
pub fn is_database(name: &[u8]) -> bool {
    DATABASES.iter().any(|known| known.as_bytes() == name) || Waiting::is_space(name)
}

/// Exim's databases, beside those of what waits for hosts.
pub const DATABASES: [&str; 6] = ["retry", "callout", "ratelimit", "seen", "misc", "tls"];

/// Those that Exim does not have.
const OWN: [&str; 2] = [StsRecord::SPACE, TlsReport::SPACE];
/// Those with fields that can be set.
const SETTABLE: [&str; 3] = ["retry", "callout", "ratelimit"];

/// What may be typed behind what is done: databases and fields, for shells that complete them.
pub fn words() -> Vec<String> {
    let fields = SETTABLE.iter().flat_map(|space| hints::fields(space.as_bytes()));
    let mut words: Vec<String> =
        DATABASES.into_iter().chain(OWN).chain(fields).map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words
}

/// Fails where a name is none of a database's.
fn known(store: &dyn HintStore, name: &[u8]) -> Result<(), String> {
    let is_own = OWN.iter().any(|own| own.as_bytes() == name);
    // What an embedder keeps is there once something stands in it.
    let is_there = || store.spaces().is_ok_and(|spaces| spaces.iter().any(|one| one == name));
    if is_database(name) || is_own || is_there() {
        return Ok(());
    }
    let name = String::from_utf8_lossy(name);
    let names = DATABASES.join(", ");
    Err(format!("there is no database \"{name}\", but {names} and wait-TRANSPORT"))
}

fn time(text: &str) -> Result<i64, String> {
    let seconds = interval::seconds(text.as_bytes()).map(i64::from);
    seconds.ok_or_else(|| "it is no time, such as 7d".to_owned())
}

/// What was typed.
fn wanted(matches: &ArgMatches) -> HintsWork {
    let Some((what, matches)) = matches.subcommand() else { return HintsWork::Names };
    let text = |name: &str| {
        let text = matches.try_get_one::<String>(name).ok().flatten();
        text.cloned().unwrap_or_default()
    };
    let space = text("name").into_bytes();
    let key = || bytes(matches, "key").unwrap_or_default();
    match what {
        "dump" => {
            HintsWork::Dump { space, utc: matches.get_flag("utc"), keys: matches.get_flag("keys") }
        }
        "tidy" => {
            let names = matches.get_many::<String>("names").into_iter().flatten();
            let names = names.map(|name| name.clone().into_bytes()).collect();
            HintsWork::Tidy(matches.get_one("time").copied().unwrap_or_default(), names)
        }
        "get" => HintsWork::Get(space, key()),
        "set" => HintsWork::Set { space, key: key(), field: text("field"), value: text("value") },
        _ => HintsWork::Delete(space, key()),
    }
}

/// Does it.
///
/// # Errors
/// The configuration can't be read, the caller may not, or there is no such record.
pub fn run(matches: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    let spool = bytes(matches, SPOOL);
    let is_tool = spool.is_some();
    // Exim's tools know of no configuration: what the files permit is permitted.
    let setup = match &spool {
        Some(_) => Setup { config: Some(b"/dev/null".to_vec()), ..setup },
        None => setup,
    };
    let session = Session::start(setup, eximious_world::system())?;
    let (_, cx) = session.into_parts();
    if spool.is_none() && !caller::is_admin(cx.engine().settings(), cx.engine().world()) {
        return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
    }
    let place = spool::place(&cx, b"").map_err(Refusal::Said)?;
    let place = match spool {
        Some(spool) => SpoolPlace { spool, ..place },
        None => place,
    };
    let store = cx.engine().world().hint_store(&place.spool);
    let progress = Progress::of("going through hints");
    let said = done(&cx, &*store, &place, (wanted(matches), is_tool)).map_err(|why| {
        let spool = String::from_utf8_lossy(&place.spool);
        Refusal::Said(format!("eximious: hints of {spool}: {why}").into_bytes())
    })?;
    drop(progress);
    Ok(print(&said))
}

/// What there is to say of it, perhaps as one of Exim's tools says it; an error is why it can't
/// be.
fn done(
    cx: &Context,
    store: &dyn HintStore,
    place: &SpoolPlace,
    (work, is_tool): (HintsWork, bool),
) -> Result<Vec<u8>, String> {
    let why = |error: HintsError| error.to_string();
    let now = cx.engine().world().clock.now().seconds;
    let mut said = Vec::new();
    let named = match &work {
        HintsWork::Names => &[][..],
        HintsWork::Tidy(_, names) => names,
        HintsWork::Dump { space, .. }
        | HintsWork::Get(space, _)
        | HintsWork::Set { space, .. }
        | HintsWork::Delete(space, _) => std::slice::from_ref(space),
    };
    named.iter().try_for_each(|name| known(store, name))?;
    match work {
        HintsWork::Names => {
            for name in store.spaces().map_err(why)? {
                said.extend_from_slice(&[&name[..], b"\n"].concat());
            }
        }
        HintsWork::Dump { space, utc, keys } => {
            let mut records = Records { cx, space: &space, utc, at_host: Vec::new(), said };
            let mut show = |key: &[u8], hint: &Hint| {
                match keys {
                    true if is_tool => records.said.extend_from_slice(b"  "),
                    true => {}
                    false => return records.add(key, hint),
                }
                records.said.extend_from_slice(&[key, b"\n"].concat());
                true
            };
            store.each(&space, &mut show).map_err(why)?;
            said = records.said;
        }
        HintsWork::Tidy(age, named) => {
            let names = match named.is_empty() {
                true => store.spaces().map_err(why)?,
                false => named,
            };
            for name in names {
                let before = now.saturating_sub(age);
                said.extend_from_slice(&tidied(cx, store, place, (&name, before), is_tool)?);
            }
        }
        HintsWork::Get(space, key) => {
            let mut records = Records { cx, space: &space, utc: false, at_host: Vec::new(), said };
            for (key, hint) in meant(store, &space, &key)? {
                records.add(&key, &hint);
            }
            said = records.said;
        }
        HintsWork::Set { space, key, field, value } => {
            let hint = entry(store, &space, &key)?;
            let new = hints::edited(&space, &hint, (&field, &value), now)?;
            store.put(&space, &key, new.clone()).map_err(why)?;
            said = shown(cx, &space, &key, &new, false);
        }
        HintsWork::Delete(space, key) => {
            for (key, _) in meant(store, &space, &key)? {
                store.delete(&space, &key).map_err(why)?;
            }
        }
    }
    Ok(said)
}

/// The records of a key; of what waits for hosts, all of the host's that is the key.
fn meant(store: &dyn HintStore, space: &[u8], key: &[u8]) -> Result<Vec<(Vec<u8>, Hint)>, String> {
    let mut found = Vec::new();
    if Waiting::is_space(space) {
        let mut look = |own: &[u8], hint: &Hint| {
            if Waiting::read(space, own).is_some_and(|(host, _)| host == key) {
                found.push((own.to_vec(), hint.clone()));
            }
            true
        };
        store.each(space, &mut look).map_err(|error| error.to_string())?;
    }
    match found.is_empty() {
        true => Ok(vec![(key.to_vec(), entry(store, space, key)?)]),
        false => Ok(found),
    }
}

/// Records as they are shown, one after the other.
struct Records<'r> {
    cx: &'r Context,
    space: &'r [u8],
    utc: bool,
    /// The host for which those wait that were shown last.
    at_host: Vec<u8>,
    said: Vec<u8>,
}

impl Records<'_> {
    /// Those that wait for one host stand in one line. Others may follow.
    fn add(&mut self, key: &[u8], hint: &Hint) -> bool {
        match Waiting::read(self.space, key) {
            Some((host, id)) if host == &self.at_host[..] => {
                self.said.pop();
                self.said.extend_from_slice(&[id, b" \n"].concat());
            }
            Some((host, id)) => {
                self.at_host = host.to_vec();
                self.said.extend_from_slice(&[host, b" ", id, b" \n"].concat());
            }
            None => self.said.extend_from_slice(&shown(self.cx, self.space, key, hint, self.utc)),
        }
        true
    }
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
    place: &SpoolPlace,
    (space, before): (&[u8], i64),
    is_tool: bool,
) -> Result<Vec<u8>, String> {
    let why = |error: HintsError| error.to_string();
    let mut said = Vec::new();
    if is_tool {
        let head = [b"Tidying Exim hints database ", &place.spool[..], b"/db/", space, b"\n"];
        said.extend_from_slice(&head.concat());
        let mut old = |key: &[u8], hint: &Hint| {
            if hint.stamp < before {
                said.extend_from_slice(&[b"deleted ", key, b" (too old)\n"].concat());
            }
            true
        };
        store.each(space, &mut old).map_err(why)?;
        store.tidy(space, before).map_err(why)?;
    }
    if space == Retry::SPACE.as_bytes() || Waiting::is_space(space) {
        let waiting = waiting(cx, place)?;
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
    if is_tool {
        said.extend_from_slice(b"Tidying complete\n");
        return Ok(said);
    }
    let count = store.tidy(space, before).map_err(why)?;
    let name = String::from_utf8_lossy(space);
    said.extend_from_slice(format!("{name}: {count} old records deleted\n").as_bytes());
    Ok(said)
}

/// The names of all messages that wait.
fn waiting(cx: &Context, place: &SpoolPlace) -> Result<BTreeSet<Vec<u8>>, String> {
    let spool = &cx.engine().world().spool;
    let entries = spool.entries(place).map_err(|why| eximious::stdlib::wording::reason(&why))?;
    Ok(entries.into_iter().map(|entry| entry.id).collect())
}
