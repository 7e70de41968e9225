//! A next host for deliveries: it takes messages by SMTP or LMTP as it was told, and
//! remembers what it heard.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What it says, by what it is asked: `banner`, `ext` (with commas between the extensions),
/// `mail`, `rcpt:PART` (for recipients with that part), `data`, `end`, `auth` (with `%`
/// between its questions and the answer). `|` begins another line; a reply that is `close`
/// ends the connection.
pub type Answers = Vec<(String, String)>;

/// A next host, which lives as long as the test.
#[derive(Debug)]
pub struct NextHost {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl NextHost {
    /// Begins to listen at a free port of this system.
    ///
    /// # Panics
    /// Where there is none.
    pub fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its own address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let host = Talk { answers: answers.clone(), heard: told.clone() };
                std::thread::spawn(move || host.talk(&stream));
            }
        });
        Self { port, heard }
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

fn locked(heard: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Talk {
    answers: Answers,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Talk {
    fn answer<'a>(&'a self, to: &str, usual: &'a str) -> &'a str {
        let own = self.answers.iter().find(|(key, _)| key == to);
        own.map_or(usual, |(_, answer)| answer)
    }

    fn for_recipient(&self, command: &str) -> &str {
        let fits = |key: &str| key.strip_prefix("rcpt:").is_some_and(|part| command.contains(part));
        let own = self.answers.iter().find(|(key, _)| fits(key));
        own.map_or("250 rcpt ok", |(_, answer)| answer)
    }

    fn note(&self, kind: &str, line: &str) {
        locked(&self.heard).push(format!("{kind}: {}", line.trim_end_matches(['\r', '\n'])));
    }

    /// Speaks with a client until one side ends that.
    fn talk(&self, stream: &TcpStream) {
        let mut input = BufReader::new(stream);
        let (mut recipients, mut has_sender) = (0, false);
        let mut line = Vec::new();
        let mut is_lmtp = false;
        let mut to_say = self.answer("banner", "220 next.test ESMTP").to_owned();
        loop {
            if to_say == "close" {
                return;
            }
            let text = format!("{}\r\n", to_say.replace('|', "\r\n"));
            let mut output = stream;
            if output.write_all(text.as_bytes()).is_err() {
                return;
            }
            line.clear();
            if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                return;
            }
            let command = String::from_utf8_lossy(&line).into_owned();
            self.note("C", &command);
            let verb: String = command.chars().take(4).collect::<String>().to_uppercase();
            to_say = match verb.as_str() {
                "EHLO" | "LHLO" => {
                    is_lmtp = verb == "LHLO";
                    let ext = self.answer("ext", "PIPELINING,SIZE,8BITMIME");
                    let words: Vec<&str> =
                        ["next.test"].into_iter().chain(ext.split(',')).collect();
                    let words: Vec<&&str> = words.iter().filter(|word| !word.is_empty()).collect();
                    let last = words.len() - 1;
                    let shown = words.iter().enumerate().map(|(at, word)| {
                        format!("250{}{word}", if at == last { ' ' } else { '-' })
                    });
                    self.answer("ehlo", &shown.collect::<Vec<_>>().join("|")).to_owned()
                }
                "MAIL" => {
                    recipients = 0;
                    let answer = self.answer("mail", "250 mail ok").to_owned();
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
                    if answer.starts_with('3') && !self.message(stream, &mut input, &answer) {
                        return;
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
                        return;
                    }
                    let chunk = String::from_utf8_lossy(&chunk);
                    chunk.lines().for_each(|line| self.note("B", line));
                    match words.next() {
                        Some(_) => self.end(is_lmtp, recipients),
                        None => "250 chunk".to_owned(),
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
                            return;
                        }
                        self.note("A", &String::from_utf8_lossy(&line));
                    }
                    last.to_owned()
                }
                "QUIT" => {
                    let _ = output.write_all(b"221 bye\r\n");
                    return;
                }
                _ => self.answer(&verb.to_lowercase(), "250 ok").to_owned(),
            };
        }
    }

    /// The reply to the end of a message; for LMTP, one for each recipient.
    fn end(&self, is_lmtp: bool, recipients: usize) -> String {
        let answer = self.answer("end", "250 OK id=x");
        match is_lmtp {
            true => vec![answer; recipients].join("|"),
            false => answer.to_owned(),
        }
    }

    /// Reads a message up to the dot.
    fn message(&self, stream: &TcpStream, input: &mut BufReader<&TcpStream>, go: &str) -> bool {
        let mut output = stream;
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
            self.note("D", &String::from_utf8_lossy(&line));
        }
    }
}
