//! Messages that are too large, and headers that are too long.

use eximious::acl::Logs;
use eximious::{Body, LogSelector, Message, Str};

use super::Submission;
use super::report::Fault;
use crate::reception::{self, TooLong};

impl Submission<'_> {
    /// Notes in the logs that a message is too large: that of rejections has its header.
    pub(super) fn refuse_size(&mut self, size: u64, recipients: &[Str]) -> Fault {
        let sender = self.received.message.sender.clone();
        let client = eximious::client::described_alone(self.cx);
        let numbers = format!(": message too big: read={size} max={}", self.limit);
        let head = [b"rejected from <", sender.bytes(), b"> "].concat();
        let line = [&head, &client[..], numbers.as_bytes()].concat();
        let (message, replaced) = (&self.received.message, &self.received.replaced);
        let recipients = recipients.iter().map(Str::bytes);
        let header =
            reception::rejected(self.cx, message, (sender.bytes(), recipients), replaced, None);
        let by = LogSelector::SIZE_REJECT;
        let main = self.cx.engine().settings().log_selector().contains(by);
        let logs = Logs { main, ..Logs::REJECTIONS };
        logs.write_selected(by, &*self.cx.engine().world().log, &self.log_line(&line), &header);
        Fault::TooLarge(self.limit)
    }
}

/// Leaves header lines out by which a message is too large.
pub(super) fn within(message: &mut Message, limit: u64) {
    let mut size = 0_u64;
    let fits = |header: &eximious::Header| {
        size = size.saturating_add(header.line.len() as u64);
        size <= limit
    };
    let count = message.headers.iter().map(fits).take_while(|fits| *fits).count();
    message.headers.truncate(count);
}

/// The header as far as it was read when it was found to be too long.
pub(super) fn cut(mut message: Message, too_long: TooLong) -> Message {
    message.body = Body::default();
    let bytes = |limit| u64::try_from(limit).unwrap_or(0);
    let mut room = match too_long {
        TooLong::Header(limit) => bytes(limit),
        TooLong::Line(limit) => {
            let limit = bytes(limit);
            let long = |header: &eximious::Header| header.line.len() as u64 > limit;
            let end = message.headers.iter().position(long);
            message.headers.truncate(end.map_or(message.headers.len(), |end| end + 1));
            return message;
        }
    };
    for header in &mut message.headers {
        let length = header.line.len() as u64;
        if length > room {
            header.line.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            header.line.push(b'\n');
        }
        room = room.saturating_sub(length);
    }
    let end = message.headers.iter().position(|header| header.line == b"\n");
    message.headers.truncate(end.unwrap_or(message.headers.len()));
    message
}
