//! The DNS: questions to the system's name servers, or to an embedder's.
//!
//! `hickory-resolver` reads the system's settings, and the part of it that is
//! `hickory-proto` the messages. The questions are sent from here: its own
//! resolver shows neither the AD nor the AA bit of an answer, asks with neither
//! DO nor AD unless it validates itself, and orders servers by their speed. Exim
//! depends on the bits and on what the C library does with servers that fail.

mod config;
mod exchange;
mod message;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eximious_core::world::{Dns, DnsAnswer, DnsError, DnsOptions, domain};

use config::{Config, Source};
use exchange::Asked;
use message::{Code, Question, Reply};

/// How often a question is asked at the most, whatever options say.
const MOST_TRIES: u32 = 100;

/// How many questions are asked side by side.
const MOST_AT_ONCE: usize = 16;

/// A client of name servers.
///
/// ```
/// use eximious_core::World;
/// use eximious_world::Resolver;
/// use std::sync::Arc;
/// let server = "127.0.0.1:5353".parse().unwrap();
/// let world = World { dns: Arc::new(Resolver::of([server])), ..World::hermetic() };
/// ```
#[derive(Debug)]
pub struct Resolver {
    source: Mutex<Source>,
    /// The server that is asked first, where they take turns (`rotate`).
    turn: AtomicUsize,
}

impl Resolver {
    /// Asks the servers that `/etc/resolv.conf` names, as the C library does;
    /// the file is read again when it changes. The variable of the environment
    /// `EXIMIOUS_DNS` names other servers: addresses with ports, commas between them; the
    /// file's `search` and `options` hold for them, too. It does not count where the program has other rights than its caller, who has set it.
    pub fn system() -> Self {
        let trusted = !crate::rights::caller().is_lent_rights;
        let named = std::env::var("EXIMIOUS_DNS").ok().filter(|_| trusted).unwrap_or_default();
        let servers: Vec<SocketAddr> = named.split(',').filter_map(config::server).collect();
        Self::with(Source::system(servers))
    }

    /// Asks these servers, the first one first.
    pub fn of(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self::with(Source::Fixed(Config::of(servers).into()))
    }

    fn with(source: Source) -> Self {
        Self { source: Mutex::new(source), turn: AtomicUsize::new(0) }
    }

    fn config(&self) -> std::sync::Arc<Config> {
        self.source.lock().unwrap_or_else(std::sync::PoisonError::into_inner).current()
    }

    /// Asks for one name, without completing it. `begun` says that the first server has
    /// been asked, and has no answer.
    fn ask(
        &self,
        config: &Config,
        name: &str,
        kind: u16,
        options: &DnsOptions,
        begun: bool,
    ) -> Result<DnsAnswer, DnsError> {
        let question = question(config, name, kind, options)?;
        answer(name, self.send(config, &question, options, begun).map_err(DnsError::Again)?)
    }

    /// Asks the first server several things, each for one name, by datagrams; what has no
    /// answer of use has to be asked alone.
    fn ask_all(
        &self,
        config: &Config,
        questions: &[(String, u16)],
        options: &DnsOptions,
    ) -> Vec<First> {
        let nothing = || questions.iter().map(|_| First::NotAsked).collect();
        if config.use_tcp || config.servers.is_empty() {
            return nothing();
        }
        let as_it_is =
            |name: &str| matches!(&config.candidates(name, options)[..], [one] if one == name);
        let asked: Option<Vec<Question>> = questions
            .iter()
            .map(|(name, kind)| {
                question(config, name, *kind, options).ok().filter(|_| as_it_is(name))
            })
            .collect();
        let Some(asked) = asked else { return nothing() };
        let first = if config.rotate { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let server = config.servers[first % config.servers.len()];
        let within = options.retransmit.unwrap_or(config.timeout);
        // Where there is another server, it is its turn then.
        let is_only = config.servers.len() == 1;
        let times = if is_only { tries(config, options) } else { 1 };
        let replies = exchange::ask_all(server, &asked, within, times);
        let named = replies.into_iter().zip(questions);
        named
            .map(|(reply, (name, _))| match reply {
                Some(reply) if reply.truncated => First::NotAsked,
                Some(Reply { code: Code::Other(code), .. }) if message::passes_on(code) => {
                    First::Nothing
                }
                Some(reply) => First::Answer(answer(name, reply)),
                None if times > 1 => First::Answer(Err(DnsError::Again(no_answer()))),
                None => First::Nothing,
            })
            .collect()
    }

    /// Sends a question to one server after the other, as often as it may be
    /// asked. Servers that can't or won't answer are passed over, and so is the first one,
    /// once, where all was begun with it.
    fn send(
        &self,
        config: &Config,
        question: &Question,
        options: &DnsOptions,
        begun: bool,
    ) -> Result<Reply, String> {
        let count = config.servers.len();
        let first = if config.rotate { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let patience = options.retransmit.unwrap_or(config.timeout);
        let mut failure = match begun {
            true => no_answer(),
            false => String::from("no server"),
        };
        let server = |index| config.servers[(first + index) % count];
        let mut servers: Vec<Asked> = (0..count).map(server).map(Asked::new).collect();
        for number in 0..tries(config, options) {
            let skipped = usize::from(begun && number == 0);
            for (index, server) in servers.iter_mut().enumerate().skip(skipped) {
                let within = patience_with(patience, index, count);
                match server.ask(question, within, config.use_tcp) {
                    Ok(Reply { code: Code::Other(code), .. }) if message::passes_on(code) => {
                        failure = message::words(code);
                    }
                    Ok(reply) => return Ok(reply),
                    Err(error) => failure = error.to_string(),
                }
            }
        }
        Err(failure)
    }
}

/// How many times each server is asked.
fn tries(config: &Config, options: &DnsOptions) -> usize {
    options.retries.unwrap_or(config.attempts).clamp(1, MOST_TRIES) as usize
}

fn no_answer() -> String {
    io::Error::from(io::ErrorKind::TimedOut).to_string()
}

/// What the first server says when it is asked several things at once.
enum First {
    /// The answer.
    Answer(Result<DnsAnswer, DnsError>),
    /// There is none.
    Nothing,
    /// It has to be asked in another way.
    NotAsked,
}

fn question(
    config: &Config,
    name: &str,
    kind: u16,
    options: &DnsOptions,
) -> Result<Question, DnsError> {
    let labels = domain::labels(name);
    labels
        .and_then(|labels| Question::new(&labels, kind, config.trust_ad, options))
        .ok_or_else(|| DnsError::Again("it is no name".into()))
}

fn answer(name: &str, reply: Reply) -> Result<DnsAnswer, DnsError> {
    match reply.code {
        Code::Fine if reply.empty => Err(DnsError::NoData(reply.standing)),
        Code::Fine => Ok(DnsAnswer {
            name: name.strip_suffix('.').unwrap_or(name).to_owned(),
            records: reply.records,
            additional: reply.additional,
            standing: reply.standing,
        }),
        Code::NoName => Err(DnsError::NoName(reply.standing)),
        Code::Other(code) => Err(DnsError::Again(message::words(code))),
    }
}

/// How long the C library waits for the server at an index: each twice as long
/// as the one before, but together not much longer than alone.
fn patience_with(patience: Duration, index: usize, count: usize) -> Duration {
    if index == 0 {
        return patience;
    }
    let doubled = patience.saturating_mul(1 << index.min(8));
    (doubled / count.clamp(1, 100) as u32).max(Duration::from_secs(1))
}

impl Dns for Resolver {
    fn query(&self, name: &str, kind: u16, options: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        let config = self.config();
        let candidates = config.candidates(name, options);
        DnsAnswer::first(name, candidates, |candidate| {
            self.ask(&config, candidate, kind, options, false)
        })
    }

    fn query_all(
        &self,
        questions: &[(String, u16)],
        options: &DnsOptions,
    ) -> Vec<Result<DnsAnswer, DnsError>> {
        if questions.len() > MOST_AT_ONCE {
            let (now, then) = questions.split_at(MOST_AT_ONCE);
            return [self.query_all(now, options), self.query_all(then, options)].concat();
        }
        let config = &*self.config();
        let alone = |(name, kind): &(String, u16), begun| match begun {
            true => self.ask(config, name, *kind, options, true),
            false => self.query(name, *kind, options),
        };
        let (first, alone) = (self.ask_all(config, questions, options), &alone);
        // Those that are left go on side by side, each from server to server.
        std::thread::scope(|scope| {
            let goes_on = |question, first| {
                let begun = matches!(first, First::Nothing);
                let start =
                    std::thread::Builder::new().spawn_scoped(scope, move || alone(question, begun));
                (question, begun, start)
            };
            let started: Vec<_> = questions
                .iter()
                .zip(first)
                .map(|(question, first)| match first {
                    First::Answer(answer) => Ok(answer),
                    first => Err(goes_on(question, first)),
                })
                .collect();
            let lost = || Err(DnsError::Again("the question came to nothing".into()));
            let ended = started.into_iter().map(|one| match one {
                Ok(answer) => answer,
                Err((_, _, Ok(thread))) => thread.join().unwrap_or_else(|_| lost()),
                // The system has no thread left.
                Err((question, begun, Err(_))) => alone(question, begun),
            });
            ended.collect()
        })
    }

    fn table_addresses(&self, host: &str) -> Vec<IpAddr> {
        config::table().addresses(host)
    }

    fn table_names(&self, address: IpAddr) -> Vec<String> {
        config::table().names(address)
    }
}

#[cfg(test)]
mod tests;
