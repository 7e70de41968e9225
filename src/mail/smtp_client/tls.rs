//! TLS on a client's side: how it begins, and what broke it off.

use eximious_core::Trace;
use eximious_core::world::{TlsFacts, TlsFault, TlsSession};

use super::{Extensions, Reply, SentCommand, SmtpClient, SmtpCommand, SmtpError};

impl SmtpClient {
    /// Asks for TLS. With a yes, it begins with [`SmtpClient::begin_tls`].
    ///
    /// # Errors
    /// The server does not say yes.
    pub fn starttls(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        self.ask(trace, SentCommand::new(SmtpCommand::StartTls, *b"STARTTLS"))
    }

    /// Begins TLS. Whatever the server announced before does not count any more.
    ///
    /// # Errors
    /// There is no TLS; the connection is of no use any more.
    pub fn begin_tls(&mut self, tls: Box<dyn TlsSession>) -> Result<TlsFacts, TlsFault> {
        let facts = self.connection.begin_tls(tls)?;
        self.binding.clone_from(&facts.binding);
        self.extensions = Extensions::default();
        self.pipelines = false;
        Ok(facts)
    }

    /// As [`super::SmtpConnection::continue_tls`].
    pub fn continue_tls(&mut self, tls: Box<dyn TlsSession>) {
        self.connection.continue_tls(tls);
    }

    /// As [`super::SmtpConnection::take_fault`].
    pub fn take_fault(&mut self) -> Option<TlsFault> {
        self.connection.take_fault()
    }

    /// As [`super::SmtpConnection::resumable`].
    pub fn resumable(&mut self) -> Option<(Vec<u8>, u32)> {
        self.connection.resumable()
    }
}
