//! A connection to a server: commands out, replies in.

use std::io;
use std::time::Duration;

use eximious_core::world::{Stream, TlsFacts, TlsFault, TlsHeard, TlsProgress, TlsSession};

use super::{Read, Replies, Reply};

/// How much is read at once: no more than a reply may have.
const PIECE: usize = 1024;

/// A connection to a server.
pub struct SmtpConnection {
    stream: Box<dyn Stream>,
    /// TLS around it, once that has begun.
    tls: Option<Box<dyn TlsSession>>,
    /// Whether the server has ended TLS, and says nothing more.
    tls_ended: bool,
    /// What ended it, where that is no end as it should be.
    fault: Option<TlsFault>,
    replies: Replies,
    timeout: Duration,
    /// Whether lines that came before the connection was closed are no reply.
    wants_whole: bool,
    /// The system's number of the error where nothing could be said any more.
    write_error: Option<i32>,
}

/// Why there is no reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConnectionTrouble {
    /// It took too long.
    Timeout,
    /// The server closed the connection.
    Closed,
    /// What came is no reply.
    Malformed(Vec<u8>),
    /// The connection broke within a reply: its lines so far, and the system's number of
    /// the error.
    Broken(Vec<u8>, i32),
}

impl std::fmt::Debug for SmtpConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl SmtpConnection {
    /// A connection over a stream. Each command, and each reply as a whole, may take
    /// so long.
    pub fn new(stream: Box<dyn Stream>, timeout: Duration) -> Self {
        let replies = Replies::default();
        let (tls_ended, wants_whole) = (false, false);
        let (tls, fault, write_error) = (None, None, None);
        Self { stream, tls, tls_ended, fault, replies, timeout, wants_whole, write_error }
    }

    /// This side's address and port.
    pub fn local_address(&self) -> Option<std::net::SocketAddr> {
        self.stream.local_address()
    }

    /// Gives this much time for each command and each reply from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Gives less time from now on.
    pub fn hurry(&mut self, timeout: Duration) {
        self.timeout = self.timeout.min(timeout);
    }

    /// What breaks off between two lines is no reply, but a connection that is closed.
    pub fn want_whole_replies(&mut self) {
        self.wants_whole = true;
    }

    /// Forgets what the server said, and nobody asked for.
    pub fn forget_early(&mut self) {
        self.replies = Replies::default();
    }

    /// Sends commands, with all ends of lines.
    ///
    /// # Errors
    /// They could not be sent.
    pub fn send(&mut self, commands: &[u8]) -> Result<(), ConnectionTrouble> {
        self.stream.set_deadline(self.timeout);
        let Some(tls) = &mut self.tls else {
            let sent = self.stream.write_all(commands).and_then(|()| self.stream.flush());
            return sent.map_err(|why| {
                self.write_error = why.raw_os_error();
                trouble(why)
            });
        };
        let written = tls.write(commands);
        let sent = match written {
            Ok(()) => send_sealed(&mut *self.stream, &mut **tls),
            Err(fault) => {
                self.fault = Some(fault);
                return Err(ConnectionTrouble::Closed);
            }
        };
        sent.map_err(|why| self.broken("SSL_write", why))
    }

    /// The system's number of the error that kept commands in clear from being sent.
    pub fn write_error(&self) -> Option<i32> {
        self.write_error
    }

    /// What broke off TLS, once.
    pub fn take_fault(&mut self) -> Option<TlsFault> {
        self.fault.take()
    }

    /// What is wrong with the stream, which is noted where TLS needs it.
    fn broken(&mut self, place: &str, why: io::Error) -> ConnectionTrouble {
        let reason = eximious_stdlib::wording::reason(&why);
        let trouble = trouble(why);
        if self.tls.is_some() && trouble == ConnectionTrouble::Closed {
            self.fault = Some(TlsFault::new(place, format!("syscall: {reason}")));
        }
        trouble
    }

    /// Whether there is TLS.
    pub fn is_secured(&self) -> bool {
        self.tls.is_some()
    }

    /// Says that nothing more will come, where one direction can end by itself: TLS ends as a
    /// whole. Whether it was said.
    pub fn finish_writing(&mut self) -> bool {
        self.tls.is_none() && self.stream.finish_writing().is_ok()
    }

    /// Begins TLS. Where more than the reply was said before it, there is none: what came too
    /// soon came in clear text, from whomever.
    ///
    /// # Errors
    /// There is no TLS; the connection is of no use any more.
    pub fn begin_tls(&mut self, mut tls: Box<dyn TlsSession>) -> Result<TlsFacts, TlsFault> {
        if !std::mem::take(&mut self.replies).is_empty() {
            return Err(TlsFault::new("", "synch error before connect"));
        }
        self.stream.set_deadline(self.timeout);
        let mut piece = [0; PIECE];
        loop {
            let progress = tls.shake();
            let sent = send_sealed(&mut *self.stream, &mut *tls);
            match progress {
                TlsProgress::Done(facts) => {
                    sent.map_err(|why| gone(&mut *tls, why))?;
                    self.tls = Some(tls);
                    return Ok(*facts);
                }
                TlsProgress::Failed(fault) => return Err(*fault),
                TlsProgress::More => sent.map_err(|why| gone(&mut *tls, why))?,
            }
            match self.stream.read(&mut piece) {
                Ok(0) => tls.end_of_input(),
                Ok(count) => tls.receive(&piece[..count]),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(gone(&mut *tls, why)),
            }
        }
    }

    /// Goes on under TLS that was begun already.
    pub fn continue_tls(&mut self, tls: Box<dyn TlsSession>) {
        self.tls = Some(tls);
    }

    /// The stream, and TLS around it, for somebody else. What was heard and not asked for is
    /// forgotten.
    pub fn into_parts(self) -> (Box<dyn Stream>, Option<Box<dyn TlsSession>>) {
        (self.stream, self.tls)
    }

    /// The newest session that the server gave to be taken up again, and for how many seconds
    /// it is good.
    pub fn resumable(&mut self) -> Option<(Vec<u8>, u32)> {
        self.tls.as_mut()?.resumable()
    }

    /// Says that nothing more will be said, where TLS wants that said.
    pub fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.finish();
            // Whether anybody hears it does not matter any more.
            let _ = send_sealed(&mut *self.stream, &mut **tls);
        }
    }

    /// Whether something comes within a time, or has come already and was not asked for. What
    /// is there under TLS is not looked at.
    pub fn hears_within(&mut self, moment: Duration) -> bool {
        if !self.replies.is_empty() || self.tls_ended {
            return true;
        }
        if self.tls.is_some() {
            return false;
        }
        self.stream.set_deadline(moment);
        let mut piece = [0; PIECE];
        match self.stream.read(&mut piece) {
            Ok(count) => {
                self.replies.push(&piece[..count]);
                true
            }
            // What else is wrong with it is wrong when somebody asks.
            Err(why) => trouble(why) != ConnectionTrouble::Timeout,
        }
    }

    /// Waits for a reply.
    ///
    /// # Errors
    /// There is none.
    pub fn reply(&mut self) -> Result<Reply, ConnectionTrouble> {
        self.stream.set_deadline(self.timeout);
        let mut piece = [0; PIECE];
        loop {
            match self.replies.next_reply() {
                Read::Reply(reply) => return Ok(reply),
                Read::Malformed(text) => return Err(ConnectionTrouble::Malformed(text)),
                Read::More => {}
            }
            if self.tls_ended {
                return self.ended(ConnectionTrouble::Closed);
            }
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    self.end_tls();
                    return self.ended(ConnectionTrouble::Closed);
                }
                Ok(count) => {
                    if let Err(why) = self.take(&piece[..count]) {
                        return self.ended(why);
                    }
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => {
                    let number = why.raw_os_error();
                    let why = self.broken("SSL_read", why);
                    let reply = self.ended(why)?;
                    return match number {
                        Some(number) => {
                            Err(ConnectionTrouble::Broken(reply.text().to_vec(), number))
                        }
                        None => Ok(reply),
                    };
                }
            }
        }
    }

    /// The lines that came before the connection was closed, if any.
    fn ended(&mut self, why: ConnectionTrouble) -> Result<Reply, ConnectionTrouble> {
        let closed = why == ConnectionTrouble::Closed && !self.wants_whole;
        self.replies.break_off().filter(|_| closed).ok_or(why)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), ConnectionTrouble> {
        let Some(tls) = &mut self.tls else {
            self.replies.push(bytes);
            return Ok(());
        };
        tls.receive(bytes);
        let mut opened = Vec::new();
        let heard = tls.read(&mut opened);
        self.replies.push(&opened);
        match heard {
            TlsHeard::More => send_sealed(&mut *self.stream, &mut **tls).map_err(trouble),
            // What came before its end may still be a reply.
            TlsHeard::End => {
                self.tls_ended = true;
                Ok(())
            }
            TlsHeard::Failed(fault) => {
                (self.tls_ended, self.fault) = (true, Some(fault));
                Ok(())
            }
        }
    }

    /// The stream is at its end: whether TLS was, before.
    fn end_tls(&mut self) {
        let Some(tls) = &mut self.tls else { return };
        tls.end_of_input();
        if let TlsHeard::Failed(fault) = tls.read(&mut Vec::new()) {
            (self.tls_ended, self.fault) = (true, Some(fault));
        }
    }
}

/// Nobody is at the other end of a handshake any more. What was shown before is known.
fn gone(tls: &mut dyn TlsSession, why: io::Error) -> TlsFault {
    let text = match trouble(why) {
        ConnectionTrouble::Timeout => "timed out",
        _ => "the connection was closed without a word",
    };
    tls.end_of_input();
    let chain = match tls.shake() {
        TlsProgress::Failed(fault) => fault.chain,
        TlsProgress::More | TlsProgress::Done(_) => Vec::new(),
    };
    TlsFault { chain, ..TlsFault::new("SSL_connect", text) }
}

fn send_sealed(stream: &mut dyn Stream, tls: &mut dyn TlsSession) -> io::Result<()> {
    let bytes = tls.take_output();
    if bytes.is_empty() {
        return Ok(());
    }
    stream.write_all(&bytes)?;
    stream.flush()
}

#[allow(clippy::needless_pass_by_value, reason = "it stands where errors are turned")]
fn trouble(why: io::Error) -> ConnectionTrouble {
    match why.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ConnectionTrouble::Timeout,
        _ => ConnectionTrouble::Closed,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// Says this, and is reset.
    struct Reset(&'static [u8]);

    impl Read for Reset {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.is_empty() {
                true => Err(io::Error::from_raw_os_error(104)),
                false => self.0.read(into),
            }
        }
    }

    impl Write for Reset {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Reset {
        fn finish_writing(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn set_deadline(&mut self, _: Duration) {}
    }

    #[test]
    fn a_reset_within_a_reply_is_no_answer() {
        let came = |said| SmtpConnection::new(Box::new(Reset(said)), Duration::MAX).reply();
        let broken = ConnectionTrouble::Broken(b"550-no\n".to_vec(), 104);
        assert_eq!(came(b"550-no\r\n"), Err(broken));
        assert_eq!(came(b""), Err(ConnectionTrouble::Closed));
        assert!(came(b"550 no\r\n").unwrap().refuses());
    }
}
