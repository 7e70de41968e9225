//! Lines for logs that know what their parts are. Whoever reads logs by program is told facts, and
//! has not to guess where a name ends that anybody may choose.

use std::borrow::Cow;

/// What a part of a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogPart {
    /// The message's name, at the beginning.
    Id,
    /// What happened: `=>`, `Completed`.
    Event,
    /// The address that it is about.
    Address,
    /// ` <address>`: the one that it came of.
    Original,
    /// ` NAME=value`
    Field,
    /// More of the field that was begun last.
    More,
    /// ` WORD`
    Mark,
    /// ` defer (-44)`: the number of an error.
    Number,
    /// ` from <address>`: the sender as he was said.
    Sender,
    /// ` address`: who gets it.
    Recipient,
    /// `: why`
    Reason,
    /// ` RCPT <address>`: what it happened to, where that is no address alone.
    What,
    /// Words, for people alone.
    Words,
    /// Nothing: what comes behind it is for the main log alone.
    Closed,
}

/// A line, and its parts in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogLine {
    text: Vec<u8>,
    /// What they are, and where each begins.
    parts: Vec<(LogPart, usize)>,
}

impl LogLine {
    /// One that begins with what happened.
    pub fn of(event: &str) -> Self {
        let mut line = Self::default();
        line.push(LogPart::Event, event);
        line
    }

    /// A line of which nothing is known, but perhaps for a message's name before it.
    pub fn plain(text: &[u8]) -> Self {
        let mut line = Self::default();
        let end = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
        let named = crate::world::spool::is_message_id(&text[..end]);
        let (id, rest) = text.split_at(if named { end } else { 0 });
        line.push(LogPart::Id, id);
        line.push(LogPart::Words, rest);
        line
    }

    /// Adds a part; one without bytes is none, but for [`LogPart::Closed`].
    pub fn push(&mut self, part: LogPart, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if !bytes.is_empty() || part == LogPart::Closed {
            self.parts.push((part, self.text.len()));
            self.text.extend_from_slice(bytes);
        }
    }

    /// Adds ` NAME=value`.
    pub fn field(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.push_all(LogPart::Field, &[b" ", name.as_bytes(), b"=", value.as_ref()]);
    }

    /// Adds fields and marks of which none has a blank within it.
    pub fn words(&mut self, words: &[u8]) {
        for word in words.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            let part = if word.contains(&b'=') { LogPart::Field } else { LogPart::Mark };
            self.push_all(part, &[b" ", word]);
        }
    }

    /// What is added from here on is for the main log alone: neither has a message's own log
    /// who it is from and for, nor is that shown to those who look on.
    pub fn close(&mut self) {
        self.push(LogPart::Closed, b"");
    }

    /// The part of it that is for everybody (see [`Self::close`]).
    pub fn open_text(&self) -> &[u8] {
        let closed = self.parts.iter().find(|(part, _)| *part == LogPart::Closed);
        &self.text[..closed.map_or(self.text.len(), |(_, at)| *at)]
    }

    /// Adds the parts of another.
    pub fn append(&mut self, other: &Self) {
        let at = self.text.len();
        self.parts.extend(other.parts.iter().map(|(part, begin)| (*part, at + begin)));
        self.text.extend_from_slice(&other.text);
    }

    /// The same behind something else.
    #[must_use]
    pub fn behind(&self, part: LogPart, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut line = self.room_for(bytes.len());
        line.push(part, bytes);
        line.append(self);
        line
    }

    /// An empty line with room for this one behind so many bytes.
    fn room_for(&self, bytes: usize) -> Self {
        let text = Vec::with_capacity(bytes + self.text.len());
        Self { text, parts: Vec::with_capacity(self.parts.len() + 2) }
    }

    /// Adds a part that is made of pieces.
    fn push_all(&mut self, part: LogPart, pieces: &[&[u8]]) {
        self.parts.push((part, self.text.len()));
        pieces.iter().for_each(|piece| self.text.extend_from_slice(piece));
    }

    /// The same behind a mark: `== `.
    #[must_use]
    pub fn marked(&self, mark: &str) -> Self {
        let mut line = self.room_for(mark.len() + 1);
        line.push(LogPart::Event, mark);
        line.push(LogPart::Words, b" ");
        line.append(self);
        line
    }

    /// The same, about another address.
    #[must_use]
    pub fn about(&self, address: &[u8]) -> Self {
        let mut line = Self::default();
        for (part, bytes) in self.parts() {
            line.push(part, if part == LogPart::Address { address } else { bytes });
        }
        line
    }

    /// The same behind a message's name, where it has one, with each part written otherwise.
    #[must_use]
    pub fn written(&self, id: &[u8], how: impl Fn(&[u8]) -> Cow<'_, [u8]>) -> Self {
        let mut line = self.room_for(id.len() + 1);
        if !id.is_empty() {
            line.push_all(LogPart::Id, &[id, b" "]);
        }
        self.parts().for_each(|(part, bytes)| line.push(part, how(bytes)));
        line
    }

    /// Whether there is such a part.
    pub fn has(&self, part: LogPart) -> bool {
        self.parts.iter().any(|(one, _)| *one == part)
    }

    /// The line.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The line, for whoever wants no more.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// The parts, in their order.
    pub fn parts(&self) -> impl Iterator<Item = (LogPart, &[u8])> {
        let ends = self.parts.iter().skip(1).map(|(_, begin)| *begin);
        let ends = ends.chain([self.text.len()]);
        self.parts.iter().zip(ends).map(|((part, begin), end)| (*part, &self.text[*begin..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_a_line() {
        let mut line = LogLine::default();
        line.push(LogPart::Address, "b R=x");
        line.push(LogPart::Original, "");
        line.field("R", "r");
        line.words(b" K L.- M8S=0");
        let line = line.marked("=>").behind(LogPart::Id, "ID ");
        assert_eq!(line.text(), b"ID => b R=x R=r K L.- M8S=0");
        let parts: Vec<_> = line.parts().map(|(part, _)| part).collect();
        let begin = [LogPart::Id, LogPart::Event, LogPart::Words, LogPart::Address];
        let end = [LogPart::Field, LogPart::Mark, LogPart::Mark, LogPart::Field];
        assert_eq!(parts, [begin, end].concat());
        assert_eq!(line.about(b"c").text(), b"ID => c R=r K L.- M8S=0");
        assert!(!LogLine::plain(b"x => y").has(LogPart::Id));
        assert!(LogLine::plain(b"1xVHyR-0000000078V-3z15 => y").has(LogPart::Id));
    }

    #[test]
    fn what_is_for_the_main_log_alone() {
        let mut line = LogLine::of("<=");
        line.field("S", "1");
        assert_eq!(line.open_text(), line.text());
        line.close();
        line.push(LogPart::Sender, " from <a@b>");
        let line = line.written(b"ID", |part| Cow::Borrowed(part));
        assert_eq!(line.text(), b"ID <= S=1 from <a@b>");
        assert_eq!(line.open_text(), b"ID <= S=1");
    }
}
