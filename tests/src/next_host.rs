//! A next host for deliveries: it takes messages by SMTP or LMTP as it was told, and
//! remembers what it heard.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::tls::{Wire, Wishes};

/// What it says, by what it is asked: `banner`, `ext` (with commas between the extensions),
/// `mail` (with `%` between the answers to the first, the second, …), `rcpt:PART` (the
/// same, for recipients with that part), `data`, `chunk` (for each but the last), `end` (as
/// `mail`; for LMTP, with `%` between the answers for each recipient), `auth` (with `%` between
/// its questions and the answer), `quit` (which may only be `wait`). `|` begins another line; a
/// reply that is `close` ends the connection, and `wait` says nothing for long. With `show`, which
/// may only be `bytes`, messages are remembered with the ends of their lines, and blanks there.
///
/// With `tls` (`cert=NAME version=1.2 alpn=smtp`, and before it `asks`, for a client's certificate,
/// and `at-once`), it offers STARTTLS, or begins with TLS; what stands behind `tls:` counts under
/// TLS alone. After STARTTLS it does what `handshake` says: `close`, `nonsense`, `then-close`.
pub type Answers = Vec<(String, String)>;

type Turns = Arc<Mutex<BTreeMap<String, usize>>>;

/// A next host, which lives as long as the test.
#[derive(Clone, Debug)]
pub struct NextHost {
    port: u16,
    answers: Arc<Mutex<Answers>>,
    turns: Turns,
    heard: Arc<Mutex<Vec<String>>>,
}

impl NextHost {
    /// Begins to listen at a free port of this system.
    ///
    /// # Panics
    /// Where there is none.
    pub fn start(answers: Answers) -> Self {
        Self::start_at("127.0.0.1:0", answers)
    }

    /// Begins to listen at an address and a port.
    ///
    /// # Panics
    /// Where another one listens there.
    pub fn start_at(address: &str, answers: Answers) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let host = Self {
            port: listener.local_addr().expect("its own address").port(),
            answers: Arc::new(Mutex::new(answers)),
            turns: Turns::default(),
            heard: Arc::default(),
        };
        let own = host.clone();
        serve(move || listener.accept(), move |stream| own.talk().over_tcp(stream));
        host
    }

    /// Listens at a socket in the file system, too, where everybody may connect.
    ///
    /// # Panics
    /// Where that can't be.
    pub fn listen_at(&self, path: &Path) {
        let listener = UnixListener::bind(path).expect("a socket");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(path, open).expect("a socket for all");
        let own = self.clone();
        serve(
            move || listener.accept(),
            move |stream| {
                let greeting = own.talk().answer("banner", "220 next.test ESMTP").to_owned();
                own.talk().talk(&mut BufReader::new(&stream), &stream, Some(greeting));
            },
        );
    }

    /// From now on, it says this to new clients.
    pub fn say(&self, answers: Answers) {
        *locked(&self.answers) = answers;
    }

    /// A conversation that begins now.
    fn talk(&self) -> Talk {
        Talk {
            answers: locked(&self.answers).clone(),
            turns: self.turns.clone(),
            heard: self.heard.clone(),
            is_sealed: false,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it heard: `C: ` before commands, `D: ` before lines of messages, `B: ` before
    /// those of chunks.
    pub fn heard(&self) -> Vec<String> {
        locked(&self.heard).clone()
    }
}

/// Speaks with each that connects, in a thread for each, as long as the test lives.
pub(crate) fn serve<S: Send + 'static, A>(
    mut accept: impl FnMut() -> io::Result<(S, A)> + Send + 'static,
    talk: impl Fn(S) + Clone + Send + 'static,
) {
    std::thread::spawn(move || {
        loop {
            if let Ok((stream, _)) = accept() {
                let talk = talk.clone();
                std::thread::spawn(move || talk(stream));
            }
        }
    });
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection that is read and written by turns.
struct Shared<'w>(&'w Mutex<Wire>);

impl Read for Shared<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        locked(self.0).read(into)
    }
}

impl Write for Shared<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        locked(self.0).write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        locked(self.0).flush()
    }
}

/// One conversation.
struct Talk {
    answers: Answers,
    /// How often answers were asked for of which there are several.
    turns: Turns,
    heard: Arc<Mutex<Vec<String>>>,
    /// Whether it is under TLS.
    is_sealed: bool,
}

/// How a conversation ends.
#[derive(PartialEq, Eq)]
enum End {
    /// For good.
    Over,
    /// TLS begins.
    Seal,
}

impl Talk {
    fn answer<'a>(&'a self, to: &str, usual: &'a str) -> &'a str {
        let sealed = |key: &str| self.is_sealed && key.strip_prefix("tls:") == Some(to);
        let own = self.answers.iter().find(|(key, _)| sealed(key));
        let own = own.or_else(|| self.answers.iter().find(|(key, _)| key == to));
        own.map_or(usual, |(_, answer)| answer)
    }

    /// Speaks with a client that may want TLS.
    fn over_tcp(mut self, stream: TcpStream) {
        let tls = self.answer("tls", "").to_owned();
        let mut words: Vec<&str> = tls.split_whitespace().collect();
        let mut takes = |word: &str| {
            let before = words.len();
            words.retain(|one| *one != word);
            words.len() < before
        };
        let (asks, at_once) = (takes("asks"), takes("at-once"));
        let wishes = Wishes::read(&words.join(" "));
        let greeting = self.answer("banner", "220 next.test ESMTP").to_owned();
        if !at_once {
            let end = self.talk(&mut BufReader::new(&stream), &stream, Some(greeting.clone()));
            if end == End::Over {
                return;
            }
            match self.answer("handshake", "") {
                "close" => return,
                "nonsense" => {
                    let _ = (&stream).write_all(b"this is not TLS, but something else\r\n");
                    return;
                }
                _ => {}
            }
        }
        // Who breaks off there is told of when others may have been heard already.
        let Some((mut wire, said)) = Wire::serve_as(stream, &wishes, asks) else { return };
        self.is_sealed = true;
        if self.answer("handshake", "") == "then-close" {
            return self.note("C", &format!("({said})"));
        }
        let greeting = at_once.then(|| self.answer("banner", "220 next.test ESMTP").to_owned());
        if let Some(greeting) = &greeting
            && wire.write_all(format!("{}\r\n", greeting.replace('|', "\r\n")).as_bytes()).is_err()
        {
            return;
        }
        let shared = Mutex::new(wire);
        // Who leaves at once was never there.
        let mut input = BufReader::new(Shared(&shared));
        if input.fill_buf().is_ok_and(|heard| !heard.is_empty()) {
            self.note("C", &format!("({said})"));
            self.talk(&mut input, Shared(&shared), None);
        }
        let mut wire = locked(&shared);
        wire.unseal();
        // What is not read would be answered with a reset.
        let _ = wire.socket().shutdown(Shutdown::Write);
        let _ = wire.socket().set_read_timeout(Some(Duration::from_secs(2)));
        let _ = wire.read_to_end(&mut Vec::new());
    }

    /// The answer of several, one each time; the last one stays.
    fn next_answer(&self, to: &str, usual: &str) -> String {
        let answers: Vec<&str> = self.answer(to, usual).split('%').collect();
        let mut turns = locked(&self.turns);
        let turn = turns.entry(to.to_owned()).or_insert(0_usize);
        let answer = answers[(*turn).min(answers.len() - 1)].to_owned();
        *turn += 1;
        answer
    }

    fn for_recipient(&self, command: &str) -> String {
        let fits = |key: &str| key.strip_prefix("rcpt:").is_some_and(|part| command.contains(part));
        let own = self.answers.iter().find(|(key, _)| fits(key));
        own.map_or_else(|| "250 rcpt ok".to_owned(), |(key, _)| self.next_answer(key, ""))
    }

    fn note(&self, kind: &str, line: &str) {
        locked(&self.heard).push(format!("{kind}: {}", line.trim_end_matches(['\r', '\n'])));
    }

    /// Notes a piece of a message.
    fn note_of_message(&self, kind: &str, line: &[u8]) {
        match self.answer("show", "") {
            "bytes" => self.note(kind, &line.escape_ascii().to_string()),
            _ => self.note(kind, &String::from_utf8_lossy(line)),
        }
    }

    /// Speaks with a client until one side ends that; it begins with a greeting, or goes on.
    fn talk(
        &self,
        input: &mut impl BufRead,
        mut output: impl Write,
        greeting: Option<String>,
    ) -> End {
        let (mut recipients, mut has_sender) = (0, false);
        let mut line = Vec::new();
        let mut is_lmtp = false;
        let mut says_nothing = greeting.is_none();
        let mut to_say = greeting.unwrap_or_default();
        loop {
            match &to_say[..] {
                "close" => return End::Over,
                "wait" => {
                    // The client has lost its patience by then.
                    std::thread::sleep(Duration::from_secs(20));
                    return End::Over;
                }
                _ => {}
            }
            let (to_say_now, closes) = match to_say.strip_suffix("|close") {
                Some(head) => (head, true),
                None => (&to_say[..], false),
            };
            let mut text = format!("{}\r\n", to_say_now.replace('|', "\r\n"));
            if std::mem::take(&mut says_nothing) {
                text.clear();
            }
            if output.write_all(text.as_bytes()).is_err() || closes {
                return End::Over;
            }
            line.clear();
            if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                return End::Over;
            }
            let command = String::from_utf8_lossy(&line).into_owned();
            self.note("C", &command);
            let verb: String = command.chars().take(4).collect::<String>().to_uppercase();
            to_say = match verb.as_str() {
                "EHLO" | "LHLO" => {
                    is_lmtp = verb == "LHLO";
                    let ext = self.answer("ext", "PIPELINING,SIZE,8BITMIME");
                    let offers = !self.answer("tls", "").is_empty() && !self.is_sealed;
                    let tls = if offers { "STARTTLS" } else { "" };
                    let words: Vec<&str> =
                        ["next.test", tls].into_iter().chain(ext.split(',')).collect();
                    let words: Vec<&&str> = words.iter().filter(|word| !word.is_empty()).collect();
                    let last = words.len() - 1;
                    let shown = words.iter().enumerate().map(|(at, word)| {
                        format!("250{}{word}", if at == last { ' ' } else { '-' })
                    });
                    self.answer("ehlo", &shown.collect::<Vec<_>>().join("|")).to_owned()
                }
                "MAIL" => {
                    recipients = 0;
                    let answer = self.next_answer("mail", "250 mail ok");
                    has_sender = answer.starts_with('2');
                    answer
                }
                "RCPT" if !has_sender => "503 no sender".to_owned(),
                "RCPT" => {
                    let answer = self.for_recipient(&command);
                    recipients += usize::from(answer.starts_with('2'));
                    answer.to_owned()
                }
                "DATA" => {
                    let usual = match recipients {
                        0 => "503 nobody to send it to",
                        _ => "354 go on",
                    };
                    let answer = self.answer("data", usual).to_owned();
                    if answer.starts_with('3') && !self.message(&mut output, input, &answer) {
                        return End::Over;
                    }
                    match answer.starts_with('3') {
                        true => self.end(is_lmtp, recipients),
                        false => answer,
                    }
                }
                "BDAT" => {
                    let mut words = command.split_whitespace().skip(1);
                    let length = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                    let mut chunk = vec![0; length];
                    if input.read_exact(&mut chunk).is_err() {
                        return End::Over;
                    }
                    let lines = chunk.split_inclusive(|byte| *byte == b'\n');
                    lines.for_each(|line| self.note_of_message("B", line));
                    match words.next() {
                        Some(_) => self.end(is_lmtp, recipients),
                        None => self.answer("chunk", "250 chunk").to_owned(),
                    }
                }
                "AUTH" => {
                    let answers = self.answer("auth", "235 welcome");
                    let (last, asks) = match answers.rsplit_once('%') {
                        Some((asks, last)) => (last, asks),
                        None => (answers, ""),
                    };
                    for ask in asks.split('%').filter(|ask| !ask.is_empty()) {
                        line.clear();
                        let asked = output.write_all(format!("{ask}\r\n").as_bytes());
                        if asked.is_err() || input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                            return End::Over;
                        }
                        self.note("A", &String::from_utf8_lossy(&line));
                    }
                    last.to_owned()
                }
                "STAR" => {
                    let offers = !self.answer("tls", "").is_empty();
                    let usual = if offers { "220 go on" } else { "250 ok" };
                    let answer = self.answer("starttls", usual).to_owned();
                    if answer.starts_with('2') && offers {
                        let _ = output.write_all(format!("{answer}\r\n").as_bytes());
                        return End::Seal;
                    }
                    answer
                }
                "QUIT" if self.answer("quit", "") == "wait" => "wait".to_owned(),
                "QUIT" => {
                    let _ = output.write_all(b"221 bye\r\n");
                    return End::Over;
                }
                _ => self.answer(&verb.to_lowercase(), "250 ok").to_owned(),
            };
        }
    }

    /// The reply to the end of a message; for LMTP, one for each recipient.
    fn end(&self, is_lmtp: bool, recipients: usize) -> String {
        let whole = self.answer("end", "250 OK id=x");
        let by_turns = self.next_answer("end", "250 OK id=x");
        let answer = if is_lmtp { whole } else { &by_turns };
        match is_lmtp {
            true if answer.contains('%') => {
                let each = answer.split('%').chain(std::iter::repeat("250 OK id=x"));
                each.take(recipients).collect::<Vec<_>>().join("|")
            }
            true => vec![answer; recipients].join("|"),
            false => answer.to_owned(),
        }
    }

    /// Reads a message up to the dot.
    fn message(&self, output: &mut impl Write, input: &mut impl BufRead, go: &str) -> bool {
        if output.write_all(format!("{go}\r\n").as_bytes()).is_err() {
            return false;
        }
        loop {
            let mut line = Vec::new();
            if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                return false;
            }
            if line == b".\r\n" {
                return true;
            }
            self.note_of_message("D", &line);
        }
    }
}
