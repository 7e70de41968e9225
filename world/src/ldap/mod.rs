//! LDAP servers: a client of our own. It waits no longer than it is told, holds
//! no more than it is told, and reads what servers send without stepping into
//! itself: the clients that one could take have none of this.

mod ber;
mod connection;
mod filter;
mod message;

use std::time::Instant;

use eximious_core::world::{
    Ldap, LdapAnswer, LdapError, LdapOperation, LdapRequest, LdapServer, LdapTrouble,
};

use crate::pool::Pool;
use connection::{Connection, Identity, Patience};

/// The client, with the connections that nobody uses now.
#[derive(Default)]
pub struct SystemLdap(Pool<LdapServer, Connection>);

impl Ldap for SystemLdap {
    fn request(&self, request: &LdapRequest) -> Result<LdapAnswer, LdapError> {
        let patience = Patience { each: request.network, end: Instant::now() + request.within };
        let identity =
            Identity { name: request.bind_dn.clone(), password: request.password.clone() };
        // Best one that is bound already.
        let bound = |kept: &Connection| kept.bound.as_ref() == Some(&identity);
        if let Some((mut connection, _)) = self.0.take_best(&request.server, |_| true, bound) {
            connection.answered = false;
            let answer = converse(&mut connection, request, &identity, &patience);
            // It may have died since it was used last: then nothing comes.
            if connection.answered || !died(&answer) {
                self.keep(&request.server, connection, &answer);
                return answer;
            }
        }
        let mut connection = Connection::open(&request.server, &patience)?;
        let answer = converse(&mut connection, request, &identity, &patience);
        self.keep(&request.server, connection, &answer);
        answer
    }
}

impl SystemLdap {
    /// Keeps a connection whose last answer came to its end.
    fn keep(
        &self,
        server: &LdapServer,
        connection: Connection,
        answer: &Result<LdapAnswer, LdapError>,
    ) {
        let usable = match answer {
            // More is on its way behind a reference.
            Ok(answer) => !answer.referenced,
            Err(LdapError::Filter | LdapError::Bind(LdapTrouble::Refused(_))) => true,
            Err(_) => false,
        };
        if usable {
            self.0.keep(server, connection, false);
        }
    }
}

/// Binds where that is needed, and searches where that is asked for.
fn converse(
    connection: &mut Connection,
    request: &LdapRequest,
    identity: &Identity,
    patience: &Patience,
) -> Result<LdapAnswer, LdapError> {
    let search = match &request.operation {
        LdapOperation::Bind => None,
        LdapOperation::Search(search) => Some(search),
    };
    // Where the bind is the question, what the server said before is no answer.
    if search.is_none() || connection.bound.as_ref() != Some(identity) {
        let version = request.server.version;
        connection.bind(version, identity, patience).map_err(LdapError::Bind)?;
    }
    match search {
        Some(search) => connection.search(search, patience, request.limit),
        None => Ok(LdapAnswer::default()),
    }
}

/// Whether the connection broke.
fn died(answer: &Result<LdapAnswer, LdapError>) -> bool {
    matches!(
        answer,
        Err(LdapError::Bind(LdapTrouble::Broken(_)) | LdapError::Search(LdapTrouble::Broken(_)))
    )
}
