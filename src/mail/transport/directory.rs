//! Where a local transport runs: its home directory, which is in `$home`, and its current
//! directory (specification 24.1, `home_directory`, `current_directory`; 15.2,
//! `transport_home_directory`, `transport_current_directory`).

use eximious_core::Str;
use eximious_core::world::{UserFileOrder, UserFileWork, mailbox::fault};
use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use super::local::{HEADERS, NO_ENTRY};
use super::{TransportCall, Undelivered};
use crate::mail::route::{HomeDirectory, Text};

/// The system's number of what only the superuser may do.
const NO_RIGHTS: i32 = 1;

/// Where those run of which nobody says where.
const ROOT: &[u8] = b"/";

/// Sets `$home`, and says where the transport runs. That is where its user can be: whoever
/// delivers does not go there, but finds out whether that could be done.
///
/// # Errors
/// There is no such place, or it can't be told; what is wrong with the options is in the
/// panic log.
pub(super) fn settle(call: &mut TransportCall<'_>) -> Result<Vec<u8>, Undelivered> {
    let delivery = call.consignment.deliveries[0];
    // What a router has found is no part of what is found out here.
    call.cx.unset_var(var::HOME);
    let home = match (call.transport.text(opt::HOME_DIRECTORY).cloned(), &delivery.home) {
        (Some(text), _) => Some(path(call, "home", &text)?),
        (None, Some(HomeDirectory::Written(text))) => Some(path(call, "home", text)?),
        (None, Some(HomeDirectory::Known(home))) => Some(home.clone()),
        (None, None) => None,
    };
    if let Some(home) = &home {
        call.cx.set_var(var::HOME, home.clone());
    }
    let own = call.transport.text(opt::CURRENT_DIRECTORY).or(delivery.directory.as_ref()).cloned();
    let own = own.map(|text| path(call, "current", &text)).transpose()?;
    let directory = own.or(home).map_or_else(|| ROOT.to_vec(), |path| path.bytes().to_vec());
    if directory != ROOT {
        enter(call, &directory)?;
    }
    Ok(directory)
}

/// What an option comes to, which is an absolute path.
fn path(call: &mut TransportCall<'_>, which: &str, text: &Str) -> Result<Str, Undelivered> {
    let name = call.transport.name.clone();
    let (number, why) = match Text::new(text.clone()).expand(call.cx) {
        Ok(path) if path.bytes().starts_with(b"/") => return Ok(path),
        Ok(path) => {
            let head = format!("{which} directory path \"");
            let tail = [b"\" is not absolute for ", name.bytes(), b" transport"].concat();
            (fault::NOT_ABSOLUTE, [head.as_bytes(), path.bytes(), &tail].concat())
        }
        Err(fail) => {
            let head = format!("{which} directory \"");
            let middle = [b"\" failed to expand for ", name.bytes(), b" transport: "].concat();
            (HEADERS, [head.as_bytes(), text.bytes(), &middle, fail.message()].concat())
        }
    };
    call.cx.log().panic(&why);
    Err(Undelivered::new(number, why))
}

/// Finds out whether the delivery's user can be in a directory.
fn enter(call: &TransportCall<'_>, directory: &[u8]) -> Result<(), Undelivered> {
    let order = UserFileOrder {
        user: call.consignment.user.clone(),
        path: directory.to_vec(),
        work: UserFileWork::Enter,
    };
    let entered = match directory.is_empty() {
        // No name is no name of the place where this runs.
        true => Err(std::io::Error::from_raw_os_error(NO_ENTRY)),
        false => call.cx.engine().world().mailboxes.file(&order),
    };
    // A world without users' files has no system to ask; where nobody has the user's rights, the
    // delivery says so itself.
    match entered.map_err(|why| why.raw_os_error()) {
        Err(Some(number)) if number != NO_RIGHTS => {
            Err(Undelivered::new(number, [b"failed to chdir to ", directory].concat()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
