//! What OpenSSL has, and its safe binding has not: certificates that the DNS vouches for
//! (DANE, RFC 6698 and 7671), what the other side showed of itself while that is looked at,
//! keys of session tickets, and sessions that are taken up.

mod chain;
mod dane;
mod tickets;

pub use chain::shown;
pub use dane::{Tlsa, add_name, add_tlsa, allow_dane, begin_dane, matched_usage};
pub use tickets::{TicketKey, TicketKeys, use_ticket_keys};

use foreign_types_shared::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{SslRef, SslSessionRef};

/// Has a client offer to go on with a session. Where the session can't be used here, it is
/// not offered, and the handshake is a full one.
///
/// # Errors
/// The library can't do it.
pub fn take_up(ssl: &mut SslRef, session: &SslSessionRef) -> Result<(), ErrorStack> {
    // SAFETY: both pointers are live for the call, and the library takes a reference of its
    // own to the session. Each context here is made of the same method, which is what the
    // safe binding leaves to its caller.
    let done = unsafe { openssl_sys::SSL_set_session(ssl.as_ptr(), session.as_ptr()) };
    told(done)
}

/// What a call said: an error, where it is not above nothing.
fn told(result: std::ffi::c_int) -> Result<(), ErrorStack> {
    if result > 0 { Ok(()) } else { Err(ErrorStack::get()) }
}
