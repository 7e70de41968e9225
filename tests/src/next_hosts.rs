//! The next hosts of a case: who they are, and what each says in which run.

use std::collections::BTreeMap;

use crate::next_host::{Answers, NextHost};

/// The host that is always there.
const FIRST: &str = "127.0.0.1";

/// One thing that a host says.
#[derive(Clone, Debug)]
pub struct Line {
    /// In which run it begins to say it, from 0 on.
    from: usize,
    /// Its address.
    host: String,
    /// What it is asked, and what it says (see `next_host`).
    answer: (String, String),
}

impl Line {
    /// Reads `WHAT=ANSWER` or `127.0.0.N WHAT=ANSWER`.
    pub fn read(from: usize, text: &str) -> Option<Self> {
        let (host, answer) = match text.split_once(' ') {
            Some((host, answer)) if host.starts_with("127.") => (host, answer),
            _ => (FIRST, text),
        };
        let (what, answer) = answer.split_once('=')?;
        Some(Self { from, host: host.to_owned(), answer: (what.to_owned(), answer.to_owned()) })
    }

    /// What it is asked, and what it says.
    pub fn answer(&self) -> (String, String) {
        self.answer.clone()
    }
}

/// The hosts, all at one port. Each is there from the run on in which it says something.
#[derive(Debug)]
pub struct NextHosts {
    hosts: BTreeMap<String, NextHost>,
    lines: Vec<Line>,
}

impl NextHosts {
    /// Those of the first run.
    pub fn start(lines: Vec<Line>) -> Self {
        let first = NextHost::start(answers(&lines, FIRST, 0));
        let mut all = Self { hosts: BTreeMap::from([(FIRST.to_owned(), first)]), lines };
        all.turn_to(0);
        all
    }

    /// Those of a later run.
    pub fn turn_to(&mut self, run: usize) {
        let port = self.first().port();
        for line in self.lines.iter().filter(|line| line.from == run) {
            let says = answers(&self.lines, &line.host, run);
            match self.hosts.get(&line.host) {
                Some(host) => host.say(says),
                None => {
                    let host = NextHost::start_at(&format!("{}:{port}", line.host), says);
                    self.hosts.insert(line.host.clone(), host);
                }
            }
        }
    }

    /// The one that is always there.
    pub fn first(&self) -> &NextHost {
        &self.hosts[FIRST]
    }

    /// What each heard, with what it is called.
    pub fn heard(&self) -> impl Iterator<Item = (String, String)> {
        let name = |address: &str| match address {
            FIRST => "next host".to_owned(),
            other => format!("next host {other}"),
        };
        self.hosts.iter().map(move |(address, host)| (name(address), host.heard().join("\n")))
    }
}

/// What a host says in a run: the latest is what holds.
fn answers(lines: &[Line], host: &str, run: usize) -> Answers {
    let own = lines.iter().filter(|line| line.host == host && line.from <= run);
    let mut own: Vec<&Line> = own.collect();
    own.sort_by_key(|line| std::cmp::Reverse(line.from));
    own.into_iter().map(Line::answer).collect()
}
