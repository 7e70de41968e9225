//! What stands for organs that are not in this build, and says so.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eximious_core::World;
use eximious_core::world::{
    DatabaseAnswer, DatabaseError, Dns, DnsAnswer, DnsError, DnsOptions, HintStore, Hints, Ldap,
    LdapAnswer, LdapError, LdapRequest, Log, Redis, RedisReply, Server, ServerError,
};

/// None of them.
#[derive(Debug, Default)]
pub struct Absent(());

impl Absent {
    /// What isn't there belongs to nobody.
    pub fn owned_by(_: u32, _: u32) -> Self {
        Self(())
    }
}

/// No hints.
pub type SystemHints = Absent;
/// No LDAP.
pub type SystemLdap = Absent;
/// No Redis.
pub type SystemRedis = Absent;

fn words(what: &str, feature: &str) -> String {
    format!("{what} is not in this build (cargo feature {feature})")
}

impl Dns for Absent {
    fn query(&self, _: &str, _: u16, _: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        Err(DnsError::Again(words("the DNS", "dns")))
    }
}

impl Ldap for Absent {
    fn request(&self, _: &LdapRequest) -> Result<LdapAnswer, LdapError> {
        Err(LdapError::Connect(words("LDAP", "ldap")))
    }
}

impl Redis for Absent {
    fn command(&self, _: &Server, _: &[Vec<u8>], _: Duration) -> Result<RedisReply, ServerError> {
        Err(ServerError::Unavailable)
    }
}

impl Hints for Absent {
    fn open(&self, spool: &[u8], log: Arc<dyn Log>) -> Arc<dyn HintStore> {
        World::hermetic().hints.open(spool, log)
    }
}

/// The lookup type `lmdb`.
pub mod lmdb {
    use super::{DatabaseAnswer, DatabaseError, Path, words};

    pub fn find(_: &Path, _: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
        Err(DatabaseError::Open(words("LMDB", "lmdb")))
    }
}

/// The lookup type `sqlite`.
pub mod sqlite {
    use super::{DatabaseAnswer, DatabaseError, Duration, Path, words};

    /// No files.
    #[derive(Debug, Default)]
    pub struct SqliteFiles(());

    impl SqliteFiles {
        pub fn find(
            &self,
            _: &Path,
            _: &str,
            _: Duration,
        ) -> Result<DatabaseAnswer, DatabaseError> {
            Err(DatabaseError::Open(words("SQLite", "sqlite")))
        }
    }

    pub fn consult(_: &Path, _: &str, _: Duration) -> Result<DatabaseAnswer, DatabaseError> {
        Err(DatabaseError::Open(words("SQLite", "sqlite")))
    }
}
