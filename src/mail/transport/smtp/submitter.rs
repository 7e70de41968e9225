//! Who is said to have submitted a message (RFC 4954, `AUTH=`).

use eximious_core::FailClass;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::session::Attempt;

impl Attempt<'_, '_, '_> {
    /// Who is said to have submitted the message, to a host that knows who this is
    /// (`authenticated_sender`): what the option says, or what is known of the message.
    pub(super) fn authenticated_sender(&mut self, is_known: bool) -> Option<Vec<u8>> {
        let transport = self.call.transport;
        if !is_known && !transport.on(smtp::AUTHENTICATED_SENDER_FORCE) {
            return None;
        }
        let own = match transport.expand_some(self.call.cx, smtp::AUTHENTICATED_SENDER) {
            None => self.call.cx.value_of(var::AUTHENTICATED_SENDER),
            Some(Ok(own)) => own,
            Some(Err(fail)) => {
                if fail.class() != FailClass::Forced {
                    let head = b"failed to expand authenticated_sender: ".as_slice();
                    (self.log)(&[head, fail.message()].concat());
                }
                return None;
            }
        };
        (!own.is_empty()).then(|| own.bytes().to_vec())
    }
}
