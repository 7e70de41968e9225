//! Hosts for domains and for names, as routers find them. The answers are
//! recorded from a real Exim; where the system lets us, it is asked again, in a
//! network of its own, where this test plays the name server.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use eximious::grammar::expansion::ItemShape;
use eximious::stdlib::dns::find::{
    DnsSearch, DomainHosts, DomainSearch, Ending, HostsFound, RouteHost, by_dns, by_name,
    for_domain,
};
use eximious::world::{Dns, DnsError, Fixture, Host, Room};
use eximious::{
    Call, Config, Effects, Engine, Fail, Item, ItemRun, Macros, Meta, Str, TaintRule, World,
};
use eximious_tests::ours::Ours;
use eximious_tests::recorded::{self, Group as _};
use eximious_tests::reference::Reference;
use eximious_tests::{network, root, show};
use tempfile::TempDir;

/// What Exim says of an address that has to wait.
const LATER: &str = "cannot be resolved at this time";
/// This host's own addresses there.
const OWN: [&str; 3] = ["127.0.0.1", "192.0.2.77", "::1"];

/// Questions for the same configuration.
#[derive(Clone, Default)]
struct Group {
    /// Main options.
    main: Vec<String>,
    /// Options of the routers.
    router: Vec<String>,
    /// A kind and a name, and the answer.
    cases: Vec<((String, String), String)>,
}

/// Reads the recorded answers: `[option = value ;; …]` begins a group with main
/// options, `(option = value ;; …)` one with options of routers, `> KIND NAME`
/// asks, `< ` is a line of the answer. The kinds: `domain` (a `dnslookup`
/// router), and for hosts of a `manualroute` router `bydns`, `byname`, `mx`
/// (`name/MX`) and `either`.
fn groups() -> Vec<Group> {
    let text = std::fs::read_to_string(file()).expect("the answers");
    let mut groups = vec![Group::default()];
    let options = |text: &str| {
        let options = text.split(" ;; ").map(str::to_owned);
        options.filter(|option| !option.is_empty()).collect::<Vec<_>>()
    };
    for line in text.lines() {
        if let Some(main) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            groups.push(Group { main: options(main), ..Group::default() });
        } else if let Some(router) = line.strip_prefix('(').and_then(|l| l.strip_suffix(')')) {
            let main = groups.last().expect("a group").main.clone();
            groups.push(Group { main, router: options(router), cases: Vec::new() });
        } else if let Some(asked) = line.strip_prefix("> ") {
            let (kind, name) = asked.split_once(' ').expect("a kind and a name");
            let asked = (kind.to_owned(), name.to_owned());
            groups.last_mut().expect("a group").cases.push((asked, String::new()));
        } else if let Some(answer) = line.strip_prefix("< ") {
            let said = &mut groups.last_mut().expect("a group").cases.last_mut().expect("a line").1;
            writeln!(said, "{answer}").expect("text");
        }
    }
    groups.retain(|group| !group.cases.is_empty());
    groups
}

fn file() -> PathBuf {
    root().join("tests/data/hostfind.txt")
}

fn fixture() -> Fixture {
    let zone = std::fs::read_to_string(root().join("tests/data/hostfind.zone"));
    Fixture::new().zone(&zone.expect("the zone"))
}

impl Group {
    fn title(&self) -> String {
        format!("[{}] ({})", self.main.join(" ;; "), self.router.join(" ;; "))
    }

    /// The options that are for any router.
    fn generic(&self) -> impl Iterator<Item = &String> {
        let words = ["ignore_target_hosts", "dnssec_"];
        self.router.iter().filter(move |option| words.iter().any(|word| option.starts_with(word)))
    }

    fn config(&self, directory: &Path) -> PathBuf {
        let mut text = String::from("primary_hostname = me.test\n");
        let mut add = |line: &str| writeln!(text, "{line}").expect("text");
        self.main.iter().for_each(|option| add(option));
        add("begin routers\nm:\n driver = manualroute\n transport = t\n domains = *.man\n no_more");
        self.generic().for_each(|option| add(option));
        add(" route_list = \\");
        for (index, ((kind, name), _)) in self.cases.iter().enumerate() {
            let (suffix, how) = match &kind[..] {
                "mx" => ("/mx", ""),
                "either" => ("", ""),
                other => ("", other),
            };
            if kind != "domain" {
                let name = name.replace(':', "::");
                add(&format!("  {index}.man \"{name}{suffix}\" {how};\\"));
            }
        }
        add("\nr:\n driver = dnslookup\n transport = t");
        self.router.iter().for_each(|option| add(option));
        add("begin transports\nt:\n driver = smtp");
        let path = directory.join("config");
        std::fs::write(&path, text).expect("a configuration");
        path
    }
}

impl recorded::Group for Group {
    const ASKS: &[&str] = &["> "];

    fn exim(&self, reference: &Reference, directory: &Path) -> Vec<String> {
        let config = self.config(directory);
        let ask = |(index, ((kind, name), _)): (usize, &((String, String), String))| {
            let address = match &kind[..] {
                "domain" => format!("x@{name}"),
                _ => format!("x@{index}.man"),
            };
            let mut command = Command::new(reference.program());
            command.arg("-C").arg(&config).args(["-d-all+route", "-bt", &address]);
            let output = command.output().expect("Exim runs");
            plain(&address, &show_lines(&output.stdout), &show_lines(&output.stderr))
        };
        self.cases.iter().enumerate().map(ask).collect()
    }

    fn ours(&self, world: World, directory: &Path) -> Vec<String> {
        let builder = Engine::builder().world(world.clone()).item(&FIND);
        let name = self.config(directory);
        let name = name.as_os_str().as_encoded_bytes();
        let config =
            Config::read(name, Macros::default(), &eximious_world::system(), builder.registry());
        let mut ours = Ours::with_engine(config.expect("a configuration").build(builder));
        let options = self.router.join(" ;; ");
        let answers = self.cases.iter().map(|((kind, name), _)| {
            ours.begin();
            let line = format!("${{find{{{kind}}}{{{name}}}{{{options}}}}}");
            String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned()
        });
        answers.map(|answer| arranged(&answer)).collect()
    }

    fn recorded(&self) -> Vec<String> {
        self.cases.iter().map(|(_, answer)| answer.clone()).collect()
    }

    fn compare(&self, wanted: &[String], said: &[String], wrong: &mut Vec<String>) {
        assert_eq!(wanted.len(), said.len(), "{}", self.title());
        for ((((kind, name), _), wanted), said) in self.cases.iter().zip(wanted).zip(said) {
            if wanted != said {
                let title = self.title();
                wrong.push(format!("{title} {kind} {name}\n  exim\n{wanted}  eximious\n{said}"));
            }
        }
    }

    fn answer_lines(answer: &str) -> Vec<&str> {
        answer.lines().collect()
    }
}

fn show_lines(bytes: &[u8]) -> Vec<String> {
    bytes.split(|byte| *byte == b'\n').map(show).collect()
}

/// What Exim says of an address, in the words of this test.
fn plain(address: &str, said: &[String], debug: &[String]) -> String {
    let first = said.iter().find(|line| line.starts_with("x@")).cloned().unwrap_or_default();
    for words in [" is undeliverable: ", " cannot be resolved at this time: "] {
        if let Some((about, message)) = first.split_once(words) {
            let (_, domain) = about.split_once('@').unwrap_or_default();
            let is = if about == address { String::new() } else { format!("is {domain}\n") };
            let words = words.trim_matches([' ', ':']);
            return format!("{is}{words}: {}\n", message.replace("\\\"", "\""));
        }
    }
    let mut out = String::new();
    if first != address {
        let (_, domain) = first.split_once('@').unwrap_or_default();
        writeln!(out, "is {domain}").expect("text");
    }
    let routed = debug.iter().rposition(|line| line.starts_with("routed by")).unwrap_or(0);
    for line in &debug[routed..] {
        if let Some(host) = line.strip_prefix("  host ") {
            writeln!(out, "{}", host.trim_end()).expect("text");
        }
    }
    arranged(&out)
}

/// Puts hosts that are as much preferred as each other in a fixed order.
fn arranged(text: &str) -> String {
    let preference = |line: &str| {
        let word = line.split(' ').find_map(|word| word.strip_prefix("MX="));
        let preference = word.and_then(|digits| digits.parse::<i32>().ok());
        preference.or(line.contains(" [").then_some(-1))
    };
    let mut lines: Vec<&str> = text.lines().collect();
    for run in lines.chunk_by_mut(|a, b| preference(a) == preference(b)) {
        if run.iter().all(|line| preference(line).is_some()) {
            run.sort_unstable();
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// `${find{KIND}{NAME}{OPTIONS}}`: looks for hosts, and says what became of it.
static FIND: Item = Item {
    meta: Meta::new("find", Effects::DNS, TaintRule::Clean),
    shape: ItemShape::Braces { min: 3, max: 3 },
    run: ItemRun::Lazy(find),
};

fn find(call: &mut Call<'_>) -> Result<Str, Fail> {
    let text = |index| String::from_utf8_lossy(call.raw(index).unwrap_or_default()).into_owned();
    let (kind, name, options) = (text(0), text(1), text(2));
    let options: Vec<&str> = options.split(" ;; ").filter(|option| !option.is_empty()).collect();
    let (search, rest) = search(&kind, &options);
    let asked = name.as_bytes();
    let answer = match &kind[..] {
        "domain" => domain(call, &name, &DomainSearch { search, ..rest })?,
        // For an address there is nothing to ask the DNS.
        kind if kind == "byname" || (kind != "mx" && name.parse::<IpAddr>().is_ok()) => {
            host(&name, &by_name(call, asked, search.ignore.as_ref())?)
        }
        "either" => match by_dns(call, asked, &search)? {
            found if found.ending != Ending::Missing => host(&name, &found),
            _ => host(&name, &by_name(call, asked, search.ignore.as_ref())?),
        },
        _ => host(&name, &by_dns(call, asked, &search)?),
    };
    Ok(Str::from(answer))
}

fn search(kind: &str, options: &[&str]) -> (DnsSearch, DomainSearch) {
    let mut search = match kind {
        "domain" => DnsSearch::default(),
        "mx" => DnsSearch::for_mx(),
        _ => DnsSearch::for_host(),
    };
    let mut domain = DomainSearch::default();
    for option in options {
        let (word, value) = option.split_once(" = ").unwrap_or((option, ""));
        let list = (!value.is_empty()).then(|| Str::from(value));
        match word {
            "ignore_target_hosts" => search.ignore = list,
            "dnssec_request_domains" => search.dnssec_request = list.map(Into::into),
            "dnssec_require_domains" => search.dnssec_require = list.map(Into::into),
            _ if kind != "domain" => {}
            "check_srv" => search.services = list.into_iter().collect(),
            "srv_fail_domains" => search.srv_fail_domains = list.map(Into::into),
            "mx_fail_domains" => search.mx_fail_domains = list.map(Into::into),
            "ipv4_only" => search.ipv4_only = value == "yes",
            "ipv4_prefer" => search.ipv4_prefer = value == "yes",
            "no_qualify_single" => search.qualify_single = false,
            "search_parents" => search.search_parents = true,
            "mx_domains" => domain.mx_domains = list,
            "fail_defer_domains" => domain.fail_defer_domains = list,
            "widen_domains" => domain.widen_domains = list,
            "check_secondary_mx" => domain.check_secondary_mx = true,
            "self" => {}
            other => panic!("{other}: what does it do?"),
        }
    }
    (search, domain)
}

/// What a router with `self = defer` says of a domain.
fn domain(call: &mut Call<'_>, given: &str, wanted: &DomainSearch) -> Result<String, Fail> {
    let words =
        |words: &str, message: Vec<u8>| format!("{words}: {}\n", String::from_utf8_lossy(&message));
    Ok(match for_domain(call, given.as_bytes(), wanted)? {
        DomainHosts::Found(found) if found.ending == Ending::Local => {
            words(LATER, found.message(given.as_bytes()).unwrap_or_default())
        }
        DomainHosts::Found(found) => {
            let full = found.qualified.filter(|full| full != given);
            let is = full.map(|full| format!("is {full}\n")).unwrap_or_default();
            is + &hosts(&found.hosts)
        }
        DomainHosts::Renamed(full) => format!("is {full}\n{}", domain(call, &full, wanted)?),
        DomainHosts::Decline(message, _) => {
            words("is undeliverable", message.unwrap_or_else(|| b"Unrouteable address".to_vec()))
        }
        DomainHosts::Defer(message) | DomainHosts::Timeout(message) => words(LATER, message),
    })
}

/// What a `manualroute` router says of a host.
fn host(name: &str, found: &HostsFound) -> String {
    let later = |message: String| format!("{LATER}: {message}\n");
    let name = found.hosts.first().map_or(name, |host| &host.name);
    let syntax = if found.malformed { ": syntax error in name" } else { "" };
    match found.ending {
        Ending::Found => hosts(&found.hosts),
        Ending::Local => {
            let message = found.message(name.as_bytes()).unwrap_or_default();
            later(String::from_utf8_lossy(&message).into_owned())
        }
        Ending::Missing => later(format!("lookup of host \"{name}\" failed in m router{syntax}")),
        Ending::Later => later(format!("host lookup for {name} did not complete (DNS timeout?)")),
        Ending::Insecure => later(format!("host lookup for {name} done insecurely")),
    }
}

fn hosts(hosts: &[RouteHost]) -> String {
    let mut out = String::new();
    for host in hosts {
        out += &host.name;
        if let Some(address) = host.address {
            write!(out, " [{address}]").expect("text");
        }
        if let Some(mx) = host.mx {
            write!(out, " MX={mx}").expect("text");
        }
        if let Some(port) = host.port {
            write!(out, " port={port}").expect("text");
        }
        if let Some(dnssec) = host.dnssec {
            out += if dnssec { " dnssec=yes" } else { " dnssec=no" };
        }
        out.push('\n');
    }
    out
}

/// This host, as it is there.
struct Here;

impl Host for Here {
    fn name(&self) -> Vec<u8> {
        b"me.test".to_vec()
    }
    fn addresses(&self) -> Vec<IpAddr> {
        OWN.iter().map(|address| address.parse().expect("an address")).collect()
    }
    fn environment(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn environment_names(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
    fn pid(&self) -> u32 {
        1
    }
    fn ids(&self) -> (u32, u32) {
        (0, 0)
    }
    fn load(&self) -> i64 {
        0
    }
    fn room(&self, _: &[u8]) -> std::io::Result<Room> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn directory(&self) -> Vec<u8> {
        b"/".to_vec()
    }
}

fn world() -> World {
    World { host: Arc::new(Here), ..fixture().world() }
}

#[test]
fn recorded_answers_hold() {
    let directory = TempDir::new().expect("a directory");
    let (mut wrong, mut total) = (Vec::new(), 0);
    for group in groups() {
        let said = group.ours(world(), directory.path());
        let wanted = group.recorded();
        total += wanted.len();
        group.compare(&wanted, &said, &mut wrong);
    }
    assert!(total > 100, "{total} answers are recorded");
    assert!(wrong.is_empty(), "{} of {total} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// A zone that somebody made to keep us busy.
#[test]
fn there_is_an_end_to_hosts() {
    let mut zone = String::from("$ORIGIN big.\n");
    for host in 0..400 {
        writeln!(zone, "@ MX {} h{host}", host % 7).expect("text");
        writeln!(zone, "_smtp._tcp SRV {} {host} 25 h{host}", host % 7).expect("text");
        for address in 0..20 {
            writeln!(zone, "h{host} A 10.{}.{}.{address}", host / 256, host % 256).expect("text");
        }
    }
    let world = World { host: Arc::new(Here), ..Fixture::new().zone(&zone).world() };
    let directory = TempDir::new().expect("a directory");
    for option in ["ipv4_prefer = yes", "check_srv = smtp"] {
        let case = (("domain".to_owned(), "big".to_owned()), String::new());
        let router = vec![option.to_owned()];
        let group = Group { main: Vec::new(), router, cases: vec![case] };
        let said = group.ours(world.clone(), directory.path()).concat();
        assert_eq!(said.lines().count(), 1024, "{said}");
        assert!(said.starts_with("h") && said.contains(" MX=0"), "{said}");
    }
}

/// Exim takes any name for one of a service, and cuts as much off as that has
/// before the domain: here it would go on with `ar.test`.
#[test]
fn aliases_of_services_are_no_domains() {
    let zone = "$ORIGIN test.\n_smtp._tcp.one SRV 1 1 25 h1\nh1 A 192.0.2.1\n\
        _smtp._tcp.two CNAME foo.barbarbar\nfoo.barbarbar CNAME _smtp._tcp.one\n";
    let world = World { host: Arc::new(Here), ..Fixture::new().zone(zone).world() };
    let directory = TempDir::new().expect("a directory");
    let case = (("domain".to_owned(), "two.test".to_owned()), String::new());
    let router = vec!["check_srv = smtp".to_owned()];
    let group = Group { main: Vec::new(), router, cases: vec![case] };
    let said = group.ours(world, directory.path()).concat();
    assert_eq!(said, "h1.test [192.0.2.1] MX=1 port=25 dnssec=no\n");
}

#[test]
fn exim_says_the_same() {
    if Reference::find().is_some() {
        network::run("hostfind::inside", "exim");
    }
}

/// The part that runs there. With `EXIMIOUS_RECORD` set, Exim's answers are
/// written to the file.
#[test]
#[ignore = "it needs a network of its own: exim_says_the_same starts it"]
fn inside() {
    if network::purpose().is_none() {
        return;
    }
    let Some(reference) = Reference::find() else { return };
    let directory = TempDir::new().expect("a directory");
    let zone = std::fs::read_to_string(root().join("tests/data/hostfind.zone")).expect("the zone");
    let lines = |word: &str| {
        let lines = zone.lines().filter_map(|line| line.strip_prefix(word));
        lines.map(|line| format!("{}\n", line.trim())).collect::<Vec<_>>()
    };
    let search = lines("$SEARCH").concat();
    let resolver = format!("nameserver 127.0.0.1\noptions trust-ad timeout:1\nsearch {search}");
    let hosts = lines("$HOST").concat();
    let files = [("/etc/resolv.conf", &resolver[..]), ("/etc/hosts", &hosts[..])];
    network::set_up(directory.path(), &files);
    network::ip(&["address", "add", "192.0.2.77/32", "dev", "lo"]);
    serve(fixture().world().dns);
    recorded::hold(&groups(), &file(), &reference, directory.path());
}

/// Plays a name server at port 53, for as long as the program runs.
fn serve(dns: Arc<dyn Dns>) {
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).expect("port 53");
    let connections = TcpListener::bind((Ipv4Addr::LOCALHOST, 53)).expect("port 53");
    let again = dns.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = datagrams.recv_from(&mut buffer) {
            if let Some(answer) = answer(&*dns, &buffer[..length]) {
                let _ = datagrams.send_to(&answer, peer);
            }
        }
    });
    std::thread::spawn(move || {
        for peer in connections.incoming().flatten() {
            let _ = converse(&*again, peer);
        }
    });
}

fn converse(dns: &dyn Dns, mut peer: TcpStream) -> std::io::Result<()> {
    use std::io::{Read, Write};
    let mut length = [0; 2];
    peer.read_exact(&mut length)?;
    let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
    peer.read_exact(&mut asked)?;
    let answer = answer(dns, &asked).unwrap_or_default();
    peer.write_all(&[&(answer.len() as u16).to_be_bytes(), &answer[..]].concat())
}

/// The answer to a message, from what the fixture says.
fn answer(dns: &dyn Dns, asked: &[u8]) -> Option<Vec<u8>> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*asked.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(asked.get(at..at + length)?).into_owned());
        at += length;
    }
    let kind = u16::from_be_bytes([*asked.get(at)?, *asked.get(at + 1)?]);
    let (code, records, standing) = match dns.query(&labels.join("."), kind, &Default::default()) {
        Ok(answer) => (0, answer.records, answer.standing),
        Err(DnsError::NoData(standing)) => (0, Vec::new(), standing),
        Err(DnsError::NoName(standing)) => (3, Vec::new(), standing),
        Err(DnsError::Again(_)) => (2, Vec::new(), Default::default()),
    };
    let flags = 0x8180 | code | if standing.authentic { 0x20 } else { 0 };
    let mut out = asked[..2].to_vec();
    for number in [flags, 1, records.len() as u16, 0, 0] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(asked.get(12..at + 4)?);
    for record in &records {
        for label in record.name.split('.') {
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
        }
        out.push(0);
        out.extend_from_slice(&record.kind.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
        out.extend_from_slice(&(record.data.len() as u16).to_be_bytes());
        out.extend_from_slice(&record.data);
    }
    Some(out)
}
