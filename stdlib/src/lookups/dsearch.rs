//! `dsearch`: names in a directory.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::Stat;
use eximious_core::{
    Call, Effects, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use crate::wording::{reason, reason_to_open};

/// `${lookup{name}dsearch{/directory}}`.
pub static DSEARCH: LookupDef = LookupDef {
    meta: Meta::new("dsearch", Effects::LOOKUP.union(Effects::FILES), TaintRule::Clean)
        .syntax("${lookup{<name>}dsearch{<directory>}}")
        .summary("A name in a directory.")
        .docs(
            "If the directory, an absolute path, has an entry with the name, the result is the \
             name, no longer tainted; with `ret=full` the whole path. `filter=file`, `filter=dir` \
             and `filter=subdir` (which leaves out `.` and `..`) let only such entries count; a \
             symbolic link is none of them. A name must not hold a slash; with `key=path` it may, \
             but no part of it may be `..`.",
        )
        .source("specification 9.3.5"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(run),
};

fn run(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let (directory, key) = (query.file.bytes(), query.key.bytes());
    let files = call.files()?;
    let failed = |reason: &str| {
        let message =
            [b"failed to open ", directory, b" for directory search: ", reason.as_bytes()];
        LookupFail::Open(super::outside(message.concat()))
    };
    let stat = match files.stat(directory, true) {
        Ok(stat) => stat,
        Err(error) => return Err(failed(&reason_to_open(call, &error))),
    };
    if !is(&stat, DIRECTORY) {
        return Err(failed("Not a directory"));
    }
    // Exim opens the directory, though it reads nothing there.
    if let Err(error) = files.read(directory, 1)
        && error.kind() == std::io::ErrorKind::PermissionDenied
    {
        return Err(failed(&reason_to_open(call, &error)));
    }
    if directory.first() != Some(&b'/') {
        let message = [b"dirname '", directory, b"' for dsearch is not absolute"].concat();
        return Err(LookupFail::Open(super::outside(message)));
    }
    refuse(key, query)?;
    let path = [directory, b"/", key].concat();
    let stat = match files.stat(&path, false) {
        Ok(stat) => stat,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let reason = reason(&error);
            return Err(LookupFail::Defer([&path[..], b": lstat: ", reason.as_bytes()].concat()));
        }
    };
    // Where several filters are given, one of them is enough.
    let filters = query.options.each().filter_map(|option| match option {
        b"filter=file" => Some(is(&stat, FILE)),
        b"filter=dir" => Some(is(&stat, DIRECTORY)),
        b"filter=subdir" => Some(is(&stat, DIRECTORY) && !matches!(key, b"." | b"..")),
        _ => None,
    });
    let passes = filters.reduce(|one, other| one || other).unwrap_or(true);
    let whole = query.options.is("ret", "full");
    Ok(passes.then(|| if whole { Str::from(path) } else { query.key.clone() }))
}

/// Keys that would lead out of the directory. Exim lets `..` pass where it is
/// the first or the last part.
fn refuse(key: &[u8], query: &LookupQuery) -> Result<(), LookupFail> {
    let (wrong, what): (bool, &[u8]) = if query.options.is("key", "path") {
        let up = key.split(|c| *c == b'/').any(|part| part == b"..");
        (up || key.windows(3).any(|part| part == b"/./"), b"bad component: ")
    } else {
        (key.contains(&b'/'), b"a slash: ")
    };
    if !wrong {
        return Ok(());
    }
    Err(LookupFail::Defer([b"key for dsearch lookup contains ", what, key].concat()))
}

const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

fn is(stat: &Stat, kind: u32) -> bool {
    stat.mode & 0o170_000 == kind
}
