//! What is to be written where: the transport's options, expanded.

use std::sync::Arc;

use eximious_core::world::mailbox::{
    MailboxCover, MailboxFile, MailboxForm, MailboxLock, MailboxOrder, MailboxPlace, MailboxQuota,
    fault,
};
use eximious_core::{DriverOpt, FailClass, Str};
use eximious_stdlib::options::is_yes;
use eximious_stdlib::options::opt::transport::appendfile as opt;
use eximious_stdlib::variables::var;

use super::limit::{Limit, limit};
use super::{META, UNKNOWN};
use crate::mail::route::DeliveryTarget;
use crate::mail::transport::{TransportCall, Undelivered};

/// An order, and what else is to be known of it.
pub(super) struct Ready {
    pub(super) order: MailboxOrder,
    /// The file or the directory as it was named.
    pub(super) named: Vec<u8>,
    /// Beyond how many bytes the owner is warned; zero is never.
    pub(super) threshold: u64,
    /// The formats that the file may have, and the transport of each.
    pub(super) transports: Vec<(Str, Str)>,
}

/// Reads the options; how much may be there is known.
pub(super) fn read(
    call: &mut TransportCall<'_>,
    (mut quota, threshold): (MailboxQuota, u64),
) -> Result<Ready, Undelivered> {
    let transport = call.transport;
    let within = within(call);
    let (named, in_directory) = path(call, within.as_ref())?;
    let path = if in_directory { without_slashes(&named) } else { &named }.to_vec();
    let forced = match call.consignment.deliveries[0].target {
        DeliveryTarget::File { mode } => mode,
        _ => None,
    };
    let transports = transport.text(opt::FILE_FORMAT).map(super::formats);
    let form = match in_directory {
        false => MailboxForm::File(file(call, forced.is_some(), transports.as_deref())),
        true if transport.on(opt::MAILDIR_FORMAT) => maildir(call, &path)?,
        true if transport.on(opt::MAILSTORE_FORMAT) => {
            MailboxForm::Mailstore { id: call.consignment.message.id.bytes().to_vec() }
        }
        true => MailboxForm::Files,
    };
    if !in_directory {
        quota.files = 0;
    }
    // Who is asked may make a log for it.
    let cover = call.consignment.cover.filter(|_| matches!(form, MailboxForm::Maildir { .. }));
    let covered = cover.and_then(MailboxCover::device);
    let mode = |option| u32::try_from(transport.get(option)).unwrap_or(0o600) & 0o7777;
    let order = MailboxOrder {
        user: call.consignment.user.clone(),
        path,
        form,
        directory_mode: transport.on(opt::CREATE_DIRECTORY).then(|| mode(opt::DIRECTORY_MODE)),
        within,
        mode: forced.unwrap_or_else(|| mode(opt::MODE)),
        host: call.cx.value_of(var::PRIMARY_HOSTNAME).bytes().to_vec(),
        quota,
        covered,
    };
    Ok(Ready { order, named, threshold, transports: transports.unwrap_or_default() })
}

/// Whether a path that lies where new files have to be may come from anybody.
fn cleans(within: &MailboxPlace, path: &[u8]) -> bool {
    let below = path.strip_prefix(&within.path[..]).filter(|rest| rest.starts_with(b"/"));
    let up = |rest: &[u8]| rest.split(|byte| *byte == b'/').any(|part| part == b"..");
    within.below && below.is_some_and(|rest| !up(rest))
}

/// Where new files have to be (`create_file`).
fn within(call: &mut TransportCall<'_>) -> Option<MailboxPlace> {
    let transport = call.transport;
    let word = transport.text(opt::CREATE_FILE).map(Str::bytes).unwrap_or_default();
    let mut home = || {
        let home = call.cx.value_of(var::HOME).bytes().to_vec();
        Some(home).filter(|home| !home.is_empty())
    };
    match word {
        b"belowhome" => Some(MailboxPlace { path: home()?, below: true }),
        b"inhome" => Some(MailboxPlace { path: home()?, below: false }),
        path if path.starts_with(b"/") => Some(MailboxPlace { path: path.to_vec(), below: true }),
        _ => None,
    }
}

/// The file or the directory, and which of them it is.
fn path(
    call: &mut TransportCall<'_>,
    within: Option<&MailboxPlace>,
) -> Result<(Vec<u8>, bool), Undelivered> {
    let transport = call.transport;
    let delivery = call.consignment.deliveries[0];
    let name = transport.name.bytes();
    let (file, directory) = (transport.text(opt::FILE), transport.text(opt::DIRECTORY));
    let (text, in_directory) = match (file, directory) {
        (Some(file), _) => (file.clone(), false),
        (None, Some(directory)) => (directory.clone(), true),
        (None, None) => match delivery.target {
            DeliveryTarget::File { .. } => {
                let text = delivery.address.text.clone();
                let is_directory = text.bytes().ends_with(b"/")
                    || transport.on(opt::MAILDIR_FORMAT)
                    || transport.on(opt::MAILSTORE_FORMAT);
                let path = checked(name, &text, is_directory, within)?;
                return Ok((path, is_directory));
            }
            _ => {
                let head: &[u8] = b"Mandatory file or directory option missing from ";
                let why = Undelivered::new(UNKNOWN, [head, name, b" transport"].concat());
                return Err(why.panicking());
            }
        },
    };
    let option = if in_directory { opt::DIRECTORY } else { opt::FILE };
    let path = call.expand(&text, option.name(), "file or directory name");
    let path = path.map_err(Undelivered::panicking)?;
    if !in_directory {
        for option in [opt::MAILDIR_FORMAT, opt::MAILSTORE_FORMAT] {
            if transport.on(option) {
                let head =
                    format!("{} requires \"directory\" to be specified for the ", option.name());
                let parts = [head.as_bytes(), name, b" transport"];
                return Err(Undelivered::new(UNKNOWN, parts.concat()).panicking());
            }
        }
    }
    // A path that is chosen by the transport, and not permitted, is told in the place of the one
    // that was asked for; one that is none is not.
    let at_it = |why: Undelivered| {
        let file = super::chosen(call, path.bytes()).filter(|_| why.panics);
        Undelivered { file: file.map(Arc::new), ..why }
    };
    Ok((checked(name, &path, in_directory, within).map_err(at_it)?, in_directory))
}

/// A directory without slashes at its end.
fn without_slashes(path: &[u8]) -> &[u8] {
    &path[..path.iter().rposition(|byte| *byte != b'/').map_or(1, |at| at + 1)]
}

/// A path that may be written to.
fn checked(
    transport: &[u8],
    path: &Str,
    in_directory: bool,
    within: Option<&MailboxPlace>,
) -> Result<Vec<u8>, Undelivered> {
    let (bytes, taint) = path.read();
    if !bytes.starts_with(b"/") {
        let head: &[u8] = b"appendfile: file or directory name \"";
        let parts = [head, bytes, b"\" is not absolute"].concat();
        return Err(Undelivered::new(fault::NOT_ABSOLUTE, parts));
    }
    let is_clean = !taint.is_tainted() || within.is_some_and(|within| cleans(within, bytes));
    // Where a directory would not be made, that is told first.
    if !is_clean
        && in_directory
        && within.is_some_and(|within| !within.below || within.path != bytes)
    {
        let tail = b", but file creation outside the home directory is not permitted";
        let parts = [b"tried to create file in ", bytes, tail];
        return Err(Undelivered::new(fault::CREATION, parts.concat()));
    }
    if !is_clean {
        let tail: &[u8] = b"' (file or directory name for ";
        let parts = [b"Tainted '", bytes, tail, transport, b" transport) not permitted"];
        return Err(Undelivered::new(UNKNOWN, parts.concat()).panicking());
    }
    Ok(bytes.to_vec())
}

fn file(
    call: &TransportCall<'_>,
    forces_mode: bool,
    formats: Option<&[(Str, Str)]>,
) -> MailboxFile {
    let transport = call.transport;
    let own = |name: &Str| name.bytes() == transport.name.bytes();
    let format = |(start, name): &(Str, Str)| (start.bytes().to_vec(), !own(name));
    let formats = formats.map(|all| all.iter().map(format).collect());
    let by_flock = transport.on(opt::USE_FLOCK_LOCK);
    let by_mbx = transport.on(opt::USE_MBX_LOCK);
    MailboxFile {
        is_mbx: transport.on(opt::MBX_FORMAT),
        must_exist: transport.on(opt::FILE_MUST_EXIST),
        checks_owner: transport.on(opt::CHECK_OWNER),
        checks_group: transport.on(opt::CHECK_GROUP),
        refuses_narrower: transport.on(opt::MODE_FAIL_NARROWER),
        forces_mode,
        allows_fifo: transport.on(opt::ALLOW_FIFO),
        allows_symlink: transport.on(opt::ALLOW_SYMLINK),
        formats,
        lock: MailboxLock {
            by_file: transport.on(opt::USE_LOCKFILE),
            by_fcntl: transport.on(opt::USE_FCNTL_LOCK) || by_mbx && !by_flock,
            by_flock,
            by_mbx,
            file_mode: u32::try_from(transport.get(opt::LOCKFILE_MODE)).unwrap_or(0o600) & 0o777,
            file_timeout: transport.get(opt::LOCKFILE_TIMEOUT),
            fcntl_timeout: transport.get(opt::LOCK_FCNTL_TIMEOUT),
            flock_timeout: transport.get(opt::LOCK_FLOCK_TIMEOUT),
            retries: u32::try_from(transport.get(opt::LOCK_RETRIES)).unwrap_or(0),
            interval: transport.get(opt::LOCK_INTERVAL),
        },
    }
}

fn maildir(call: &mut TransportCall<'_>, path: &[u8]) -> Result<MailboxForm, Undelivered> {
    let transport = call.transport;
    let marks_folder = match transport.text(opt::MAILDIRFOLDER_CREATE_REGEX) {
        None => false,
        Some(pattern) => compile(call, pattern)?.is_match(path),
    };
    let retries = u32::try_from(transport.get(opt::MAILDIR_RETRIES)).unwrap_or(0);
    let keeps_sizes = keeps_sizes(call);
    Ok(MailboxForm::Maildir { retries, marks_folder, keeps_sizes })
}

/// Whether sizes are kept in a file; where that can't be told, they are not, and that is
/// logged.
fn keeps_sizes(call: &mut TransportCall<'_>) -> bool {
    let option = opt::MAILDIR_USE_SIZE_FILE;
    let Some(text) = call.transport.some_text(option).cloned() else {
        return call.transport.on(option);
    };
    match crate::mail::route::Text::new(text.clone()).expand(call.cx) {
        Ok(word) => is_yes(word.bytes()),
        Err(fail) if fail.class() == FailClass::Forced => false,
        Err(fail) => {
            let head = [b"failed to expand condition \"", text.bytes(), b"\" for `"].concat();
            let middle = [option.name().as_bytes(), b"` in transport "].concat();
            let tail = [call.transport.name.bytes(), b": ", fail.message()].concat();
            call.cx.log().panic(&[head, middle, tail].concat());
            false
        }
    }
}

/// Compiles a pattern of the configuration.
pub(super) fn compile(
    call: &mut TransportCall<'_>,
    pattern: &Str,
) -> Result<eximious_stdlib::pattern::CompiledPattern, Undelivered> {
    let compiled =
        call.cx.call(&META, |call| eximious_stdlib::pattern::compile(call, pattern.bytes(), false));
    compiled.map_err(|fail| Undelivered::new(UNKNOWN, fail.message()))
}

/// How much may be there, and beyond how much the owner is warned.
pub(super) fn quota(call: &mut TransportCall<'_>) -> Result<(MailboxQuota, u64), Undelivered> {
    let transport = call.transport;
    let bytes = number(call, opt::QUOTA)?;
    // Files are counted only where bytes are, too, and not where the option names one.
    let files = match transport.text(opt::FILE).is_none() && bytes.is_some() {
        true => number(call, opt::QUOTA_FILECOUNT)?,
        false => None,
    };
    let bytes = bytes.unwrap_or_default();
    let files = files.unwrap_or_default();
    let threshold = number(call, opt::QUOTA_WARN_THRESHOLD)?.unwrap_or_default();
    if let Some(percent) = threshold.excess().filter(|_| bytes.number > 0) {
        let head = format!("Invalid quota_warn_threshold percentage ({percent}) for ");
        let parts = [head.as_bytes(), transport.name.bytes(), b" transport"];
        return Err(Undelivered::new(UNKNOWN, parts.concat()).panicking());
    }
    let threshold = match threshold.is_share && bytes.number == 0 {
        true => 0,
        false => threshold.of(bytes.number),
    };
    let known_bytes = known(call, opt::MAILBOX_SIZE)?;
    let known_files = known(call, opt::MAILBOX_FILECOUNT)?;
    let mut is_unseen = false;
    let directory = match transport.text(opt::QUOTA_DIRECTORY).cloned() {
        Some(text) => {
            let name = opt::QUOTA_DIRECTORY.name();
            let path = call.expand(&text, name, "quota_directory name");
            let path = path.map_err(Undelivered::panicking)?;
            let text = path.bytes();
            if !text.starts_with(b"/") {
                let head = [b"appendfile: quota_directory name \"", text].concat();
                let why = [&head[..], b"\" is not absolute"].concat();
                return Err(Undelivered::new(fault::NOT_ABSOLUTE, why));
            }
            // Nobody from outside has anything measured: nothing is there.
            is_unseen = path.taint().is_tainted();
            if is_unseen {
                call.cx.log().panic(&eximious_stdlib::wording::tainted("dirname", text));
            }
            (!is_unseen).then(|| text.to_vec())
        }
        None => None,
    };
    let nothing = is_unseen.then_some(0);
    let quota = MailboxQuota {
        bytes: bytes.number,
        files: files.number,
        refuses_bytes: !bytes.is_unchecked,
        // Where bytes are not bounded, files are not, either: their number is only told.
        refuses_files: !files.is_unchecked && bytes.number > 0,
        adds: transport.on(opt::QUOTA_IS_INCLUSIVE).then_some(call.consignment.message.size),
        measures: threshold > 0,
        known_bytes: known_bytes.or(nothing),
        known_files: known_files.or(nothing),
        directory,
        names_tell: transport.some_text(opt::QUOTA_SIZE_REGEX).is_some(),
    };
    Ok((quota, threshold))
}

/// What is there already, as an option says; nothing where that is to be counted.
fn known(call: &mut TransportCall<'_>, option: DriverOpt<Str>) -> Result<Option<u64>, Undelivered> {
    let is_set = call.transport.text(option).is_some();
    let known = number(call, option)?.or_else(|| is_set.then(Limit::default));
    // Exim's numbers pass through floats: what rounds to more than they hold is below zero.
    let is_fit = |known: &Limit| !known.is_negative && (known.number as f64) < i64::MAX as f64;
    Ok(known.filter(is_fit).map(|known| known.number))
}

/// A number that an option says; `None` where it is not set.
fn number(
    call: &mut TransportCall<'_>,
    option: DriverOpt<Str>,
) -> Result<Option<Limit>, Undelivered> {
    let Some(text) = call.transport.some_text(option).cloned() else { return Ok(None) };
    // A look-up that has no answer now is nobody's mistake.
    let value = call.tried(&text, option.name(), "", |class| class != FailClass::Defer)?;
    // Only what is warned of may be a share.
    let is_fit =
        |limit: &Limit| !limit.is_share || option.name() == opt::QUOTA_WARN_THRESHOLD.name();
    let name = call.transport.name.bytes();
    let limit = limit(value.bytes()).filter(is_fit).ok_or_else(|| {
        let head = [b"Malformed value \"", value.bytes(), b"\" (expansion of \""].concat();
        let tail = [text.bytes(), b"\") in ", name, b" transport"].concat();
        Undelivered::new(UNKNOWN, [head, tail].concat()).panicking()
    })?;
    let counts_files = [opt::QUOTA_FILECOUNT, opt::MAILBOX_FILECOUNT];
    if counts_files.iter().any(|one| one.name() == option.name())
        && i32::try_from(limit.number).is_err()
    {
        let head = format!("{} value {} is too large (overflow) in ", option.name(), limit.number);
        let parts = [head.as_bytes(), name, b" transport"];
        return Err(Undelivered::new(UNKNOWN, parts.concat()).panicking());
    }
    Ok(Some(limit))
}
