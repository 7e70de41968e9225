//! What is said of a host that has not got a message.

use super::session::Attempt;
use crate::config::RetryError;
use crate::mail::transport::Undelivered;

/// How much of what a host said is kept with an address.
const LONGEST: usize = 1024;

impl Attempt<'_, '_> {
    /// Why the host has not got it, for those who keep that of the host.
    pub(super) fn undelivered(
        &self,
        number: i32,
        error: RetryError,
        message: Vec<u8>,
    ) -> Undelivered {
        let error = match error {
            RetryError::Timeout { connecting, source: None } => {
                RetryError::Timeout { connecting, source: Some(self.taking.found_by()) }
            }
            error => error,
        };
        let (is_continued, first_words) = (self.is_continued, self.first_words.clone());
        let message = message.get(..LONGEST).map_or(message.clone(), <[u8]>::to_vec);
        let new = Undelivered::new(number, message);
        self.about_host(Undelivered { error, first_words, is_continued, ..new })
    }

    /// The same of what is wrong here while there is a connection to the host.
    pub(super) fn about_host(&self, why: Undelivered) -> Undelivered {
        let host = Some(Box::new(self.taking.clone()));
        let (local, proxy) = (self.local.map(Box::new), self.proxy.map(Box::new));
        Undelivered { host, local, proxy, ..why }
    }
}
