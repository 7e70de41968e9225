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

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eximious_core::world::{Dns, DnsAnswer, DnsError, DnsOptions, domain};

use config::{Config, Source};
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

    /// Asks for one name, without completing it.
    fn ask(
        &self,
        config: &Config,
        name: &str,
        kind: u16,
        options: &DnsOptions,
    ) -> Result<DnsAnswer, DnsError> {
        let again = |why: String| DnsError::Again(why);
        let labels = domain::labels(name).ok_or_else(|| again("it is no name".into()))?;
        let question = Question::new(&labels, kind, config.trust_ad, options)
            .ok_or_else(|| again("it is no name".into()))?;
        let reply = self.send(config, &question, options).map_err(again)?;
        match reply.code {
            Code::Fine if reply.empty => Err(DnsError::NoData(reply.standing)),
            Code::Fine => Ok(DnsAnswer {
                name: name.strip_suffix('.').unwrap_or(name).to_owned(),
                records: reply.records,
                standing: reply.standing,
            }),
            Code::NoName => Err(DnsError::NoName(reply.standing)),
            Code::Other(code) => Err(again(message::words(code))),
        }
    }

    /// Sends a question to one server after the other, as often as it may be
    /// asked. Servers that can't or won't answer are passed over.
    fn send(
        &self,
        config: &Config,
        question: &Question,
        options: &DnsOptions,
    ) -> Result<Reply, String> {
        let count = config.servers.len();
        let first = if config.rotate { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let tries = options.retries.unwrap_or(config.attempts).clamp(1, MOST_TRIES);
        let patience = options.retransmit.unwrap_or(config.timeout);
        let mut failure = String::from("no server");
        for _ in 0..tries {
            for index in 0..count {
                let server = config.servers[(first + index) % count];
                let within = patience_with(patience, index, count);
                match exchange::ask(server, question, within, config.use_tcp) {
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
        DnsAnswer::first(name, candidates, |candidate| self.ask(&config, candidate, kind, options))
    }

    fn query_all(
        &self,
        questions: &[(String, u16)],
        options: &DnsOptions,
    ) -> Vec<Result<DnsAnswer, DnsError>> {
        let one = &|(name, kind): &(String, u16)| self.query(name, *kind, options);
        let [first, others @ ..] = questions else { return Vec::new() };
        if others.len() >= MOST_AT_ONCE {
            let (now, then) = questions.split_at(MOST_AT_ONCE);
            return [self.query_all(now, options), self.query_all(then, options)].concat();
        }
        std::thread::scope(|scope| {
            let start =
                |question| std::thread::Builder::new().spawn_scoped(scope, move || one(question));
            let started: Vec<_> =
                others.iter().map(|question| (question, start(question))).collect();
            let mut answers = vec![one(first)];
            answers.extend(started.into_iter().map(|(question, thread)| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|_| {
                    Err(DnsError::Again("the question came to nothing".into()))
                }),
                // The system has no thread left.
                Err(_) => one(question),
            }));
            answers
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
