//! Hunts for faults: questions that nobody would ask, made from a seed, put to a real Exim
//! and to eximious. Each is written as a case of the tests is, so that a find can go
//! into a file of cases as it stands; it is made smaller before it is shown.
//!
//! ```text
//! cargo xtask hunt acl --seed 7 --count 100
//! ```
//!
//! The first question is made from the seed, the next from the seed that follows. What
//! is known to differ (`known-differences.txt` beside the cases) is found, too.

mod acls;
mod addresses;
mod ages;
mod aliases;
mod auths;
mod callouts;
mod commands;
mod databases;
mod datas;
mod deliveries;
mod dns;
mod events;
mod expressions;
mod filters;
mod hosts;
mod layouts;
mod lists;
mod logs;
mod lookups;
mod mimes;
mod mistakes;
mod patterns;
mod proxies;
mod queues;
mod rates;
mod reports;
mod rewrites;
mod routers;
mod scans;
mod sequences;
mod sessions;
mod sieves;
mod signatures;
mod submissions;
mod texts;
mod tls;
mod transports;

pub use patterns::pattern as random_pattern;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

use fastrand::Rng;
use regex::Regex;

use crate::cases::changes;
use crate::servers::Server;
use crate::{daemons, dialogues, filters as filter_cases, routing, submission};

/// How many tries a find is worth that is made smaller.
const TRIES: usize = 150;

/// What is hunted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// ACLs of all phases, in sessions (`-bh`).
    Acl,
    /// Addresses as they may be written (`-bt`, `-bv`).
    Address,
    /// Messages that grow old.
    Age,
    /// Alias files (`-bt`, `-bv`).
    Alias,
    /// Who clients say they are, of servers and of clients.
    Auth,
    /// Callouts, what is remembered of them, and messages that are cut through.
    Callout,
    /// Command lines.
    Command,
    /// Messages as nobody should write them, and how they are received.
    Data,
    /// Databases and directories (`-be`, `-bt`, `-bh`), and outside programs that are asked.
    Database,
    /// Lists within lists, over several attempts at their delivery.
    Delivery,
    /// The DNS: look-ups, lists that are asked, names of clients, policies, routers.
    Dns,
    /// Events of deliveries.
    Event,
    /// Expansions (`-be`).
    Expr,
    /// Filters of users and of the system, and in Sieve (`-bf`, `-bF`).
    Filter,
    /// Hosts that go wrong, over several attempts at a delivery.
    Host,
    /// Ways to write down a configuration (`-bP`).
    Layout,
    /// Lists of domains, hosts, addresses and local parts (`-be`).
    List,
    /// What is logged, by every choice of `log_selector`.
    Log,
    /// Messages with parts, and ACLs that look at each of them.
    Mime,
    /// Lookups in files (`-be`, `-bt`, `-bh`).
    Lookup,
    /// Mistakes in configurations (`-bP`).
    Mistake,
    /// Regular expressions (`-be`), asked of both engines.
    Pattern,
    /// Headers of the PROXY protocol (`-bh`).
    Proxy,
    /// The queue of several messages, and who is looked at.
    Queue,
    /// How fast clients send (`ratelimit`).
    Rate,
    /// What senders ask to hear of their messages, and what they are told.
    Report,
    /// Rules of rewriting: of addresses (`-brw`) and of messages.
    Rewrite,
    /// Chains of routers (`-bt`, `-bv`).
    Router,
    /// Scanners for malware and spam, and what they answer.
    Scan,
    /// Sites whose aliases and hosts change from attempt to attempt.
    Sequence,
    /// Sessions of SMTP (`-bh`).
    Session,
    /// Signatures of DKIM, as they leave and as they come in.
    Signature,
    /// Messages that local programs hand in.
    Submission,
    /// TLS, of servers and of clients.
    Tls,
    /// Local transports, over several attempts at a delivery.
    Transport,
}

impl Kind {
    /// All of them, with their names.
    pub const ALL: [(&str, Self); 35] = [
        ("acl", Self::Acl),
        ("address", Self::Address),
        ("age", Self::Age),
        ("alias", Self::Alias),
        ("auth", Self::Auth),
        ("callout", Self::Callout),
        ("command", Self::Command),
        ("data", Self::Data),
        ("database", Self::Database),
        ("delivery", Self::Delivery),
        ("dns", Self::Dns),
        ("event", Self::Event),
        ("expr", Self::Expr),
        ("filter", Self::Filter),
        ("host", Self::Host),
        ("layout", Self::Layout),
        ("list", Self::List),
        ("log", Self::Log),
        ("mime", Self::Mime),
        ("lookup", Self::Lookup),
        ("mistake", Self::Mistake),
        ("patterns", Self::Pattern),
        ("proxy", Self::Proxy),
        ("queue", Self::Queue),
        ("rate", Self::Rate),
        ("report", Self::Report),
        ("rewrite", Self::Rewrite),
        ("router", Self::Router),
        ("scan", Self::Scan),
        ("sequence", Self::Sequence),
        ("session", Self::Session),
        ("signature", Self::Signature),
        ("submission", Self::Submission),
        ("tls", Self::Tls),
        ("transport", Self::Transport),
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Makes a network of this program's own the one that questions of this kind are asked in,
    /// with its servers; nothing where one of those is not installed.
    pub fn set_up(self) -> Option<Vec<Server>> {
        match self {
            Self::Database => databases::set_up(),
            Self::Dns => Some(vec![dns::set_up()?]),
            Self::Router => Some(vec![routing::set_up()?]),
            _ => Some(vec![dialogues::set_up()?]),
        }
    }

    fn make(self, rng: &mut Rng) -> Quarry {
        match self {
            Self::Acl => acls::make(rng),
            Self::Address => addresses::make(rng),
            Self::Age => ages::make(rng),
            Self::Alias => aliases::make(rng),
            Self::Auth => auths::make(rng),
            Self::Callout => callouts::make(rng),
            Self::Command => commands::make(rng),
            Self::Data => datas::make(rng),
            Self::Database => databases::make(rng),
            Self::Delivery => deliveries::make(rng),
            Self::Dns => dns::make(rng),
            Self::Event => events::make(rng),
            Self::Expr => expressions::make(rng),
            Self::Filter => filters::make(rng),
            Self::Host => hosts::make(rng),
            Self::Layout => layouts::make(rng),
            Self::List => lists::make(rng),
            Self::Log => logs::make(rng),
            Self::Lookup => lookups::make(rng),
            Self::Mime => mimes::make(rng),
            Self::Mistake => mistakes::make(rng),
            Self::Pattern => patterns::make(rng),
            Self::Proxy => proxies::make(rng),
            Self::Queue => queues::make(rng),
            Self::Rate => rates::make(rng),
            Self::Report => reports::make(rng),
            Self::Rewrite => rewrites::make(rng),
            Self::Router => routers::make(rng),
            Self::Scan => scans::make(rng),
            Self::Sequence => sequences::make(rng),
            Self::Session => sessions::make(rng),
            Self::Signature => signatures::make(rng),
            Self::Submission => submissions::make(rng),
            Self::Tls => tls::make(rng),
            Self::Transport => transports::make(rng),
        }
    }
}

/// The question that a seed makes: the text of a case.
pub fn question(kind: Kind, seed: u64) -> String {
    kind.make(&mut Rng::with_seed(seed)).text()
}

/// Whether messages are handed in for what a seed asks (see [`submission::lacking`]).
pub fn hands_in(kind: Kind, seed: u64) -> bool {
    kind.make(&mut Rng::with_seed(seed)).form == Form::Submission
}

/// Whether the real one takes the configuration of what a seed asks: otherwise nothing is asked.
pub fn is_heard(kind: Kind, seed: u64, exim: &Path) -> bool {
    let answers = kind.make(&mut Rng::with_seed(seed)).answers(exim, true);
    !answers.iter().any(|line| line.contains("Exim configuration error"))
}

/// Evens out the lines of an answer.
type Evening = fn(Vec<String>) -> Vec<String>;

/// What evens out answers, where a question has a word in it.
const EVENED: [(&str, Evening); 6] = [
    ("tls", tls::unlettered),
    ("begin authenticators", auths::hushed),
    ("names.test", dns::settled),
    ("callout_random_local_part", callouts::settled),
    ("f-protd", scans::settled),
    (r"N^rw@me\.test$\N", sessions::settled),
];

/// The sort of case that a question is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Daemon,
    Database,
    Dialogue,
    Expression,
    Filter,
    Lookup,
    Pattern,
    Routing,
    Submission,
}

/// A question: the text of a case, in lines.
#[derive(Clone, Debug)]
struct Quarry {
    form: Form,
    lines: Vec<Line>,
}

/// Lines of a case that belong together.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    /// Whether the rest is a case without it.
    may_go: bool,
}

impl Quarry {
    fn new(form: Form) -> Self {
        Self { form, lines: Vec::new() }
    }

    /// Adds what has to be there.
    fn fixed(&mut self, text: impl Into<String>) -> &mut Self {
        self.lines.push(Line { text: text.into(), may_go: false });
        self
    }

    /// Adds what can go.
    fn loose(&mut self, text: impl Into<String>) -> &mut Self {
        self.lines.push(Line { text: text.into(), may_go: true });
        self
    }

    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    /// What eximious says otherwise (`+`) than the real one (`-`).
    fn difference(&self, programs: &Programs<'_>) -> Vec<String> {
        let text = self.text();
        match self.form {
            Form::Database => return databases::difference(&text, programs),
            Form::Expression => return expressions::difference(&text),
            Form::Lookup => return lookups::difference(&text, programs),
            Form::Pattern => return patterns::difference(&text),
            _ => {}
        }
        let ask = |program: &Path, is_real: bool| self.answers(program, is_real);
        // What says when it was made is to be made in the same second.
        if text.contains("dkim_timestamps") {
            signatures::await_second();
        }
        let (theirs, ours): (Vec<String>, Vec<String>) =
            (signatures::unworded(ask(programs.exim, true)), ask(programs.eximious, false));
        let evened = EVENED.iter().filter(|(word, _)| text.contains(word));
        let [theirs, ours] =
            evened.fold([theirs, ours], |answers, (_, evened)| answers.map(evened));
        // Reports have numbers in them, of any length.
        static SIZES: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^( *\d+[mhdw]) +[\d.]+[KM]? (NAME <>)").expect("a pattern")
        });
        static OFFERED: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(\bMAIL FROM:<> SIZE=)\d+").expect("a pattern"));
        static BOUNCED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^((?:NAME => .* T=own|NAME <= <> .*|Received from <> .*) S=)\d+")
                .expect("a pattern")
        });
        let sized = |line: String| {
            let line = SIZES.replace(&line, "$1 SIZE $2").into_owned();
            if self.form != Form::Submission {
                return line;
            }
            // A word that Exim has left from the host before.
            let line = line.replace("pipelined initial", "initial").replace("pipelined EH", "EH");
            let line = OFFERED.replace(&line, "$1SIZE");
            BOUNCED.replace(&line, "$1SIZE").into_owned()
        };
        // What came of itself has a name in the spool that nobody looks for once it is done.
        let is_said = |line: &String| !line.starts_with(r"not for \");
        let [theirs, ours] = [theirs, ours]
            .map(|lines| lines.into_iter().filter(is_said).map(sized).collect::<Vec<String>>());
        // Where the real one dies or hangs, there is nothing to agree with.
        let is_lost = |line: &String| {
            matches!(line.as_str(), "= signal" | "= killed" | "= -1" | "= too long" | "= 124")
        };
        let is_lost = |line: &String| is_lost(line) || line.contains("SIGSEGV");
        if theirs.iter().any(is_lost) {
            return Vec::new();
        }
        let ours = self.as_far_as(&theirs, ours);
        let found = changes(&theirs, &ours);
        found.into_iter().map(|(mark, line)| format!("{mark} {line}")).collect()
    }

    /// What a program answers.
    fn answers(&self, program: &Path, is_real: bool) -> Vec<String> {
        let text = self.text();
        match self.form {
            Form::Daemon => {
                let case = daemons::Case::parse("hunt.case".into(), &text);
                lines_of(&case.play(program).text())
            }
            Form::Dialogue => {
                let case = dialogues::Case::parse(Path::new("hunt.case"), &text);
                let place = case.set_up();
                case.sessions.iter().flat_map(|session| session.play(program, &place)).collect()
            }
            Form::Database => databases::answers(&text, program),
            Form::Expression | Form::Lookup | Form::Pattern => Vec::new(),
            Form::Routing => {
                let case = routing::Case::parse(Path::new("hunt.case"), &text);
                let place = case.set_up();
                let answers = case.questions.iter().map(|one| one.ask(program, &place).recorded());
                lines_of(&answers.collect::<String>())
            }
            Form::Filter => {
                let file = filter_cases::Filters::parse(Path::new("hunt.txt"), &text);
                file.cases.iter().flat_map(|case| lines_of(&case.ask(program))).collect()
            }
            Form::Submission => {
                let case = submission::Case::parse(Path::new("hunt.case"), &text);
                case.runs().flat_map(|run| run.play(program, is_real)).collect()
            }
        }
    }

    /// What eximious says, which is what the real one does where that ends in the middle of its
    /// questions: it does so at a list that can't be read.
    fn as_far_as(&self, theirs: &[String], ours: Vec<String>) -> Vec<String> {
        let said = |lines: &[String]| {
            let mut said: Vec<String> =
                lines.iter().filter(|line| line.starts_with("< ")).cloned().collect();
            said.pop_if(|last| last.trim_end() == "< >");
            said
        };
        let (their_own, own) = (said(theirs), said(&ours));
        let is_unread = |line: &String| {
            line.contains("lookup or other defer") || line.starts_with("< > Failed: ")
        };
        let ends = theirs.iter().any(|line| line == "= 1")
            && own.starts_with(&their_own)
            && own.get(their_own.len()).is_some_and(is_unread);
        match ends && self.form == Form::Routing {
            true => theirs.to_vec(),
            false => ours,
        }
    }

    /// The same find with less around it.
    fn smaller(mut self, found: Vec<String>, programs: &Programs<'_>) -> (Self, Vec<String>) {
        let mut found = found;
        let mut tries = TRIES;
        let mut size = self.lines.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.lines.len() && tries > 0 {
                let end = (at + size).min(self.lines.len());
                let mut next = self.clone();
                let mut index = 0..;
                next.lines.retain(|line| {
                    let own = index.next().unwrap_or(0);
                    !line.may_go || own < at || own >= end
                });
                at = end;
                if next.lines.len() == self.lines.len() {
                    continue;
                }
                tries -= 1;
                let left = next.difference(programs);
                if same(&found, &left) {
                    at -= self.lines.len() - next.lines.len();
                    (self, found) = (next, left);
                }
            }
            size /= 2;
        }
        (self, found)
    }
}

/// Lines of a file as a case may have them: what begins with a sign of a case has a space
/// before it, which is none of Exim's concern.
fn as_text(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let is_sign = line.starts_with(['+', '?', '>', '<', '!', '=', '~', '#', '@', '$']);
        if is_sign { format!(" {line}") } else { line.to_owned() }
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// Whether two differences begin the same way.
fn same(one: &[String], other: &[String]) -> bool {
    !other.is_empty() && one.first() == other.first()
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'p> {
    /// A real Exim.
    pub exim: &'p Path,
    /// eximious.
    pub eximious: &'p Path,
}

/// What was found.
#[derive(Debug)]
pub struct Find {
    /// What it was made from: `--seed` with this and `--count 1` finds it again.
    pub seed: u64,
    /// The case, and how the answers differ.
    pub text: String,
}

/// Asks questions that are made from so many seeds; tells each find when it is there.
pub fn hunt(
    kind: Kind,
    seeds: std::ops::Range<u64>,
    programs: &Programs<'_>,
    tell: impl Fn(&Find) + Sync,
) -> Vec<Find> {
    let (next, finds) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let asks = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let quarry = kind.make(&mut Rng::with_seed(seed));
            let found = quarry.difference(programs);
            if found.is_empty() {
                continue;
            }
            let (quarry, found) = quarry.smaller(found, programs);
            let mut text = quarry.text();
            for line in found {
                writeln!(text, "    {line}").expect("text");
            }
            let find = Find { seed, text };
            tell(&find);
            finds.lock().expect("no other thread failed").push(find);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(asks);
        }
    });
    let mut finds = finds.into_inner().expect("no thread failed");
    finds.sort_by_key(|find| find.seed);
    finds
}
