//! Deliveries that have more than one host to try: what both programs say to each, what they
//! log, what they keep, and what they tell the sender.

use std::net::{TcpListener, TcpStream};

use eximious_tests::daemons::{undated, without_ids};

use crate::bad_hosts::{BadHost, Fault, Question};
use crate::common::spool::Place;
use crate::common::{pairs, reference};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// How a host treats a client: it goes wrong once in each conversation, at a place.
type Manner = Option<(&'static str, Fault)>;

/// Nobody is there.
const GONE: Manner = None;
/// Nothing goes wrong.
const FINE: Manner = Some(("never", Fault::Says("")));

const FIRST: &[Manner] = &[
    GONE,
    Some(("banner", Fault::Says("554 go away\r\n"))),
    Some(("banner", Fault::Close("421 busy\r\n"))),
    Some(("banner", Fault::Close(""))),
    Some(("EHLO", Fault::Close(""))),
    Some(("MAIL", Fault::Says("450 not now\r\n"))),
    Some(("MAIL", Fault::Says("550 not you\r\n"))),
    Some(("MAIL", Fault::Close("421 enough\r\n"))),
    Some(("RCPT", Fault::Says("450 not now\r\n"))),
    Some(("RCPT", Fault::Says("550 not him\r\n"))),
    Some(("RCPT", Fault::Close("421 enough\r\n"))),
    Some(("RCPT", Fault::Close(""))),
    Some(("DATA", Fault::Says("450 not now\r\n"))),
    Some((".", Fault::Says("450 not now\r\n"))),
    Some((".", Fault::Says("550 not that\r\n"))),
    Some((".", Fault::Close("421 enough\r\n"))),
];

const SECOND: &[Manner] = &[
    GONE,
    FINE,
    Some(("banner", Fault::Says("554 go away\r\n"))),
    Some(("RCPT", Fault::Says("450 later\r\n"))),
];

/// Where the second host stands, what else the transport's options say, and the rules for
/// retries.
const WAYS: &[Way] = &[
    Way { is_fallback: false, options: "", retry: "* * F,1h,1m" },
    Way { is_fallback: false, options: " hosts_max_try = 1\n", retry: "* * F,1h,1m" },
    Way { is_fallback: true, options: " hosts_max_try = 1\n", retry: "* * F,1h,1m" },
    Way { is_fallback: false, options: "", retry: "" },
];

#[derive(Clone, Copy, Debug)]
struct Way {
    is_fallback: bool,
    options: &'static str,
    retry: &'static str,
}

const CONFIG: &str = "begin routers\naway:\n driver = manualroute\n domains = x.test\n \
    route_list = \"* 127.0.0.1::PORT1LISTED\"\n self = send\n transport = smtp\n\
    begin transports\nsmtp:\n driver = smtp\n hosts_try_fastopen =\n allow_localhost\n command_timeout = 5s\n\
    OPTIONSbegin retry\nRETRY\n";

/// A host's port, and the host itself, or a socket that keeps the port from others.
enum Next {
    There(BadHost),
    Gone { port: u16, _held: (TcpListener, TcpStream) },
}

impl Next {
    fn start(manner: Manner) -> Self {
        if let Some((place, fault)) = manner {
            let offers = "250-next.test\r\n250 PIPELINING\r\n";
            return Self::There(BadHost::start(Question {
                place,
                fault,
                protocol: "smtp",
                offers,
            }));
        }
        // A client's own port: nobody listens there, nor can.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("a port"));
        let client = client.expect("a connection");
        let port = client.local_addr().expect("a port").port();
        Self::Gone { port, _held: (listener, client) }
    }

    fn port(&self) -> u16 {
        match self {
            Self::There(host) => host.port,
            Self::Gone { port, .. } => *port,
        }
    }

    fn heard(&self) -> Vec<String> {
        match self {
            Self::There(host) => host.heard(),
            Self::Gone { .. } => Vec::new(),
        }
    }
}

/// What a program makes of two hosts.
fn told(program: &str, manners: [Manner; 2], way: Way) -> String {
    let hosts = manners.map(Next::start);
    let place = Place::new(
        "log_selector = +outgoing_port +smtp_confirmation\nreceived_header_text = Received: by x\n",
    );
    let text = std::fs::read_to_string(&place.config).expect("a configuration");
    let (head, _) = text.split_once("begin acl").expect("sections");
    let head: String =
        head.lines().filter(|line| !line.starts_with("acl_")).map(|l| format!("{l}\n")).collect();
    let ports = hosts.each_ref().map(|host| host.port().to_string());
    let second = format!("127.0.0.1::{}", ports[1]);
    let (listed, fallback) = match way.is_fallback {
        false => (format!(" : {second}"), String::new()),
        true => (String::new(), format!(" fallback_hosts = {second}\n")),
    };
    let config = CONFIG
        .replace("LISTED", &listed)
        .replace("PORT1", &ports[0])
        .replace("OPTIONS", &[way.options, &fallback].concat())
        .replace("RETRY", way.retry);
    std::fs::write(&place.config, head + &config).expect("a configuration");
    // Fallback hosts hear of several recipients in another order.
    let all = ["-odf", "-f", "s@other.test", "a@x.test", "b@x.test"];
    let args = if way.is_fallback { &all[..4] } else { &all };
    place.run(program, args, "Subject: x\n\ntext\n");
    let log = |name: &str| std::fs::read(place.path(name)).unwrap_or_default();
    let logs = ["mainlog", "paniclog"].map(log);
    let mut lines: Vec<String> = logs
        .iter()
        .flat_map(|log| String::from_utf8_lossy(log).lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.contains(" <= ") && !line.contains("lost privilege"))
        .map(|line| without_ids(undated(&line)))
        .map(|line| line.replace(&ports[0], "PORT1").replace(&ports[1], "PORT2"))
        .collect();
    // The end of all tries is told of in another order.
    lines.sort();
    for (at, host) in hosts.iter().enumerate() {
        lines.extend(host.heard().iter().map(|line| format!("C{at}: {line}")));
    }
    let files = place.files("input");
    let report = files.iter().find(|(name, text)| {
        name.ends_with("-H") && memchr::memmem::find(text, b"X-Failed-Recipients").is_some()
    });
    if let Some((name, _)) = report {
        let text = &files[&name.replace("-H", "-D")];
        let text = String::from_utf8_lossy(text);
        let reasons = text.split("--").filter(|part| part.contains("failed"));
        let reasons = reasons.flat_map(str::lines).filter(|line| !line.contains("-eximdsn-"));
        let mut reasons: Vec<String> = reasons.map(|line| without_ids(line).to_owned()).collect();
        reasons.sort();
        lines.extend(
            reasons.iter().filter(|line| !line.is_empty()).map(|line| format!("R: {line}")),
        );
    }
    lines.push(format!("kept: {}", files.len()));
    lines.join("\n")
}

/// Both programs treat such pairs of hosts alike.
#[test]
fn several_hosts_are_tried_as_exim_tries_them() {
    let Some(exim) = reference() else { return };
    let mut questions = Vec::new();
    for way in WAYS {
        for first in FIRST {
            for second in SECOND {
                questions.push(([*first, *second], *way));
            }
        }
    }
    pairs::are_alike(questions, "SEVERAL_HOSTS", 2, |(hosts, way)| {
        [&exim, OURS].map(|program| told(program, hosts, way))
    });
}
