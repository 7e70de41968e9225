//! `-bt`, `-bv`, `-bvs`: where an address goes (specification 5.2).

mod crowd;

use std::io;
use std::process::ExitCode;
use std::thread;

use eximious::route::{
    Address, Delivery, DeliveryTarget, Duplicates, Purpose, Report, Request, RouteError, RouteHost,
    Routes, Standing, Wrong,
};
use eximious::{Config, Context, Str, var};

use crate::caller;
use crate::input::Lines;
use crate::output::Output;
use crate::session::{Session, Setup};
use crowd::Crowd;

/// How many bytes are said of most addresses, at the most.
const USUAL: usize = 256;

/// `-bt`, `-bv`, `-bvs`: it is to be said where addresses go.
#[derive(Debug)]
pub struct RouteRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// What addresses are looked at for.
    pub purpose: Purpose,
    /// The addresses; with none, those of the standard input.
    pub addresses: Vec<Vec<u8>>,
}

/// What is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// What addresses are looked at for.
    pub purpose: Purpose,
    /// Whether everything is shown (`-bt`, `-v`).
    pub whole: bool,
}

/// Looks at the addresses that are typed, or at those of the standard input.
///
/// # Errors
/// The output can't be written, or the input not be read.
pub fn run(
    session: &mut Session,
    wanted: Wanted,
    typed: &[Vec<u8>],
    output: &Output,
) -> io::Result<ExitCode> {
    let (config, cx) = session.parts();
    let none = Config::default();
    let config = config.unwrap_or(&none);
    let engine = cx.engine().clone();
    let routes = Routes::new(config, engine.registry(), engine.world());
    let mut told = Told { output, duplicates: Duplicates::default(), worst: Standing::Fine };
    let gives_reasons = !caller::is_told_little(engine.settings(), engine.world());
    let tester = Tester { routes, wanted, gives_reasons };
    for text in typed {
        // One argument may hold several addresses.
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let end = eximious::stdlib::address::find_end(rest, false);
            told.tell(&tester.address(cx, trimmed(&rest[..end])), b"")?;
            rest = rest[end..].strip_prefix(b",").unwrap_or(&rest[end..]);
        }
    }
    if typed.is_empty() {
        thread::scope(|scope| -> io::Result<()> {
            let mut crowd = Crowd::new(&tester, cx, scope);
            let mut lines = Lines::new(io::stdin().lock());
            output.put(b"> ", b"")?;
            loop {
                let ready = lines.ready();
                let mut pause = || {
                    crowd.work(&mut told)?;
                    output.flush()
                };
                let Some(line) = lines.next(&mut pause)? else { break };
                crowd.add(line.trim_ascii_end(), ready, &mut told)?;
            }
            crowd.work(&mut told)
        })?;
        output.put(b"\n", b"")?;
    }
    output.flush()?;
    Ok(ExitCode::from(match told.worst {
        Standing::Fine => 0,
        Standing::Deferred => 1,
        Standing::Failed => 2,
    }))
}

/// What is to be said of an address.
struct Said {
    text: Vec<u8>,
    /// The deliveries in it: what each is known by, and where it is said in the text
    /// that it is a duplicate.
    deliveries: Vec<(usize, Str)>,
    standing: Standing,
}

/// What was said of the addresses so far.
struct Told<'o> {
    output: &'o Output,
    duplicates: Duplicates,
    worst: Standing,
}

impl Told<'_> {
    fn tell(&mut self, said: &Said, end: &[u8]) -> io::Result<()> {
        self.worst = self.worst.max(said.standing);
        let mut from = 0;
        for (place, unique) in &said.deliveries {
            if self.duplicates.is_one(unique) {
                let text = b"   [duplicate, would not be delivered]";
                self.output.put(&said.text[from..*place], text)?;
                from = *place;
            }
        }
        self.output.put(&said.text[from..], end)
    }
}

/// What was typed without the white space behind it, but for what a backslash makes a part
/// of it.
fn trimmed(typed: &[u8]) -> &[u8] {
    let text = typed.trim_ascii_end();
    let escapes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
    let blank = usize::from(escapes % 2 == 1 && text.len() < typed.len());
    &typed[..text.len() + blank]
}

struct Tester {
    routes: Routes,
    wanted: Wanted,
    /// Whether who asks is told why an address is not one: that may quote what a site keeps
    /// to itself.
    gives_reasons: bool,
}

impl Tester {
    fn address(&self, cx: &mut Context, typed: &[u8]) -> Said {
        let Wanted { purpose, whole } = self.wanted;
        let mut said = Said {
            text: Vec::with_capacity(USUAL),
            deliveries: Vec::new(),
            standing: Standing::Fine,
        };
        let (address, typed) = match self.routes.read(cx, typed, purpose) {
            Ok((address, typed, rewritten)) => {
                if rewritten {
                    said.line(&[b"Address rewritten as: ", address.bytes()]);
                }
                (address, typed)
            }
            Err(why) => {
                said.line(&[b"syntax error: ", &why]);
                said.standing = Standing::Failed;
                return said;
            }
        };
        let shown = address.clone();
        match purpose {
            Purpose::VerifySender => cx.set_var(var::SENDER_ADDRESS, address.clone()),
            // Whoever only looks routes as for a recipient.
            Purpose::Test => {
                cx.set_var(var::VERIFY_MODE, Str::fixed("R"));
                let sender = cx.value_of(var::SENDER_ADDRESS);
                cx.set_var(var::RETURN_PATH, sender);
            }
            _ => {}
        }
        let request = Request { typed, whole, ..Request::new(address, purpose) };
        let mut printer = Printer {
            routes: &self.routes,
            whole,
            test: purpose == Purpose::Test,
            gives_reasons: self.gives_reasons,
            shown: &shown,
            out: &mut said.text,
            deliveries: &mut said.deliveries,
        };
        said.standing = self.routes.test(cx, &request, &mut |report| printer.print(report));
        // A sender of whom rules have made nobody is neither.
        if said.standing == Standing::Fine && !whole && !shown.is_empty() {
            said.line(&[shown.bytes(), b" verified"]);
        }
        said
    }
}

impl Said {
    fn line(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.text.extend_from_slice(part));
        self.text.push(b'\n');
    }
}

struct Printer<'p> {
    routes: &'p Routes,
    whole: bool,
    test: bool,
    gives_reasons: bool,
    /// The address that was asked for: a short answer names it.
    shown: &'p Str,
    out: &'p mut Vec<u8>,
    deliveries: &'p mut Vec<(usize, Str)>,
}

impl Printer<'_> {
    fn print(&mut self, report: &Report<'_>) {
        match report {
            Report::Failed(address, error) => {
                let what = if self.test { " is undeliverable" } else { " failed to verify" };
                self.error(address, error, what);
            }
            Report::Deferred(address, error) => {
                self.error(address, error, " cannot be resolved at this time");
            }
            _ if !self.whole => {}
            Report::Discarded(address) => {
                self.put(&[b"mail to ", address.text.bytes(), b" is discarded\n"]);
            }
            Report::Divided(_) => {}
            Report::Direct(delivery) => self.direct(delivery),
            Report::Delivered(delivery) => self.delivery(delivery),
        }
    }

    fn error(&mut self, address: &Address, error: &RouteError, what: &str) {
        let text = if self.whole { &address.text } else { self.shown };
        self.put(&[text.bytes(), what.as_bytes()]);
        if let Some(message) = error.shown().filter(|_| self.gives_reasons) {
            self.put(&[b": ", message]);
        }
        self.put(&[b"\n"]);
        if self.whole {
            self.ancestors(address);
        }
    }

    fn ancestors(&mut self, address: &Address) {
        for one in address.ancestors() {
            self.out.extend_from_slice(&[b"    <-- ", one.text.bytes(), b"\n"].concat());
        }
    }

    fn direct(&mut self, delivery: &Delivery) {
        let parent = delivery.address.parent.as_deref();
        let parent = parent.map(|one| one.text.bytes()).unwrap_or_default();
        let text = delivery.address.text.bytes();
        // A message of a filter's is known by whom it goes to.
        let (kind, text): (&[u8], _) = match (&delivery.target, text.strip_prefix(b">")) {
            (DeliveryTarget::Reply(_) | DeliveryTarget::Notice(_), Some(to)) => (b"mail ", to),
            _ => (b"", text),
        };
        self.put(&[parent, b" -> ", kind, text]);
        match &delivery.wrong {
            Some(Wrong::Forbidden(_)) => return self.put(&[b" *** forbidden ***\n"]),
            Some(Wrong::Transport(why)) => {
                let head = b"\n*** Error in setting up pipe, file, or autoreply:\n";
                return self.put(&[head, why, b"\n"]);
            }
            None => self.put(&[b"\n"]),
        }
        if let Some(transport) = delivery.transport {
            let name = self.routes.transport_name(transport).clone();
            self.put(&[b"  transport = ", name.bytes(), b"\n"]);
        }
    }

    fn delivery(&mut self, delivery: &Delivery) {
        debug_assert_eq!(delivery.target, DeliveryTarget::Address);
        self.put(&[delivery.address.text.bytes()]);
        self.deliveries.push((self.out.len(), delivery.address.unique.clone()));
        self.put(&[b"\n"]);
        self.ancestors(&delivery.address);
        let router = self.routes.router_name(delivery.router).clone();
        self.put(&[b"  router = ", router.bytes(), b", transport = "]);
        match delivery.transport {
            Some(transport) => {
                let name = self.routes.transport_name(transport).clone();
                self.put(&[name.bytes(), b"\n"]);
            }
            None => self.put(&[b"unset\n"]),
        }
        let sought = delivery.transport.is_none_or(|number| self.routes.is_remote(number));
        if delivery.transport.is_some_and(|number| !self.routes.overrides_hosts(number)) {
            self.hosts(&delivery.hosts, sought);
        }
    }

    /// A line for each host, in columns. For a local transport, nobody looks for
    /// their addresses.
    fn hosts(&mut self, hosts: &[RouteHost], sought: bool) {
        let addresses: Vec<String> = hosts
            .iter()
            .map(|host| match host.address {
                Some(address) => format!("[{address}]"),
                None if sought => "[unknown]".to_owned(),
                None => " ".repeat("[unknown]".len()),
            })
            .collect();
        let names = hosts.iter().map(|host| host.name.len()).max().unwrap_or(0);
        let widest = addresses.iter().map(String::len).max().unwrap_or(0);
        for (host, address) in hosts.iter().zip(&addresses) {
            let mut line = format!("  host {:names$} {address:widest$}", host.name);
            if let Some(mx) = host.mx {
                line.push_str(&format!(" MX={mx}"));
            }
            if let Some(port) = host.port {
                line.push_str(&format!(" port={port}"));
            }
            if host.address.is_none() && (sought || host.mx.is_some()) {
                line.push_str(" ** unusable **");
            }
            line.push('\n');
            self.put(&[line.as_bytes()]);
        }
    }

    fn put(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
    }
}
