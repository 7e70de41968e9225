//! The configuration file of a RADIUS client, in either of two forms: that of
//! radiusclient (`authserver host:port:secret`, `servers /file`), or that of
//! BSD's libradius (`auth host:port secret timeout tries`).

/// How many servers are asked, at the most.
const MOST_SERVERS: usize = 8;
/// How long a server may take, in seconds, unless the file says otherwise.
const TIMEOUT: u32 = 3;
/// How often it is asked, unless the file says otherwise.
const TRIES: u32 = 3;

/// A server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RadiusServer {
    /// A name or an address.
    pub host: String,
    /// Its port; `None` is the usual one.
    pub port: Option<u16>,
    /// What the two share; `None` where the file of servers tells.
    pub secret: Option<Vec<u8>>,
    /// How long it may take, in seconds; `None` is what holds for all.
    timeout: Option<u32>,
    /// How often it is asked; `None` is what holds for all.
    tries: Option<u32>,
}

/// What a file says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RadiusConfig {
    /// The servers, in the order in which they are asked.
    pub servers: Vec<RadiusServer>,
    /// The file that tells the secrets of servers.
    pub secrets: Option<String>,
    /// What is put behind a user's name that has no realm.
    pub realm: Option<String>,
    timeout: Option<u32>,
    retries: Option<u32>,
}

impl RadiusConfig {
    /// Reads a file's text. Lines that say nothing about this are overlooked.
    pub fn read(text: &str) -> Self {
        let mut config = Self::default();
        for line in text.lines() {
            let words = words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words[..] {
                ["authserver", server, ..] => config.add(radiusclient(server)),
                ["auth", server, secret, ref rest @ ..] => {
                    let mut server = address(server);
                    server.secret = Some(secret.as_bytes().to_vec());
                    server.timeout = rest.first().and_then(|word| word.parse().ok());
                    server.tries = rest.get(1).and_then(|word| word.parse().ok());
                    config.add(server);
                }
                ["servers", file, ..] => config.secrets = Some(file.to_owned()),
                ["default_realm", realm, ..] => config.realm = Some(realm.to_owned()),
                ["radius_timeout", seconds, ..] => config.timeout = seconds.parse().ok(),
                ["radius_retries", count, ..] => config.retries = count.parse().ok(),
                _ => {}
            }
        }
        config
    }

    /// How long a server may take, in seconds.
    pub fn timeout(&self, server: &RadiusServer) -> u32 {
        server.timeout.or(self.timeout).unwrap_or(TIMEOUT).clamp(1, 60)
    }

    /// How often a server is asked.
    pub fn tries(&self, server: &RadiusServer) -> u32 {
        let all = self.retries.map(|count| count.saturating_add(1));
        server.tries.or(all).unwrap_or(TRIES).clamp(1, 10)
    }

    fn add(&mut self, server: RadiusServer) {
        if self.servers.len() < MOST_SERVERS && !server.host.is_empty() {
            self.servers.push(server);
        }
    }
}

/// The secret of a server, after the text of a file of servers: lines of a host
/// (and perhaps a slash and this one's name) and a secret.
pub fn secret(text: &str, host: &str) -> Option<Vec<u8>> {
    text.lines().find_map(|line| {
        let words = words(line);
        let named = words.first()?.split('/').next()?;
        named.eq_ignore_ascii_case(host).then(|| words.get(1).map(|s| s.as_bytes().to_vec()))?
    })
}

/// `host:port:secret`.
fn radiusclient(text: &str) -> RadiusServer {
    // An address with colons stands in brackets.
    let rest = text.rfind(']').map_or(0, |end| end + 1);
    match text[rest..].match_indices(':').nth(1) {
        Some((at, _)) => {
            let secret = text.as_bytes()[rest + at + 1..].to_vec();
            RadiusServer { secret: Some(secret), ..address(&text[..rest + at]) }
        }
        None => address(text),
    }
}

/// `host:port`.
fn address(text: &str) -> RadiusServer {
    let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let colon = text.rfind(':').filter(|at| !text[*at..].contains(']'));
    let (host, port) = match colon {
        Some(at) => (bare(&text[..at]), text[at + 1..].parse().ok()),
        None => (bare(text), None),
    };
    RadiusServer { host, port, secret: None, timeout: None, tries: None }
}

/// The words of a line; in double quotes they may hold white space, `#` and,
/// behind a backslash, quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let mut word = String::new();
        let (mut quoted, mut escaped, mut end) = (false, false, rest.len());
        for (at, letter) in rest.char_indices() {
            match letter {
                _ if escaped => {
                    word.push(letter);
                    escaped = false;
                }
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                letter if letter.is_whitespace() && !quoted => {
                    end = at;
                    break;
                }
                letter => word.push(letter),
            }
        }
        words.push(word);
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let text = "# a comment\nauth_order radius\nauthserver \tradius.example:1645 # x\n\
            authserver [::1]:1812:s3:cret\nauthserver 10.0.0.1\nservers /etc/servers\n\
            radius_timeout 7\nradius_retries 1\ndefault_realm example.com\nbindaddr *\n\
            auth 127.0.0.1:1813 \"a \\\"b\\\" # c\" 4 2\nauth nosecret\nauthserver\n";
        let config = RadiusConfig::read(text);
        let found: Vec<_> = config
            .servers
            .iter()
            .map(|server| {
                let secret = server.secret.as_deref().map(String::from_utf8_lossy);
                let (timeout, tries) = (config.timeout(server), config.tries(server));
                (server.host.as_str(), server.port, secret, timeout, tries)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("radius.example", Some(1645), None, 7, 2),
                ("::1", Some(1812), Some("s3:cret".into()), 7, 2),
                ("10.0.0.1", None, None, 7, 2),
                ("127.0.0.1", Some(1813), Some("a \"b\" # c".into()), 4, 2),
            ]
        );
        assert_eq!(config.secrets.as_deref(), Some("/etc/servers"));
        assert_eq!(config.realm.as_deref(), Some("example.com"));
    }

    #[test]
    fn secrets_of_servers() {
        let text = "# Server Key\nother x\nRadius.example/here  s1\n10.0.0.1\ts2 # x\nlast\n";
        assert_eq!(secret(text, "radius.example").as_deref(), Some(&b"s1"[..]));
        assert_eq!(secret(text, "10.0.0.1").as_deref(), Some(&b"s2"[..]));
        assert_eq!(secret(text, "last"), None);
        assert_eq!(secret(text, "nosuch"), None);
    }

    #[test]
    fn any_text_is_read() {
        for text in ["\"", "auth \"", "authserver [", "authserver ]:", "authserver :::", "\\", "é"]
        {
            RadiusConfig::read(text);
            secret(text, "x");
        }
        let many = "authserver a\n".repeat(1000);
        assert_eq!(RadiusConfig::read(&many).servers.len(), MOST_SERVERS);
    }
}
