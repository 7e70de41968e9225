//! What is Oracle's own.

use eximious_core::world::{Server, ServerAddress, SqlKind};
use eximious_core::{Call, LookupFail, LookupQuery, Str};

use super::super::servers::{self, Attempt, Kind, parts};
use super::{Words, plainly};

use crate::options::opt;

/// The servers.
static KIND: Kind = Kind { name: "Oracle", option: opt::ORACLE_SERVERS, named_in_queries: false };

const WORDS: Words = Words {
    no_connection: "ORACLE connection failed: ",
    failed: "ORACLE: query failed: ",
    end: "",
};

/// Asks the servers.
pub(super) fn find(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    if query.key.taint().is_tainted() && ends_early(query.key.bytes()) {
        let words = "ORACLE: a quote from outside would end the text that it stands in";
        return Err(LookupFail::Defer(words.into()));
    }
    servers::ask(call, &KIND, query, ask)
}

/// Whether a statement has a quote in it as `quote_oracle` leaves it. A backslash
/// does not keep Oracle from taking it for the end of the text.
fn ends_early(statement: &[u8]) -> bool {
    memchr::memmem::find(statement, b"\\'").is_some()
}

/// Asks one server.
fn ask(call: &mut Call<'_>, server: &[u8], statement: &[u8]) -> Result<Option<Str>, Attempt> {
    let server = read(server)?;
    plainly(call, SqlKind::Oracle, (&KIND, &WORDS), &server, statement)
}

/// Reads `service//user/password`, where the service may have slashes in it.
fn read(text: &[u8]) -> Result<Server, Attempt> {
    let (service, [database, user, password]) = parts(text)
        .map_err(|shown| Attempt::Stop([b"incomplete Oracle server data: ", shown].concat()))?;
    let host = String::from_utf8_lossy(service).into_owned();
    Ok(Server {
        address: ServerAddress::Tcp { host, port: None },
        database: database.to_vec(),
        user: user.to_vec(),
        password: password.to_vec(),
        group: None,
        environment: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_of_servers() {
        for (text, service, rest) in [
            ("oracle.plc.example//userx/abcdwxyz", "oracle.plc.example", ["", "userx", "abcdwxyz"]),
            ("h:1521/service//u/p", "h:1521/service", ["", "u", "p"]),
            ("//h:1521/service//u/p", "//h:1521/service", ["", "u", "p"]),
            ("s/ignored/u/", "s", ["ignored", "u", ""]),
            ("///", "", ["", "", ""]),
        ] {
            let server = read(text.as_bytes()).expect("a description");
            let wanted = ServerAddress::Tcp { host: service.into(), port: None };
            assert_eq!(server.address, wanted, "{text}");
            let found = [&server.database, &server.user, &server.password];
            assert_eq!(found.map(|part| String::from_utf8_lossy(part)), rest, "{text}");
        }
        for (text, shown) in [("s/u/p", "s/u"), ("s", "s"), ("s//p", "s/")] {
            let Err(Attempt::Stop(words)) = read(text.as_bytes()) else { panic!("{text}") };
            let wanted = format!("incomplete Oracle server data: {shown}");
            assert_eq!(String::from_utf8_lossy(&words), wanted, "{text}");
        }
    }
}
