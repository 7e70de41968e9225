//! Who is said to have submitted a message (RFC 4954, `AUTH=`).

use eximious_core::FailClass;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::session::Attempt;
use crate::Context;
use crate::mail::smtp_transport::UNNAMED;
use crate::mail::transport::{Transport, Undelivered};

/// Who is said to have submitted the message, to a host that knows who this is
/// (`authenticated_sender`): what the option says, or what is known of the message.
///
/// # Errors
/// The option can't be expanded: what is logged.
pub(crate) fn authenticated_sender(
    cx: &mut Context,
    transport: &Transport,
) -> Result<Option<Vec<u8>>, Vec<u8>> {
    let own = match transport.expand_some(cx, smtp::AUTHENTICATED_SENDER) {
        None => cx.value_of(var::AUTHENTICATED_SENDER),
        Some(Ok(own)) => own,
        Some(Err(fail)) if fail.class() == FailClass::Forced => return Ok(None),
        Some(Err(fail)) => {
            let head = b"failed to expand authenticated_sender: ".as_slice();
            return Err([head, fail.message()].concat());
        }
    };
    Ok((!own.is_empty()).then(|| own.bytes().to_vec()))
}

impl Attempt<'_, '_> {
    /// As [`authenticated_sender`].
    pub(super) fn authenticated_sender(&mut self) -> Result<Option<Vec<u8>>, Undelivered> {
        authenticated_sender(self.call.cx, self.call.transport)
            .map_err(|why| Undelivered::new(UNNAMED, why))
    }
}
