//! What of the outside a built-in may touch.

use std::sync::Arc;

use super::Call;
use crate::world::{
    Brightmail, Clock, Databases, Dns, Files, Host, Ldap, Libraries, Log, Net, Processes, Random,
    Redis, Sql, Users, log_of,
};
use crate::{Effects, ErrorKind, Fail, World};

impl Call<'_> {
    /// The world, if the record declares the effect and the policy allows it.
    fn world(&self, effect: Effects) -> Result<&World, Fail> {
        if !self.meta.effects.contains(effect) {
            return Err(Fail::error(
                ErrorKind::Forbidden,
                format!("\"{}\" does not declare the effect {effect:?}", self.meta.name),
            ));
        }
        if self.machine.forbidden().intersects(self.meta.effects) {
            return Err(Fail::error(
                ErrorKind::Forbidden,
                format!("\"{}\" is not permitted here", self.meta.name),
            ));
        }
        Ok(self.machine.world())
    }

    /// Files and directories; needs [`Effects::FILES`].
    pub fn files(&self) -> Result<Arc<dyn Files>, Fail> {
        Ok(self.world(Effects::FILES)?.files.clone())
    }
    /// The DNS; needs [`Effects::DNS`].
    pub fn dns(&self) -> Result<Arc<dyn Dns>, Fail> {
        Ok(self.world(Effects::DNS)?.dns.clone())
    }
    /// Sockets; needs [`Effects::NET`].
    pub fn net(&self) -> Result<Arc<dyn Net>, Fail> {
        Ok(self.world(Effects::NET)?.net.clone())
    }
    /// Databases; needs [`Effects::LOOKUP`].
    pub fn databases(&self) -> Result<Arc<dyn Databases>, Fail> {
        Ok(self.world(Effects::LOOKUP)?.databases.clone())
    }
    /// What plays Brightmail AntiSpam; needs [`Effects::NET`].
    pub fn brightmail(&self) -> Result<Arc<dyn Brightmail>, Fail> {
        Ok(self.world(Effects::NET)?.brightmail.clone())
    }
    /// SQL servers; needs [`Effects::LOOKUP`] and [`Effects::NET`].
    pub fn sql(&self) -> Result<Arc<dyn Sql>, Fail> {
        Ok(self.world(Effects::LOOKUP.union(Effects::NET))?.sql.clone())
    }
    /// Redis servers; needs [`Effects::LOOKUP`] and [`Effects::NET`].
    pub fn redis(&self) -> Result<Arc<dyn Redis>, Fail> {
        Ok(self.world(Effects::LOOKUP.union(Effects::NET))?.redis.clone())
    }
    /// LDAP servers; needs [`Effects::LOOKUP`] and [`Effects::NET`].
    pub fn ldap(&self) -> Result<Arc<dyn Ldap>, Fail> {
        Ok(self.world(Effects::LOOKUP.union(Effects::NET))?.ldap.clone())
    }
    /// Processes; needs [`Effects::RUN`].
    pub fn processes(&self) -> Result<Arc<dyn Processes>, Fail> {
        Ok(self.world(Effects::RUN)?.processes.clone())
    }
    /// The clock; needs [`Effects::CLOCK`].
    pub fn clock(&self) -> Result<Arc<dyn Clock>, Fail> {
        Ok(self.world(Effects::CLOCK)?.clock.clone())
    }
    /// Random numbers; needs [`Effects::RANDOM`].
    pub fn random(&self) -> Result<Arc<dyn Random>, Fail> {
        Ok(self.world(Effects::RANDOM)?.random.clone())
    }
    /// Users and groups; needs [`Effects::HOST`].
    pub fn users(&self) -> Result<Arc<dyn Users>, Fail> {
        Ok(self.world(Effects::HOST)?.users.clone())
    }
    /// This host and process; needs [`Effects::HOST`].
    pub fn host(&self) -> Result<Arc<dyn Host>, Fail> {
        Ok(self.world(Effects::HOST)?.host.clone())
    }
    /// Interpreters of other languages; needs [`Effects::FOREIGN`].
    pub fn interpreters(&self) -> Result<Arc<dyn Processes>, Fail> {
        Ok(self.world(Effects::FOREIGN)?.processes.clone())
    }
    /// Shared objects; needs [`Effects::FOREIGN`].
    pub fn libraries(&self) -> Result<Arc<dyn Libraries>, Fail> {
        Ok(self.world(Effects::FOREIGN)?.libraries.clone())
    }
    /// The logs, for lines about the message at hand; needs [`Effects::LOG`].
    pub fn log(&mut self) -> Result<Arc<dyn Log>, Fail> {
        let log = self.world(Effects::LOG)?.log.clone();
        let id = self.machine.variable(b"message_exim_id").and_then(Result::ok);
        Ok(log_of(id.unwrap_or_default(), log))
    }
}
