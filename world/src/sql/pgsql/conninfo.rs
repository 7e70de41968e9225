//! What the name of a database may say besides: settings of the connection, as
//! the client's own library reads them (`dbname=db application_name=mail`).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use eximious_core::world::Server;

/// What is known of a connection before it is opened.
#[derive(Debug)]
pub struct ConnInfo {
    /// The server, with what stands for its database, user and password.
    pub server: Server,
    /// An address to go to instead.
    pub address: Option<IpAddr>,
    /// Whether to speak TLS.
    pub tls: TlsMode,
    /// How long opening a session may take.
    pub timeout: Option<Duration>,
    /// What the server is told when a session begins: names and values.
    pub parameters: Vec<(&'static str, Vec<u8>)>,
}

/// Whether to speak TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsMode {
    /// `disable`
    Never,
    /// `allow`: where it does not work without.
    Allow,
    /// `prefer`: where the server can.
    #[default]
    Prefer,
    /// `require`
    Require,
}

/// Options that have no meaning here: the server is named elsewhere, the text's
/// encoding is no question, and waits have limits of their own.
const IDLE: &[&str] = &[
    "client_encoding",
    "gsslib",
    "host",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "passfile",
    "port",
    "sslcompression",
    "sslsni",
    "tcp_user_timeout",
];

/// Options that would have to be heeded, and are not.
const MISSING: &[&str] = &[
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslpassword",
    "sslrootcert",
];

/// Options with a value that changes nothing, and others that would have to be
/// heeded.
const WORDS: &[(&str, &[&str], &[&str])] = &[
    ("channel_binding", &["disable", "prefer"], &["require"]),
    ("gssencmode", &["disable", "prefer"], &["require"]),
    (
        "target_session_attrs",
        &["any"],
        &["read-write", "read-only", "primary", "standby", "prefer-standby"],
    ),
];

/// Variables of the environment, and the options that they stand for where
/// nothing else says what those are.
const VARIABLES: &[(&str, &str)] = &[
    ("PGAPPNAME", "application_name"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGDATABASE", "dbname"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGOPTIONS", "options"),
    ("PGPASSWORD", "password"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGSERVICE", "service"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGUSER", "user"),
];

/// Variables whose values the server is told as they are.
const TOLD: &[(&str, &str)] =
    &[("PGDATESTYLE", "datestyle"), ("PGGEQO", "geqo"), ("PGTZ", "timezone")];

/// Reads what stands for a server's database; without an equals sign in it, it is
/// its name.
///
/// # Errors
/// What the client's library says of it.
pub fn read(server: &Server) -> Result<ConnInfo, String> {
    let mut settings = ConnInfo {
        server: server.clone(),
        address: None,
        tls: TlsMode::default(),
        timeout: None,
        parameters: Vec::new(),
    };
    let mut fallback = None;
    let mut said = BTreeSet::new();
    if server.database.contains(&b'=') {
        settings.server.database.clear();
        let mut rest = server.database.trim_ascii_start();
        while !rest.is_empty() {
            let (name, value, behind) = pair(rest)?;
            settings.set(name, value, &mut fallback)?;
            said.insert(name);
            rest = behind.trim_ascii_start();
        }
    } else if !server.database.is_empty() {
        said.insert(b"dbname");
    }
    for (variable, option) in VARIABLES {
        if let Some(value) = server.variable(variable)
            && !said.contains(option.as_bytes())
        {
            settings.set(option.as_bytes(), value.to_vec(), &mut fallback)?;
        }
    }
    for (variable, parameter) in TOLD {
        if let Some(value) = server.variable(variable)
            && !value.eq_ignore_ascii_case(b"default")
        {
            settings.parameter(parameter, value.to_vec());
        }
    }
    let named = settings.parameters.iter().any(|(name, _)| *name == "application_name");
    if let Some(fallback) = fallback.filter(|_| !named) {
        settings.parameters.push(("application_name", fallback));
    }
    Ok(settings)
}

impl ConnInfo {
    fn set(
        &mut self,
        name: &[u8],
        value: Vec<u8>,
        fallback: &mut Option<Vec<u8>>,
    ) -> Result<(), String> {
        let name = String::from_utf8_lossy(name);
        let text = String::from_utf8_lossy(&value).into_owned();
        let invalid = || format!("invalid {name} value: \"{text}\"\n");
        match &*name {
            "dbname" => self.server.database = value,
            "user" if self.server.user.is_empty() => self.server.user = value,
            "password" if self.server.password.is_empty() => self.server.password = value,
            "user" | "password" => {}
            "hostaddr" if text.is_empty() => self.address = None,
            "hostaddr" => {
                let wrong = || {
                    format!(
                        "could not parse network address \"{text}\": Name or service not known\n"
                    )
                };
                self.address = Some(text.parse().map_err(|_| wrong())?);
            }
            "application_name" => self.parameter("application_name", value),
            "fallback_application_name" => *fallback = Some(value),
            "options" => self.parameter("options", value),
            "replication" => self.parameter("replication", value),
            "connect_timeout" => {
                let seconds: i32 = text.trim().parse().map_err(|_| {
                    format!("invalid integer value \"{text}\" for connection option \"{name}\"\n")
                })?;
                // The library waits for two seconds at least, and zero is no limit.
                let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
                self.timeout = seconds.map(|seconds| Duration::from_secs(seconds.max(2)));
            }
            "sslmode" => {
                self.tls = match &*text {
                    "disable" => TlsMode::Never,
                    "allow" => TlsMode::Allow,
                    "prefer" => TlsMode::Prefer,
                    "require" => TlsMode::Require,
                    "verify-ca" | "verify-full" => return Err(missing(&name, &text)),
                    _ => return Err(invalid()),
                }
            }
            other if IDLE.contains(&other) => {}
            other if MISSING.contains(&other) && text.is_empty() && other != "service" => {}
            other if MISSING.contains(&other) => return Err(missing(other, &text)),
            other => {
                let known = WORDS.iter().find(|(word, ..)| *word == other);
                let (_, idle, heeded) =
                    known.ok_or_else(|| format!("invalid connection option \"{other}\"\n"))?;
                match &*text {
                    word if idle.contains(&word) => {}
                    word if heeded.contains(&word) => return Err(missing(other, word)),
                    _ => return Err(invalid()),
                }
            }
        }
        Ok(())
    }

    fn parameter(&mut self, name: &'static str, value: Vec<u8>) {
        self.parameters.retain(|(own, _)| *own != name);
        // A zero byte would end it, and begin another.
        if !value.is_empty() && !value.contains(&0) {
            self.parameters.push((name, value));
        }
    }
}

fn missing(name: &str, value: &str) -> String {
    format!("connection option \"{name}\" with value \"{value}\" is not supported\n")
}

/// A name, its value, and what stands behind them.
type Pair<'t> = (&'t [u8], Vec<u8>, &'t [u8]);

fn pair(text: &[u8]) -> Result<Pair<'_>, String> {
    let end = text.iter().position(|c| *c == b'=' || c.is_ascii_whitespace());
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let Some(rest) = rest.trim_ascii_start().strip_prefix(b"=") else {
        let name = String::from_utf8_lossy(name);
        return Err(format!("missing \"=\" after \"{name}\" in connection info string\n"));
    };
    let rest = rest.trim_ascii_start();
    let quoted = rest.first() == Some(&b'\'');
    let mut value = Vec::new();
    let mut at = usize::from(quoted);
    loop {
        match rest.get(at) {
            None if quoted => {
                return Err("unterminated quoted string in connection info string\n".into());
            }
            Some(b'\'') if quoted => return Ok((name, value, &rest[at + 1..])),
            Some(c) if !quoted && c.is_ascii_whitespace() => {
                return Ok((name, value, &rest[at..]));
            }
            None => return Ok((name, value, &[])),
            Some(b'\\') => {
                value.extend(rest.get(at + 1));
                at += 2;
            }
            Some(c) => {
                value.push(*c);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::world::ServerAddress;

    use super::*;

    fn read_all(database: &str) -> Result<ConnInfo, String> {
        read(&Server {
            address: ServerAddress::Unix(b"/s".to_vec()),
            database: database.into(),
            user: b"u".to_vec(),
            password: Vec::new(),
            group: None,
            environment: Vec::new(),
        })
    }

    #[test]
    fn settings_are_read_as_the_clients_library_reads_them() {
        for (text, database, application) in [
            ("db", "db", None),
            ("dbname=db", "db", None),
            (" dbname = db ", "db", None),
            ("dbname='d\\b'  application_name=x\\ y", "db", Some("x y")),
            ("dbname=db application_name='x y\\'z'", "db", Some("x y'z")),
            ("fallback_application_name=x application_name=y", "", Some("y")),
            ("application_name='' fallback_application_name=x", "", Some("x")),
            ("dbname=a dbname='b=c' port=7 host=x", "b=c", None),
        ] {
            let settings = read_all(text).expect(text);
            assert_eq!(settings.server.database, database.as_bytes(), "{text}");
            let own = settings.parameters.iter().find(|(name, _)| *name == "application_name");
            assert_eq!(own.map(|(_, own)| &own[..]), application.map(str::as_bytes), "{text}");
        }
        let settings = read_all("user=x password=y sslmode=require connect_timeout=1").unwrap();
        assert_eq!(
            (&settings.server.user[..], &settings.server.password[..]),
            (&b"u"[..], &b"y"[..])
        );
        assert_eq!(settings.tls, TlsMode::Require);
        assert_eq!(settings.timeout, Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_is_wrong_is_said_in_its_words() {
        for (text, why) in [
            ("=", "invalid connection option \"\""),
            ("dbname=db x", "missing \"=\" after \"x\" in connection info string"),
            ("a=b c", "invalid connection option \"a\""),
            ("dbname='db", "unterminated quoted string in connection info string"),
            ("dbname='db\\", "unterminated quoted string in connection info string"),
            ("sslmode=", "invalid sslmode value: \"\""),
            ("channel_binding=x", "invalid channel_binding value: \"x\""),
            (
                "sslmode=verify-full",
                "connection option \"sslmode\" with value \"verify-full\" is not supported",
            ),
            ("sslkey=x", "connection option \"sslkey\" with value \"x\" is not supported"),
        ] {
            assert_eq!(read_all(text).expect_err(text).trim_end(), why, "{text}");
        }
    }
}
