//! Next hosts that answer wrongly, slowly, for ever or not at all, at each place of a
//! delivery: what both programs log, what they say to the host, and what they keep.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{undated, without_ids};

use crate::common::spool::Place;
use crate::common::{locked, pairs, reference};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// Where a host goes wrong.
const PLACES: &[&str] = &["banner", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", ".", "QUIT"];

/// Where a whole session may go wrong, and one that only asks.
const SMTP: &[&str] = &["banner", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"];
const LMTP: &[&str] = &["banner", "LHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"];
const ASKED: &[&str] = &["banner", "EHLO", "MAIL", "RCPT", "QUIT"];

/// What sessions there are: the transport's protocol, what the host offers, and where it may go
/// wrong.
const SESSIONS: &[Session] = &[
    Session { protocol: "smtp", offers: "250 next.test\r\n", places: SMTP },
    Session { protocol: "smtp", offers: "250-next.test\r\n250 PIPELINING\r\n", places: SMTP },
    Session { protocol: "smtp", offers: "250-next.test\r\n250 CHUNKING\r\n", places: &["BDAT"] },
    Session {
        protocol: "smtp",
        offers: "250-next.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
        places: &["MAIL", "RCPT", "BDAT"],
    },
    Session {
        protocol: "smtp with a long message",
        offers: "250-next.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
        places: &["MAIL", "RCPT", "BDAT"],
    },
    Session { protocol: "callout", offers: "250 next.test\r\n", places: ASKED },
    Session {
        protocol: "callout of the sender",
        offers: "250-next.test\r\n250 PIPELINING\r\n",
        places: ASKED,
    },
    Session {
        protocol: "cutthrough",
        offers: "250 next.test\r\n",
        places: &["banner", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"],
    },
    Session { protocol: "lmtp transport", offers: "250 next.test\r\n", places: LMTP },
    Session { protocol: "lmtp", offers: "250 next.test\r\n", places: LMTP },
];

#[derive(Clone, Copy, Debug)]
struct Session {
    protocol: &'static str,
    offers: &'static str,
    places: &'static [&'static str],
}

/// How it goes wrong, with the code that would have been right as `%`.
const FAULTS: &[Fault] = &[
    Fault::Close(""),
    Fault::Silent(""),
    Fault::Says("hello there\r\n"),
    Fault::Says("\r\n"),
    Fault::Says("25\r\n"),
    Fault::Says("%\r\n"),
    Fault::Says("%x no space\r\n"),
    Fault::Says("%\ttab\r\n"),
    Fault::Says(" % space before\r\n"),
    Fault::Says("%-more\r\n% and last\r\n"),
    Fault::Says("%-more\r\n550 and other\r\n"),
    Fault::Says("550-more\r\n% and other\r\n"),
    Fault::Says("%-more\r\nhello\r\n% last\r\n"),
    Fault::Says("% bare feed\n"),
    Fault::Says("% \u{fffd}\u{e9}\r\n"),
    Fault::Says("099 what\r\n"),
    Fault::Says("150 one\r\n"),
    Fault::Says("299 two\r\n"),
    Fault::Says("354 three\r\n"),
    Fault::Says("699 six\r\n"),
    Fault::Says("421 going\r\n"),
    Fault::Says("450 later\r\n"),
    Fault::Says("451-4.3.0 later\r\n451 4.3.0 much later\r\n"),
    Fault::Says("550 never\r\n"),
    Fault::Says("552-5.2.2 never\r\n552 5.2.2 ever\r\n"),
    Fault::Says("% one\r\n% another\r\n"),
    Fault::Silent("%"),
    Fault::Silent("% half a line"),
    Fault::Silent("%-one of several\r\n"),
    Fault::Close("%"),
    Fault::Close("% half a line"),
    Fault::Close("% whole line\r\n"),
    Fault::Close("550 whole line\r\n"),
    Fault::Close("421 whole line\r\n"),
    Fault::Close("%-one of several\r\n"),
    Fault::Close("450-one of several\r\n"),
    Fault::Close("550-one of several\r\n"),
    Fault::Drips("% drop by drop\r\n", 100),
    Fault::Long(900),
    Fault::Long(4_000),
    Fault::Long(4_093),
    Fault::Long(4_094),
    Fault::Long(4_095),
    Fault::Long(4_096),
    Fault::Long(5_000),
    Fault::LongNo(4_000),
    Fault::Says("\t% tab before\r\n"),
    Fault::Says("  \r\n"),
    Fault::Says("\r\r\n"),
    Fault::Lines(30, 100),
    Fault::Lines(60, 100),
    Fault::EndlessLine,
    Fault::EndlessReply,
];

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It says this and goes on.
    Says(&'static str),
    /// It says this and nothing more.
    Silent(&'static str),
    /// It says this and closes.
    Close(&'static str),
    /// A byte after the other, with this many milliseconds between them.
    Drips(&'static str, u64),
    /// A line of this many bytes.
    Long(usize),
    /// The same, of a refusal.
    LongNo(usize),
    /// This many lines of this many bytes.
    Lines(usize, usize),
    EndlessLine,
    EndlessReply,
}

/// One question: where, how, and what the host offers.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub place: &'static str,
    pub fault: Fault,
    pub protocol: &'static str,
    pub offers: &'static str,
}

impl Question {
    /// The real one has times of its own for what goes along. Its transport `lmtp` has a small buffer, which it empties between
    /// replies, and may tell of what went wrong before.
    fn is_of_no_interest(&self) -> bool {
        use Fault::{Close, Drips, EndlessLine, EndlessReply, Lines, Long, LongNo, Says, Silent};
        match self.protocol {
            // Whether it takes what nobody asked for as the next answer is a matter of time.
            "cutthrough" if self.place == "MAIL" => {
                return matches!(self.fault, Says(text) if text.starts_with("% one"));
            }
            "cutthrough" => return self.place == "DATA" && matches!(self.fault, Drips(..)),
            // It logs them up to the end of a line that came from the host.
            "callout" => return matches!(self.fault, Close(text) if text.contains("-one")),
            // It says nothing of it.
            // Whether it can still be written to is a matter of time.
            "smtp with a long message" if self.place == "BDAT" => {
                return matches!(self.fault, Close("% whole line\r\n"));
            }
            "smtp" | "smtp with a long message"
                if self.place == "RCPT" && self.offers.contains("CHUNKING") =>
            {
                return matches!(self.fault, Silent(_) | Drips(..));
            }
            _ => {}
        }
        self.protocol == "lmtp transport"
            && match self.fault {
                Long(_) | LongNo(_) | Lines(..) | EndlessLine | EndlessReply => true,
                Says(text) => text.starts_with("% one"),
                Close("% whole line\r\n") => true,
                Close(text) => text.starts_with("421") && self.place == "RCPT",
                _ => false,
            }
    }

    /// Whether the real one takes recipients for done that are not: it closes its eyes to a
    /// connection that is closed instead of an answer to `DATA`, or to a first chunk.
    fn is_lost_by_exim(&self) -> bool {
        let is_closed = matches!(self.fault, Fault::Close("" | "%" | "% half a line"));
        let is_part = self.protocol == "smtp with a long message" && self.place == "BDAT";
        (self.place == "DATA" || is_part) && is_closed
    }
}

/// What is asked: every fault at every place of each session.
fn questions() -> Vec<Question> {
    let of = |Session { protocol, offers, places }| {
        places.iter().flat_map(move |place| {
            FAULTS.iter().map(move |fault| Question { place, fault: *fault, protocol, offers })
        })
    };
    SESSIONS.iter().copied().flat_map(of).filter(|one| !one.is_of_no_interest()).collect()
}

/// A host that goes wrong at one place, once in each conversation.
pub struct BadHost {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    /// How many conversations go on.
    open: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    /// Its socket in the file system.
    path: Mutex<Option<PathBuf>>,
}

impl Drop for BadHost {
    fn drop(&mut self) {
        // Whoever waits for clients gets a last one.
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(path) = locked(&self.path).take() {
            let _ = UnixStream::connect(path);
        }
    }
}

impl BadHost {
    pub fn start(question: Question) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its own address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (over, path) = (Arc::default(), Mutex::default());
        let host = Self { port, heard, open: Arc::default(), over, path };
        host.serve(question, move || listener.accept().map(|(stream, _)| stream));
        host
    }

    fn serve<S>(&self, question: Question, accept: impl Fn() -> std::io::Result<S> + Send + 'static)
    where
        S: Ending + Send + 'static,
        for<'s> &'s S: Read + Write,
    {
        let (heard, open, over) = (self.heard.clone(), self.open.clone(), self.over.clone());
        std::thread::spawn(move || {
            while let Ok(stream) = accept()
                && !over.load(Ordering::SeqCst)
            {
                let (heard, open) = (heard.clone(), open.clone());
                open.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    talk(&stream, question, &heard);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }

    /// What it heard, as soon as nobody speaks any more.
    pub fn heard(&self) -> Vec<String> {
        let until = Instant::now() + Duration::from_millis(500);
        while self.open.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            sleep(Duration::from_millis(5));
        }
        locked(&self.heard).clone()
    }

    /// Listens at a socket in the file system, too.
    fn listen_at(&self, path: &Path, question: Question) {
        let listener = UnixListener::bind(path).expect("a socket");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(path, open).expect("a socket for all");
        *locked(&self.path) = Some(path.to_owned());
        self.serve(question, move || listener.accept().map(|(stream, _)| stream));
    }
}

/// A stream that both sides may end.
trait Ending {
    fn end(&self) -> std::io::Result<()>;

    /// Whoever writes from now on is told so, where that can be known at once: whether what is
    /// written behind a last reply still goes through must not be a matter of luck.
    fn stop_hearing(&self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Ending for TcpStream {
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Both)
    }
}

impl Ending for UnixStream {
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Both)
    }

    fn stop_hearing(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Read)
    }
}

/// Speaks with a client until one side ends that.
fn talk<S>(stream: &S, question: Question, heard: &Mutex<Vec<String>>) -> Option<()>
where
    S: Ending,
    for<'s> &'s S: Read + Write,
{
    let mut input = BufReader::new(stream);
    let mut went_wrong = false;
    let (mut place, mut usual) = ("banner", "220 next.test ESMTP\r\n");
    loop {
        match place == question.place && !went_wrong {
            true => go_wrong(stream, question.fault, usual)?,
            false => write(stream, usual.as_bytes())?,
        }
        went_wrong |= place == question.place;
        let mut line = Vec::new();
        let in_message = usual.starts_with("354");
        loop {
            line.clear();
            let mut part = input.by_ref().take(2_000);
            part.read_until(b'\n', &mut line).ok().filter(|length| *length > 0)?;
            if !in_message || line == b".\r\n" {
                break;
            }
        }
        if let Some(size) = line.strip_prefix(b"BDAT ") {
            let digits = size.iter().take_while(|byte| byte.is_ascii_digit());
            let size = digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
            std::io::copy(&mut input.by_ref().take(size), &mut std::io::sink()).ok()?;
        }
        let said = String::from_utf8_lossy(&line).trim_end().to_owned();
        let known = PLACES.iter().find(|place| said.starts_with(**place));
        place = known.copied().unwrap_or("other");
        usual = match place {
            "EHLO" | "LHLO" => question.offers,
            "DATA" => "354 go on\r\n",
            "." if question.protocol.starts_with("lmtp") => "250 OK id=x\r\n250 OK id=y\r\n",
            "." | "BDAT" => "250 OK id=x\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        locked(heard).push(said);
    }
}

fn write(mut stream: impl Write, text: &[u8]) -> Option<()> {
    stream.write_all(text).ok()
}

/// Goes wrong where something else would be usual; nothing where that ends the conversation.
fn go_wrong<S>(stream: &S, fault: Fault, usual: &str) -> Option<()>
where
    S: Ending,
    for<'s> &'s S: Write,
{
    let code = &usual[..3];
    let filled = |text: &str| text.replace('%', code);
    match fault {
        Fault::Says(text) => write(stream, filled(text).as_bytes()),
        Fault::Silent(text) => {
            write(stream, filled(text).as_bytes())?;
            // The client has lost its patience by then.
            sleep(Duration::from_secs(8));
            None
        }
        Fault::Close(text) => {
            stream.stop_hearing().ok()?;
            write(stream, filled(text).as_bytes())?;
            stream.end().ok()?;
            None
        }
        Fault::Drips(text, time) => filled(text).bytes().try_for_each(|byte| {
            sleep(Duration::from_millis(time));
            write(stream, &[byte])
        }),
        Fault::Long(length) => {
            write(stream, format!("{code} {}\r\n", "x".repeat(length - 6)).as_bytes())
        }
        Fault::LongNo(length) => {
            write(stream, format!("550 {}\r\n", "x".repeat(length - 6)).as_bytes())
        }
        Fault::Lines(count, length) => {
            let line = format!("{code}-{}\r\n", "x".repeat(length - 6));
            write(stream, format!("{}{code} last\r\n", line.repeat(count - 1)).as_bytes())
        }
        Fault::EndlessLine => loop {
            write(stream, &[b'2'; 4096])?;
        },
        Fault::EndlessReply => loop {
            write(stream, format!("{code}-and so on and on\r\n").repeat(100).as_bytes())?;
        },
    }
}

const CONFIG: &str = "begin routers\nhere:\n driver = accept\n \
    condition = ${if eq{TRANSPORT}{lmtp}}\n transport = lmtp\naway:\n driver = manualroute\n route_list = * 127.0.0.1\n \
    self = send\n transport = TRANSPORT\nbegin transports\nlmtp:\n driver = lmtp\n \
    socket = DIR/socket\n timeout = 1s\n user = Debian-exim\n batch_max = 100\nsmtp:\n driver = smtp\n port = PORT\n \
    protocol = PROTOCOL\n hosts_try_fastopen =\n command_timeout = 1s\n data_timeout = 1s\n final_timeout = 1s\n\
    begin retry\n* * F,5d,1h\n";

/// What a client says where a host is asked while it waits.
const CLIENT: &str = "EHLO client.test\r\nMAIL FROM:<s@x.test>\r\nRCPT TO:<a@x.test>\r\n\
    RCPT TO:<b@x.test>\r\nDATA\r\nSubject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n";

/// What came of a delivery to a host that goes wrong.
fn told(program: &str, question: Question) -> String {
    let host = BadHost::start(question);
    let place = Place::new(
        "log_selector = +smtp_confirmation\nreceived_header_text = Received: by x\n\
        smtp_enforce_sync = false\nsmtp_banner = x\nsmtp_return_error_details\n",
    );
    let text = std::fs::read_to_string(&place.config).expect("a configuration");
    let (head, _) = text.split_once("begin acl").expect("sections");
    let head: String =
        head.lines().filter(|line| !line.starts_with("acl_")).map(|l| format!("{l}\n")).collect();
    let directory = place.directory.path().display().to_string();
    let (transport, protocol, acl) = match question.protocol {
        "lmtp transport" => ("lmtp", "smtp", None),
        "callout" => ("smtp", "smtp", Some("accept verify = recipient/callout=1s")),
        "callout of the sender" => ("smtp", "smtp", Some("accept verify = sender/callout=1s")),
        "cutthrough" => ("smtp", "smtp", Some("accept control = cutthrough_delivery")),
        "smtp with a long message" => ("smtp", "smtp", None),
        protocol => ("smtp", protocol, None),
    };
    let head = match acl {
        Some(acl) => head + &format!("acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n {acl}\n"),
        None => head,
    };
    host.listen_at(&place.path("socket"), question);
    let config = CONFIG.replace("PROTOCOL", protocol).replace("TRANSPORT", transport);
    let config = config.replace("PORT", &host.port.to_string()).replace("DIR", &directory);
    std::fs::write(&place.config, head + &config).expect("a configuration");
    let began = Instant::now();
    let mut all = Vec::new();
    match acl {
        None => {
            let args = ["-odf", "-f", "<>", "a@x.test", "b@x.test"];
            let is_long = question.protocol.ends_with("long message");
            let text = "text\n".repeat(if is_long { 2_000 } else { 1 });
            place.run(program, &args, &format!("Subject: x\n\n{text}"));
        }
        Some(_) => {
            let run = place.run(program, &["-odq", "-oMa", "192.0.2.1", "-bs"], CLIENT);
            all.extend(run.out.lines().map(|line| format!("S: {}", without_ids(line))));
        }
    }
    let time = began.elapsed();
    assert!(time < Duration::from_secs(30), "{program} took {time:?}: {question:?}");
    let log = |name: &str| std::fs::read(place.path(name)).unwrap_or_default();
    let names = ["mainlog", "rejectlog", "paniclog"];
    let logs = names.map(|name| String::from_utf8_lossy(&log(name)).into_owned());
    let mut lines: Vec<String> = Vec::new();
    for line in logs.iter().flat_map(|log| log.lines()) {
        match lines.last_mut() {
            // The real one logs some ends of lines as they are.
            Some(last) if undated(line) == line => *last += &format!("\\n{line}"),
            _ => lines.push(line.to_owned()),
        }
    }
    let lines = lines.iter().map(String::as_str);
    let lines = lines
        .map(|line| without_ids(undated(line)).replace(&host.port.to_string(), "PORT"))
        .filter(|line| !line.contains(" <= ") && !line.contains("lost privilege"));
    all.extend(lines.filter(|line| !line.contains("SMTP connection from")));
    // What was said at once may be heard or not, once the connection is broken.
    let breaks = question.offers.contains("PIPELINING");
    let of_command = question.protocol == "lmtp transport";
    for line in host.heard().iter().filter(|line| !(of_command && *line == "QUIT")) {
        all.push(format!("C: {line}"));
        if breaks && line.starts_with(question.place) {
            break;
        }
    }
    let kept = place.files("input").len();
    all.push(format!("kept: {kept}"));
    // The real one shows some ends of lines as they are.
    let whole = all.join("\n").replace("\\\\n", "\\n").replace("\\n)", ")");
    ["\nS: 451-)", "\nS: 503-)"].iter().fold(whole, |text, end| text.replace(end, ")"))
}

/// Both programs treat such hosts alike.
#[test]
fn hosts_that_go_wrong_are_treated_as_exim_treats_them() {
    let Some(exim) = reference() else { return };
    pairs::are_alike(questions(), "BAD_HOSTS", 3, |question| {
        let answers = [&exim, OURS].map(|program| told(program, question));
        if question.is_lost_by_exim() {
            assert!(answers[1].ends_with("kept: 2"), "{question:?}: {}", answers[1]);
            return [String::new(), String::new()];
        }
        answers
    });
}
