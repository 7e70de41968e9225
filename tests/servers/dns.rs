//! What asks the DNS: `dnsdb`, lists of domains and hosts, the client's name.
//! The answers are recorded from a real Exim; where the system lets us, it is
//! asked again, in a network of its own.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eximious::grammar::expansion::ItemShape;
use eximious::stdlib::hosts::SendingHost;
use eximious::stdlib::lists::{ListOutcome, Matcher, ip};
use eximious::world::{Dns, DnsAnswer, DnsError, DnsOptions};
use eximious::{Call, Effects, Fail, Item, ItemRun, Meta, TaintRule};
use eximious::{Config, Engine, Macros, Str, World};
use eximious_tests::names;
use eximious_tests::ours::Ours;
use eximious_tests::recorded::{self, Group as _};
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::{network, root, show};
use tempfile::TempDir;

/// Lines that belong together: a process answers them in order.
#[derive(Clone, Default)]
struct Group {
    /// Options of the configuration.
    options: Vec<String>,
    /// The client's address.
    client: Option<String>,
    /// Lines to expand, or lists of hosts; and the answers.
    cases: Vec<(Asked, String)>,
}

#[derive(Clone)]
enum Asked {
    Line(String),
    Hosts(String),
}

/// Reads the recorded answers: `[option = value; …]` begins a group, `@ address`
/// one for a client, `> ` a line, `? ` a list of hosts that the client may be
/// in, `< ` an answer.
fn groups() -> Vec<Group> {
    let text = std::fs::read_to_string(file()).expect("the answers");
    let mut groups = vec![Group::default()];
    for line in text.lines() {
        let mut begin = |group: Group| groups.push(group);
        if let Some(options) = line.strip_prefix('[') {
            let options = options.trim_end_matches(']').split("; ").map(str::to_owned);
            let options = options.filter(|option| !option.is_empty()).collect();
            begin(Group { options, ..Group::default() });
        } else if let Some(client) = line.strip_prefix("@ ") {
            let options = groups.last().expect("a group").options.clone();
            groups.push(Group { options, client: Some(client.to_owned()), cases: Vec::new() });
        } else {
            let cases = &mut groups.last_mut().expect("a group").cases;
            match line.split_at_checked(2) {
                Some(("> ", line)) => cases.push((Asked::Line(line.to_owned()), String::new())),
                Some(("? ", list)) => cases.push((Asked::Hosts(list.to_owned()), String::new())),
                Some(("< ", answer)) => {
                    let said = &mut cases.last_mut().expect("a line").1;
                    if !said.is_empty() {
                        said.push('\n');
                    }
                    said.push_str(answer);
                }
                _ => {}
            }
        }
    }
    groups.retain(|group| !group.cases.is_empty());
    groups
}

fn file() -> PathBuf {
    root().join("tests/data/dns.txt")
}

impl Group {
    fn title(&self) -> String {
        format!("[{}] {}", self.options.join("; "), self.client.as_deref().unwrap_or_default())
    }

    /// A configuration with the options, and with an ACL for each list.
    fn config(&self, directory: &Path) -> PathBuf {
        let mut text = String::from("primary_hostname = me.example\n");
        for option in &self.options {
            writeln!(text, "{}", with_events(option, directory)).expect("text");
        }
        text += "begin acl\n";
        for (index, (asked, _)) in self.cases.iter().enumerate() {
            if let Asked::Hosts(list) = asked {
                writeln!(text, "c{index}:\n  accept hosts = {list}").expect("text");
            }
        }
        let path = directory.join("config");
        std::fs::write(&path, text).expect("a configuration");
        path
    }

    /// The lines as Exim gets them.
    fn lines(&self, directory: &Path) -> Vec<Vec<u8>> {
        let lines = self.cases.iter().enumerate().map(|(index, (asked, _))| match asked {
            Asked::Line(line) => with_events(line, directory),
            Asked::Hosts(_) => format!("${{if acl{{{{c{index}}}}}{{yes}}{{no}}}}"),
        });
        lines.map(String::into_bytes).collect()
    }
}

impl recorded::Group for Group {
    const ASKS: &[&str] = &["> ", "? "];

    fn exim(&self, reference: &Reference, directory: &Path) -> Vec<String> {
        let mut reference = reference.with_config(&self.config(directory));
        if let Some(client) = &self.client {
            reference = reference.with_client(client);
        }
        let answers = reference.ask(&self.lines(directory), None);
        let said = |answer| match answer {
            Answer::Said(text) => show(&text).replace("\\n", "\n").replace("\\t", "\t"),
            Answer::Crashed => "Exim died".to_owned(),
        };
        let plain = |text: String| match text.starts_with("Failed: DEFER from acl") {
            true => "later".to_owned(),
            false => text.replace("\\\"", "\"").replace("\\\\", "\\").replace("\\'", "'"),
        };
        answers.into_iter().map(|answer| plain(said(answer))).collect()
    }

    fn ours(&self, world: World, directory: &Path) -> Vec<String> {
        let builder = Engine::builder().world(world.clone()).item(&HOSTS);
        let config = self.config(directory);
        let name = config.as_os_str().as_encoded_bytes();
        let config = Config::read(name, Macros::default(), &world, builder.registry());
        let engine = config.expect("a configuration").build(builder);
        let mut ours = Ours::with_engine(engine);
        if let Some(client) = &self.client {
            ours.set("sender_host_address", client);
        }
        let lines = self.cases.iter().map(|(asked, _)| match asked {
            Asked::Line(line) => with_events(line, directory),
            Asked::Hosts(list) => format!("${{hosts{{{list}}}}}"),
        });
        let answer = |line: String| show(&ours.answer(line.as_bytes()));
        let plain = |text: String| {
            let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"");
            text.replace("\\\\", "\\").replace("\\'", "'")
        };
        lines.map(answer).map(plain).collect()
    }

    fn recorded(&self) -> Vec<String> {
        self.cases.iter().map(|(_, answer)| answer.clone()).collect()
    }

    fn compare(&self, wanted: &[String], said: &[String], wrong: &mut Vec<String>) {
        assert_eq!(wanted.len(), said.len(), "{}", self.title());
        for (((asked, _), wanted), said) in self.cases.iter().zip(wanted).zip(said) {
            let (Asked::Line(text) | Asked::Hosts(text)) = asked;
            if wanted != said {
                wrong.push(format!(
                    "{} {text}\n    exim     {wanted:?}\n    eximious {said:?}",
                    self.title()
                ));
            }
        }
    }

    fn answer_lines(answer: &str) -> Vec<&str> {
        answer.split('\n').collect()
    }
}

/// A text that notes events in a file (`RECORD`), shows (`EVENTS`) and forgets
/// them (`FRESH`).
fn with_events(text: &str, directory: &Path) -> String {
    let file = directory.join("events").display().to_string();
    let record = format!("${{run{{/bin/sh -c \"echo '<$event_name=$event_data>' >>{file}\"}}}}");
    let events = format!("${{if exists{{{file}}}{{${{readfile{{{file}}}{{}}}}}}}}");
    let fresh = format!("${{run{{/bin/rm -f {file}}}}}");
    text.replace("RECORD", &record).replace("EVENTS", &events).replace("FRESH", &fresh)
}

/// `${hosts{list}}`: whether the client is in a list, which is not expanded
/// before.
static HOSTS: Item = Item {
    meta: Meta::new("hosts", Effects::DNS, TaintRule::Clean),
    shape: ItemShape::Braces { min: 1, max: 1 },
    run: ItemRun::Lazy(hosts),
};

fn hosts(call: &mut Call<'_>) -> Result<Str, Fail> {
    let list = Str::from(call.raw(0).unwrap_or_default());
    let address = call.variable("sender_host_address")?;
    let address = ip::address(address.bytes()).map(|ip| (address, ip));
    let outcome = Matcher::host(address, &mut SendingHost).test_written(call, &list)?;
    Ok(Str::fixed(match outcome {
        ListOutcome::Matched(_) => "yes",
        ListOutcome::Unmatched(_) => "no",
        ListOutcome::Deferred(_) => "later",
    }))
}

#[test]
fn recorded_answers_hold() {
    let Some((_server, real)) = names::real(&root().join("tests/data/dns")) else { return };
    let at = names::play((Ipv4Addr::LOCALHOST, 0).into(), real);
    let directory = TempDir::new().expect("a directory");
    let mut wrong = Vec::new();
    let mut total = 0;
    for group in groups() {
        let dns = Arc::new(Tabled(eximious_world::Resolver::of([at])));
        let said = group.ours(World { dns, ..eximious_world::system() }, directory.path());
        let wanted = group.recorded();
        total += wanted.len();
        group.compare(&wanted, &said, &mut wrong);
    }
    assert!(total > 200, "{total} answers are recorded");
    assert!(wrong.is_empty(), "{} of {total} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The table of hosts that Exim has where it is asked.
const TABLE: &str = "127.0.0.1 localhost\n192.0.2.139 table.example intable\n";

/// A name server, and that table.
struct Tabled(eximious_world::Resolver);

impl Tabled {
    fn lines() -> impl Iterator<Item = (IpAddr, Vec<String>)> {
        TABLE.lines().map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let address = words.next().and_then(|word| word.parse().ok());
            (address.expect("an address"), words.collect())
        })
    }
}

impl Dns for Tabled {
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        self.0.query(name, kind, options)
    }
    fn table_addresses(&self, host: &str) -> Vec<IpAddr> {
        let has = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(host));
        Self::lines().filter(|(_, names)| has(names)).map(|(address, _)| address).collect()
    }
    fn table_names(&self, address: IpAddr) -> Vec<String> {
        Self::lines().filter(|(own, _)| *own == address).flat_map(|(_, names)| names).collect()
    }
}

/// Starts this program again where it has a network of its own: Exim asks at
/// port 53.
#[test]
fn exim_says_the_same() {
    if Reference::find().is_none() || eximious_tests::servers::program("nsd").is_none() {
        return;
    }
    network::run("dns::inside", "");
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
    let resolver = "nameserver 127.0.0.1\noptions trust-ad timeout:1\n";
    network::set_up(directory.path(), &[("/etc/resolv.conf", resolver), ("/etc/hosts", TABLE)]);
    let Some((_server, real)) = names::real(&root().join("tests/data/dns")) else { return };
    names::play(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)), real);
    recorded::hold(&groups(), &file(), &reference, directory.path());
}
