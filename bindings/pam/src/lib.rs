//! The system's authentication modules (PAM), for the condition `pam`.
//!
//! The library is loaded when it is first needed, so that a program with this
//! crate in it starts where there is none. What the modules do, how long they
//! take and which processes they start is the system administrator's matter:
//! they run in this process.

use std::fmt;

#[cfg(target_os = "linux")]
mod system;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PamError {
    /// The library can't be loaded: the system's words.
    Missing(String),
    /// It, or one of the modules, failed: the library's words.
    Failed(Vec<u8>),
}

impl fmt::Display for PamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) => f.write_str(why),
            Self::Failed(why) => f.write_str(&String::from_utf8_lossy(why)),
        }
    }
}

impl std::error::Error for PamError {}

/// Asks whether a user is who they say, and may come in. Each question of the
/// modules gets the next of the answers; the first one beyond them an empty
/// answer, and whatever is asked after that ends the conversation.
///
/// # Errors
/// Where the modules say neither yes nor no.
pub fn authenticate(service: &[u8], user: &[u8], answers: &[Vec<u8>]) -> Result<bool, PamError> {
    #[cfg(target_os = "linux")]
    return system::authenticate(service, user, answers);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (service, user, answers);
        Err(PamError::Missing("this build asks PAM on Linux only".into()))
    }
}
