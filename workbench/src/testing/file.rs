//! The form of test files: `NAME.eximtest.toml`, beside the configuration. The doc comments
//! are the descriptions in its JSON schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

/// Tests of a configuration of Exim's.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// The configuration file; a relative path begins where this file is.
    pub config: Option<String>,
    /// The configuration itself, in the place of a file.
    pub text: Option<String>,
    /// Macros, as `-D` defines them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub macros: BTreeMap<String, String>,
    /// What is there for all tests.
    #[serde(default, skip_serializing_if = "GivenWorld::is_empty")]
    pub given: GivenWorld,
    /// Sessions with a client, or single ACLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub case: Vec<Case>,
    /// Expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expand: Vec<ExpandCase>,
    /// Addresses, and where they go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<RouteCase>,
}

/// The world that tests run in. There is nothing else: no network, no other files, and
/// nothing is written.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenWorld {
    /// The time, which stands still: 2026-11-22T12:00:00Z.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Datetime>,
    /// The host's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The addresses of the host's interfaces; 127.0.0.1 and ::1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// Records of the DNS, as in a master file (RFC 1035). `AGAIN` in place of a type: no
    /// answer now; `SECURE`: signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Files and what they hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Files and directories of this machine that may be read, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Users of the system: NAME, NAME:HOME or NAME:HOME:UID:GID. Ids count from 10000 where
    /// they are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// What look-ups answer, in the place of databases and servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookup: Vec<LookupGiven>,
    /// What commands (`${run}`) write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<CommandGiven>,
    /// Variables, from outside: they are tainted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// The client's address, and its port if that matters: 192.0.2.1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The name that the client gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The sender of the envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Who the client has proved to be: AUTHENTICATOR:ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<String>,
}

/// What a look-up answers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupGiven {
    /// The type: `mysql`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key, or the query; any, where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The answer; without one, nothing is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// There is no answer now, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defer: Option<String>,
}

/// What a command writes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandGiven {
    /// The command, with single spaces between its words.
    pub command: String,
    /// What it writes.
    #[serde(default)]
    pub output: String,
    /// Its exit status.
    #[serde(default)]
    pub status: i32,
}

/// A session with a client: it connects, greets, names a sender and recipients, and sends a
/// message, as far as these are given.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is tested.
    pub name: String,
    /// The client's address, and its port if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The name that the client gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The sender of the envelope; empty for a bounce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Who the client has proved to be: AUTHENTICATOR:ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<String>,
    /// The recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Several recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// The message itself: header, empty line, body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The client's lines, in the place of all these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// An ACL that is asked by itself, in the place of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<String>,
    /// What must come of it; it can't be empty.
    #[serde(default)]
    pub expect: Expect,
    /// Variables, from outside: they are tainted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// What is there beside what is there for all.
    #[serde(default, skip_serializing_if = "GivenWorld::is_empty")]
    pub given: GivenWorld,
    /// Several cases: each row has values that stand in the place of `{COLUMN}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<CaseTable>,
}

/// What must come of a session. What is left out is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// accept, discard, deny, defer or drop: what became of the last thing that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Where it was refused: connect, helo, mail, rcpt, data (auth, starttls, vrfy, expn, etrn,
    /// quit, command), or nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The code of the last reply; in a table, it may be a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What the last reply has in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The recipients that were accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Vec<String>>,
    /// What lines of the log have in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What no line of the log has in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_log: Vec<String>,
    /// Header lines that were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers_added: Vec<String>,
    /// Names of header lines that were taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers_removed: Vec<String>,
    /// Variables, in the end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Events that were raised: NAME, or NAME DATA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
}

/// The code of a reply.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Code {
    /// A number.
    Number(u16),
    /// A text, which stands in the place of one.
    Text(String),
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Rows of values.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseTable {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A value of a table.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// An expression, and what comes of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpandCase {
    /// What is tested; the text itself, where there is no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The expression.
    pub text: String,
    /// What it comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// What its failure has in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// Whether the result is tainted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tainted: Option<bool>,
    /// Variables, from outside: they are tainted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// A message itself, for `$h_subject:` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What is there beside what is there for all.
    #[serde(default, skip_serializing_if = "GivenWorld::is_empty")]
    pub given: GivenWorld,
    /// Several cases: each row has values that stand in the place of `{COLUMN}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<CaseTable>,
}

/// An address, and where it goes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteCase {
    /// What is tested; the address itself, where there is no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    pub address: String,
    /// Where it goes, as a list: ROUTER, ROUTER/TRANSPORT or ROUTER/TRANSPORT/HOST for each
    /// delivery, with ADDRESS: before that, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes: Option<Vec<String>>,
    /// What the reason has in it why it can't be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// What the reason has in it why that can't be said now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defers: Option<String>,
    /// Variables, from outside: they are tainted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// What is there beside what is there for all.
    #[serde(default, skip_serializing_if = "GivenWorld::is_empty")]
    pub given: GivenWorld,
    /// Several cases: each row has values that stand in the place of `{COLUMN}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<CaseTable>,
}

/// How much of a line of a complaint is shown, in bytes: it quotes lines of the file.
const LONGEST_SHOWN: usize = 240;

/// A complaint whose lines are not longer than anybody reads.
fn shortened(complaint: &str) -> String {
    let lines = complaint.split('\n').map(|line| match line.len() > LONGEST_SHOWN {
        true => format!("{}…", &line[..line.floor_char_boundary(LONGEST_SHOWN)]),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl TestFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no TOML, or has a name in it that nothing has; where, and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|why| shortened(&why.to_string()))
    }

    /// The file as it is written.
    ///
    /// # Errors
    /// It has something that TOML has not.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string_pretty(self).map_err(|why| why.to_string())
    }

    /// The JSON schema of the form.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

impl GivenWorld {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is given for all, with what is given for one on top of it.
    pub fn with(&self, own: &Self) -> Self {
        let mut all = self.clone();
        for (place, value) in [
            (&mut all.hostname, &own.hostname),
            (&mut all.client, &own.client),
            (&mut all.helo, &own.helo),
            (&mut all.sender, &own.sender),
            (&mut all.authenticated, &own.authenticated),
        ] {
            if value.is_some() {
                place.clone_from(value);
            }
        }
        all.time = own.time.or(all.time);
        all.interfaces = own.interfaces.clone().or(all.interfaces);
        all.zone = match (all.zone, &own.zone) {
            (Some(before), Some(zone)) => Some(format!("{before}\n{zone}")),
            (before, zone) => zone.clone().or(before),
        };
        all.files.extend(own.files.clone());
        all.read.extend(own.read.iter().cloned());
        all.users.extend(own.users.iter().cloned());
        // The first that fits answers.
        all.lookup.splice(0..0, own.lookup.iter().cloned());
        all.command.splice(0..0, own.command.iter().cloned());
        all.variables.extend(own.variables.clone());
        all
    }
}

impl Case {
    /// What is given for all, with what is given for this case on top of it.
    pub fn over(&self, all: &GivenWorld) -> GivenWorld {
        let own = GivenWorld {
            client: self.client.clone(),
            helo: self.helo.clone(),
            sender: self.sender.clone(),
            authenticated: self.authenticated.clone(),
            variables: self.variables.clone(),
            ..GivenWorld::default()
        };
        all.with(&self.given).with(&own)
    }
}
