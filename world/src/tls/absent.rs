//! No TLS: what stands in for it says so.

use std::convert::Infallible;
use std::io::{self, Read, Write};

use eximious_core::world::{Tls, TlsClient, TlsFault, TlsServer, TlsSession};

use super::{ABSENT, TlsSettings};

/// A stream under TLS, of which there is none.
pub struct TlsStream<S> {
    never: Infallible,
    inner: S,
}

/// Stands for TLS where there is none.
#[derive(Debug, Default)]
pub struct SystemTls(());

impl Tls for SystemTls {
    fn is_there(&self) -> bool {
        false
    }
    fn serve(&self, _: &TlsServer) -> Result<Box<dyn TlsSession>, TlsFault> {
        Err(TlsFault::new("TLS", ABSENT))
    }
    fn connect(&self, _: &TlsClient) -> Result<Box<dyn TlsSession>, TlsFault> {
        Err(TlsFault::new("TLS", ABSENT))
    }
}

/// Says that there is no TLS.
pub fn begin<S>(_: &TlsSettings, _: &str, _: S) -> Result<TlsStream<S>, String> {
    Err(ABSENT.into())
}

/// Seals nothing: RSA is OpenSSL's too.
pub fn seal(_: &[u8], _: &[u8]) -> Result<Vec<u8>, String> {
    Err(ABSENT.into())
}

impl<S> TlsStream<S> {
    /// What is under TLS.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// What is under TLS, to change how long it waits.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// How many bytes have come and are not read yet.
    pub fn pending(&self) -> usize {
        match self.never {}
    }

    /// What binds a proof to the connection.
    pub fn end_point(&self) -> Option<Vec<u8>> {
        match self.never {}
    }
}

impl<S> Read for TlsStream<S> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.never {}
    }
}

impl<S> Write for TlsStream<S> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.never {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.never {}
    }
}
