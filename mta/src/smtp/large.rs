//! A message that is large: once it can be told where its header ends, the rest goes to
//! the spool as it comes in, and the session holds no more than a small window of it.

use eximious::opt;
use eximious::stdlib::message::header_end;

use super::SmtpSession;
use super::bdat::{has_bare_header, is_nothing_but_header};
use super::mail_data::{MailData, Rest, Useless, header};
use crate::reception::{
    LineEnds, Newlines, StoredBody, longest_header, message_id, sender_in_line,
};

/// How a message comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Coming {
    /// By DATA.
    Lines,
    /// By BDAT.
    Chunks,
}

impl SmtpSession {
    /// Sends what is there of a message's body to the spool, if there is much of it.
    pub(super) fn make_room(&mut self, data: &mut MailData, coming: Coming) {
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
        } else if !self.divide(data, coming) {
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
    fn divide(&mut self, data: &mut MailData, coming: Coming) -> bool {
        if coming == Coming::Chunks {
            let mut head = header(&data.bytes);
            let is_whole = head.len() < data.bytes.len();
            if !is_whole {
                // What a line is can be told when all of it is there.
                let Some(end) = memchr::memrchr(b'\n', head) else { return false };
                head = &head[..=end];
            }
            let plain = is_nothing_but_header(head);
            if plain && !is_whole {
                return false;
            }
            if has_bare_header(&data.bytes) {
                data.rest = Rest::Nowhere(Useless::BareHeader);
                return true;
            }
            data.returns = memchr::memchr_iter(b'\r', head).count() as u64;
            if plain && self.flag(opt::SPOOL_WIREFORMAT) {
                let rest = data.bytes.split_off(head.len());
                let body = self.store((&[], &rest), LineEnds::Wire);
                data.bytes.shrink_to_fit();
                data.rest = body;
                return true;
            }
        }
        let drops_from = data.drops_from == Some(true);
        let mut ends = match coming {
            Coming::Lines => LineEnds::Smtp(Newlines::new(drops_from)),
            Coming::Chunks => LineEnds::Smtp(Newlines::of_chunks(drops_from)),
        };
        let mut text = Vec::with_capacity(data.bytes.len());
        ends.push(&data.bytes, &mut text);
        let cx = &mut self.cx;
        let mut is_sender = |line: &[u8]| drops_from && sender_in_line(cx, line).is_some();
        let Some(end) = header_end(&text, &mut is_sender) else { return false };
        let body = (&text[end.at - end.stray..end.at], &text[end.at..]);
        data.rest = self.store(body, ends);
        text.truncate(end.at);
        text.shrink_to_fit();
        data.bytes = text;
        true
    }

    /// Begins a body in the spool.
    fn store(&mut self, body: (&[u8], &[u8]), ends: LineEnds) -> Rest {
        let id = message_id(self.cx.engine());
        let queue = self.acl_state.queue.clone();
        let body = StoredBody::new(&self.cx, queue.bytes(), id, body, ends);
        Rest::Spool(Box::new(body))
    }
}
