//! What the system says of name servers and of hosts.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use eximious_core::world::DnsOptions;
use hickory_resolver::system_conf::parse_resolv_conf;

/// Where the C library finds name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Where the system keeps names of hosts.
const HOSTS: &str = "/etc/hosts";
/// How many servers the C library asks.
const MOST_SERVERS: usize = 3;
/// How many domains are tried to complete a name.
const MOST_SEARCHED: usize = 6;
/// How much of a file is read.
const LONGEST_FILE: u64 = 8 << 20;

/// Whom to ask, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Config {
    /// The servers, at least one.
    pub(super) servers: Vec<SocketAddr>,
    /// The domains that complete a name.
    pub(super) search: Vec<String>,
    /// A name with as many dots is asked as it is first.
    pub(super) ndots: usize,
    /// How long to wait for an answer.
    pub(super) timeout: Duration,
    /// How often to ask all of them.
    pub(super) attempts: u32,
    /// Whether they take turns.
    pub(super) rotate: bool,
    /// Whether their word counts that they have checked signatures.
    pub(super) trust_ad: bool,
    /// Whether to connect to them in the first place.
    pub(super) use_tcp: bool,
}

impl Config {
    /// These servers; where there are none, one on this host.
    pub(super) fn of(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        let mut servers: Vec<SocketAddr> = servers.into_iter().collect();
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, 53).into());
        }
        Self {
            servers,
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            rotate: false,
            trust_ad: true,
            use_tcp: false,
        }
    }

    /// What `resolv.conf` says.
    fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let servers: Vec<SocketAddr> =
            text.lines().filter_map(name_server).take(MOST_SERVERS).collect();
        // Hickory knows no scopes, and wants a server to be there.
        let others = text.lines().filter(|line| !line.starts_with("nameserver"));
        let text = others.chain(["nameserver 127.0.0.1"]).collect::<Vec<_>>().join("\n");
        // A line that hickory can't read spoils all others.
        let parsed = parse_resolv_conf(&text).or_else(|_| {
            let plain = |line: &&str| !line.starts_with("search") && !line.starts_with("domain");
            parse_resolv_conf(text.lines().filter(plain).collect::<Vec<_>>().join("\n"))
        });
        // These words it leaves out.
        let said = |word: &str| {
            let options = text.lines().filter_map(|line| line.strip_prefix("options"));
            options.flat_map(str::split_ascii_whitespace).any(|option| option == word)
        };
        let rest = Self {
            rotate: said("rotate"),
            trust_ad: said("trust-ad"),
            use_tcp: said("use-vc"),
            ..Self::of(servers)
        };
        let Ok((config, options)) = parsed else { return rest };
        let mut search: Vec<String> = config.search().iter().map(|name| name.to_ascii()).collect();
        search.truncate(MOST_SEARCHED);
        Self {
            search,
            ndots: options.ndots.min(15),
            // The C library's own limits.
            timeout: options.timeout.clamp(Duration::from_secs(1), Duration::from_secs(30)),
            attempts: (options.attempts as u32).clamp(1, 5),
            ..rest
        }
    }

    /// The same, where these servers are asked, if there are any.
    fn with_servers(mut self, servers: &[SocketAddr]) -> Self {
        if !servers.is_empty() {
            self.servers = servers.to_vec();
        }
        self
    }

    /// The names to ask for, one after the other.
    pub(super) fn candidates<'n>(&self, name: &'n str, options: &DnsOptions) -> Vec<Cow<'n, str>> {
        let dots = name.bytes().filter(|byte| *byte == b'.').count();
        let domains: &[String] = match (options.qualify_single, options.search_parents) {
            _ if name.ends_with('.') => &[],
            (false, _) if dots == 0 => &[],
            (_, true) => &self.search,
            (true, false) if dots == 0 => self.search.get(..1).unwrap_or_default(),
            _ => &[],
        };
        let mut names: Vec<Cow<'n, str>> = domains
            .iter()
            .map(|domain| format!("{name}.{}", domain.trim_end_matches('.')).into())
            .collect();
        let at = if dots >= self.ndots { 0 } else { names.len() };
        names.insert(at, name.into());
        names
    }
}

/// The server that a line of `resolv.conf` names: an address, which may have the
/// interface behind it on which it is to be found (`fe80::1%eth0`).
fn name_server(line: &str) -> Option<SocketAddr> {
    let rest = line.strip_prefix("nameserver")?;
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let word = rest.split_ascii_whitespace().next()?;
    let Some((address, scope)) = word.split_once('%') else {
        return Some(SocketAddr::new(word.parse().ok()?, 53));
    };
    let number = scope.parse().ok();
    let scope = number.or_else(|| nix::net::if_::if_nametoindex(scope).ok())?;
    Some(SocketAddrV6::new(address.parse().ok()?, 53, 0, scope).into())
}

/// An address with a port, or the usual one: `127.0.0.1:5353`, `::1`,
/// `[::1]:5353`.
pub(super) fn server(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    let bare = || Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53));
    text.parse().ok().or_else(bare)
}

/// What was read from the system's file.
#[derive(Debug)]
pub(super) struct Kept {
    /// When it was last looked at.
    looked: Instant,
    changed: SystemTime,
    config: Arc<Config>,
}

/// How long settings count before the file is looked at again.
const FRESH: Duration = Duration::from_secs(1);

/// Where settings come from.
#[derive(Debug)]
pub(super) enum Source {
    /// They are given.
    Fixed(Arc<Config>),
    /// The system's file, as it was at a time.
    File {
        /// Who is asked in the place of its servers; with none, those.
        instead: Vec<SocketAddr>,
        kept: Option<Kept>,
    },
}

impl Source {
    /// What the system says; these servers, if there are any, stand for its own.
    pub(super) fn system(instead: Vec<SocketAddr>) -> Self {
        Self::File { instead, kept: None }
    }

    /// The settings, read again soon after the file is another one.
    pub(super) fn current(&mut self) -> Arc<Config> {
        let (instead, kept) = match self {
            Self::Fixed(config) => return config.clone(),
            Self::File { instead, kept } => (instead, kept),
        };
        let looked = Instant::now();
        if let Some(kept) = kept
            && looked.duration_since(kept.looked) < FRESH
        {
            return kept.config.clone();
        }
        let changed = std::fs::metadata(RESOLV_CONF).and_then(|stat| stat.modified()).ok();
        let same = kept.take().filter(|kept| Some(kept.changed) == changed);
        let config = match same {
            Some(same) => same.config,
            None => Arc::new(Config::read(&contents(RESOLV_CONF)).with_servers(instead)),
        };
        *kept = changed.map(|changed| Kept { looked, changed, config: config.clone() });
        config
    }
}

/// A file; nothing where it can't be read.
fn contents(path: impl AsRef<Path>) -> Vec<u8> {
    use std::io::Read;
    let mut text = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What can be read of it counts.
        let _ = file.take(LONGEST_FILE).read_to_end(&mut text);
    }
    text
}

/// The system's table of hosts.
#[derive(Debug)]
pub(super) struct Table(Vec<u8>);

/// The table as it is now.
pub(super) fn table() -> Table {
    Table(contents(HOSTS))
}

impl Table {
    /// The lines: an address and its names.
    fn lines(&self) -> impl Iterator<Item = (IpAddr, impl Iterator<Item = &str>)> {
        self.0.split(|byte| *byte == b'\n').filter_map(|line| {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
            Some((words.next()?.parse().ok()?, words))
        })
    }

    pub(super) fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.lines()
            .filter_map(|(address, mut names)| {
                names.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
            })
            .collect()
    }

    pub(super) fn names(&self, address: IpAddr) -> Vec<String> {
        let line = self.lines().find(|(own, _)| *own == address);
        line.map(|(_, names)| names.map(str::to_owned).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read_as_the_c_library_reads_it() {
        let config = Config::read(
            b"# comment\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 192.0.2.2\n\
              nameserver 192.0.2.3\nsearch a.example b.example\n\
              options ndots:2 timeout:3 attempts:4 rotate trust-ad\n",
        );
        let servers: Vec<String> = config.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]);
        assert_eq!(config.timeout, Duration::from_secs(3));
        assert_eq!((config.attempts, config.ndots), (4, 2));
        assert!(config.rotate && config.trust_ad && !config.use_tcp);
    }

    #[test]
    fn servers_may_stand_for_those_of_resolv_conf() {
        let read = || Config::read(b"nameserver 192.0.2.1\nsearch a.example\noptions ndots:2\n");
        let own: SocketAddr = "127.0.0.1:5353".parse().unwrap();
        let config = read().with_servers(&[own]);
        assert_eq!((config.servers, config.ndots), (vec![own], 2));
        assert_eq!(config.search.len(), 1);
        assert_eq!(read().with_servers(&[]), read());
    }

    #[test]
    fn servers_may_be_found_on_an_interface() {
        let config = Config::read(
            b"nameserver fe80::1%lo\nnameserver fe80::2%7\nnameserver fe80::3%nosuch\n\
              nameserver x\nnameservers 192.0.2.1\nnameserver\t192.0.2.2 # more\noptions ndots:3\n",
        );
        let servers: Vec<String> = config.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["[fe80::1%1]:53", "[fe80::2%7]:53", "192.0.2.2:53"]);
        assert_eq!(config.ndots, 3);
    }

    #[test]
    fn without_servers_this_host_is_asked() {
        for text in [&b""[..], b"options trust-ad", b"\xff\xfe", b"nameserver x", b"search -- .."] {
            let servers = Config::read(text).servers;
            assert_eq!(servers, [SocketAddr::from((Ipv4Addr::LOCALHOST, 53))], "{text:?}");
        }
        let config = Config::read(b"search bad..name\nnameserver 192.0.2.1\n");
        assert_eq!(config.servers, ["192.0.2.1:53".parse().unwrap()]);
        assert!(!config.trust_ad);
    }

    #[test]
    fn names_are_completed_where_that_is_asked_for() {
        let config = Config { search: vec!["x.".into(), "y.z.".into()], ..Config::of([]) };
        let names = |name: &'static str, qualify_single, search_parents| {
            let options = DnsOptions { qualify_single, search_parents, ..DnsOptions::default() };
            config.candidates(name, &options).join(" ")
        };
        assert_eq!(names("a", false, false), "a");
        assert_eq!(names("a", true, false), "a.x a");
        assert_eq!(names("a", true, true), "a.x a.y.z a");
        assert_eq!(names("a", false, true), "a");
        assert_eq!(names("a.b", true, false), "a.b");
        assert_eq!(names("a.b", true, true), "a.b a.b.x a.b.y.z");
        assert_eq!(names("a.", true, true), "a.");
    }

    #[test]
    fn servers_have_ports() {
        let read = |text| server(text).map(|address| address.to_string());
        assert_eq!(read(" 127.0.0.1:5353 ").as_deref(), Some("127.0.0.1:5353"));
        assert_eq!(read("::1").as_deref(), Some("[::1]:53"));
        assert_eq!(read("[::1]:54").as_deref(), Some("[::1]:54"));
        assert_eq!((read("x"), read(""), read("1.2.3.4:99999")), (None, None, None));
    }

    #[test]
    fn the_table_has_addresses_and_names() {
        let table = Table(b"127.0.0.1 localhost me # x\n::1\tlocalhost\nbad x\n\xff\n".to_vec());
        assert_eq!(table.addresses("LocalHost.").len(), 2);
        assert_eq!(table.names("127.0.0.1".parse().unwrap()), ["localhost", "me"]);
        assert!(table.addresses("x").is_empty() && table.names([1, 2, 3, 4].into()).is_empty());
    }
}
