//! A message that is large: once it can be told where its header ends, the rest goes to
//! the spool as it comes in, and the session holds no more than a small window of it.

use super::SmtpSession;
use super::bdat::has_bare_header;
use super::mail_data::{MailData, Rest, Useless};
use crate::reception::{
    Coming, LineEnds, Newlines, StoredBody, end_of_header, longest_header, message_id,
};

impl SmtpSession {
    /// Sends what is there of a message's body to the spool, if there is much of it.
    pub(super) fn make_room(&mut self, data: &mut MailData) {
        let is_time = data.bytes.len() >= data.next_look && matches!(data.rest, Rest::Memory);
        if !is_time || self.setup.is_test || !self.cx.engine().world().spool.is_there() {
            return;
        }
        self.settle_from_line(data, false);
        let room = usize::try_from(longest_header(&self.cx)).unwrap_or(usize::MAX);
        let room = room.saturating_add(self.setup.window);
        if data.is_too_large() {
            data.bytes = Vec::new();
            data.rest = Rest::Nowhere(Useless::TooLarge);
        } else if !self.divide(data) {
            if data.bytes.len() >= room {
                data.rest = Rest::Nowhere(Useless::LongHeader);
                // Nobody looks for the end of its first line any more.
                data.drops_from.get_or_insert(false);
            } else if !self.charge_header(data.bytes.len()) {
                data.bytes = Vec::new();
                data.rest = Rest::Nowhere(Useless::NoMemory);
            } else {
                data.next_look = data.bytes.len().saturating_mul(2).min(room);
            }
        }
    }

    /// Divides a message where its header ends, if that can be told; whether it is divided.
    fn divide(&mut self, data: &mut MailData) -> bool {
        let drops_from = data.drops_from == Some(true);
        let Some(end) = end_of_header(&data.bytes, drops_from, &mut self.cx) else { return false };
        let ends = match data.coming {
            Coming::Chunks | Coming::Wire if has_bare_header(&data.bytes) => {
                data.rest = Rest::Nowhere(Useless::BareHeader);
                return true;
            }
            Coming::Wire => LineEnds::Wire,
            Coming::Chunks => LineEnds::Smtp(Newlines::of_chunks(end.crlf)),
            _ => LineEnds::Smtp(Newlines::new(end.crlf)),
        };
        if data.coming != Coming::Lines {
            data.returns = memchr::memchr_iter(b'\r', &data.bytes[..end.at]).count() as u64;
        }
        let rest = data.bytes.split_off(end.at);
        data.bytes.shrink_to_fit();
        let id = message_id(self.cx.engine());
        let queue = self.acl_state.queue.clone();
        let mut body = StoredBody::new(&self.cx, queue.bytes(), id, &end, ends);
        body.push(&rest);
        data.rest = Rest::Spool(Box::new(body));
        true
    }
}
