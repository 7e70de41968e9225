//! The command line, in Exim's own style (specification, chapter 5): one dash,
//! and values attached to their options or in the next argument.

mod called;
mod command;
mod decide;
mod given;
mod patience;
mod queue_work;
mod reports;
mod rules;
mod values;

use std::net::SocketAddr;
use std::time::Duration;

use eximious::debugging::DebugSelector;
use eximious::route::Purpose;
use eximious::stdlib::interval::seconds;
use eximious::stdlib::options::LONGEST_SYSLOG_NAME;
use eximious::world::spool::is_message_id;
use eximious::{Macros, Var, var};
use eximious_mta::spool::queue::Listing;
use eximious_mta::submission::Errors;

use crate::deliver;
use crate::handover::DeliveryTime;
use crate::prompt::PromptRequest;
use crate::queue::MessagePart;
use crate::refusal::Stop;
use crate::rights::Claim;
use crate::session::Setup;
use crate::{commands, daemon, filter, malware, queue, rewrite, route, show, smtp, submit};
pub use called::{CalledAs, parse};
use given::Asked;
pub(crate) use given::Given;
use rules::{Takes, Then};
use values::{address_and_port, bounded, host, message_id, missing_value, number, sender, unknown};

/// What came of reading the command line.
#[derive(Debug)]
pub struct ReadArguments {
    /// `-bV`: whether the version is told before anything else, be it a complaint about what
    /// stands behind it.
    pub tells_version: bool,
    /// What is asked for.
    pub options: Result<Options, Stop>,
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// What decides whose rights that has.
    pub claim: Claim,
    /// What to do.
    pub action: Job,
}

/// What to do, and what has to be known for it.
#[derive(Debug)]
pub enum Job {
    /// Nothing was asked for: say what the program is.
    Usage(Setup),
    /// `--help`: say how to begin.
    Start,
    /// `-bI:dscp`: list names of code points.
    Dscp,
    /// `-bi`: run `bi_command`.
    BuildAliases(AliasRequest),
    /// Say which version it is, and what it knows.
    Version(Setup),
    /// Expand the texts, or what is typed.
    Expand(ExpandRequest),
    /// `-bI:help`.
    Information,
    /// `-bI:sieve`: list what a Sieve script may require.
    SieveExtensions,
    /// `-oPX`: take away the file with the number of the daemon that calls this.
    RemovePidFile(Option<Vec<u8>>),
    /// Print what the configuration says.
    Show(show::ShowRequest),
    /// A command of this program's own.
    Command(commands::CommandRequest),
    /// Its page.
    Page(String),
    /// `-brw`: rewrite an address.
    Rewrite(rewrite::RulesRequest),
    /// `-brt`: find a rule for retries.
    Retry(rewrite::RulesRequest),
    /// `-bt`, `-bv`, `-bvs`: say where addresses go.
    Route(route::RouteRequest),
    /// `-bf`, `-bF`: test filters.
    Filter(filter::FilterRequest),
    /// `-bd`, `-bdf`, `-bw`: take connections.
    Daemon(daemon::Source, daemon::DaemonRequest),
    /// `-bh`: speak SMTP, as if with this host.
    Host(smtp::HostRequest),
    /// `-bs`: speak SMTP with whoever runs the program, or called.
    Session(smtp::local::LocalRequest),
    /// `-atrn`: fetch mail from a provider.
    Fetch(smtp::customer::CustomerRequest),
    /// `-bS`: read messages with SMTP commands before each.
    Batch(smtp::batch::BatchRequest),
    /// `-bp` and its kin: list the messages that wait.
    Queue(queue::ListRequest),
    /// `-Mvh` and its kin: print a file of a message.
    View(queue::ViewRequest),
    /// `-bmalware`: have a file scanned.
    Scan(malware::ScanRequest),
    /// `-M` and its kin, `-q`: deliver messages, or change them.
    Deliver(deliver::DeliverRequest),
    /// Take a message from the standard input.
    Submit(submit::SubmitRequest),
    /// `-z`: write a line to the log, whatever else is asked for.
    Log(LogRequest),
}

/// `-z`: a line is to be logged.
#[derive(Debug)]
pub struct LogRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// The line.
    pub line: Vec<u8>,
    /// Whether it is shown, since something is only tested.
    pub shown: bool,
}

/// `-be`: strings are to be expanded.
#[derive(Debug, Default)]
pub struct ExpandRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// The strings; with none, those that are typed.
    pub texts: Vec<Vec<u8>>,
    /// What there is to be done at the prompt of our own.
    pub prompt: PromptRequest,
}

/// `-bi`: the file of aliases is to be built.
#[derive(Debug)]
pub struct AliasRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// `-oA`: the file.
    pub argument: Option<Vec<u8>>,
}

/// How many `-D` options there may be.
const MOST_MACROS: usize = 10;

struct Parser<'a> {
    args: &'a [Vec<u8>],
    /// What is asked for, one after the other.
    asked: Vec<Asked>,
    /// What is done of it, once that is decided.
    action: Option<Asked>,
    /// An option of Exim's that is not to be had, why, and whether it would have
    /// its way where `-be` is given too.
    later: Option<(Vec<u8>, &'static str, bool)>,
    /// Whether what is left is no option, whatever it looks like.
    ended: bool,
    /// Whether the option at hand is what the program's name means, and nobody wrote it.
    is_implied: bool,
    called: CalledAs,
    given: Given,
}

impl<'a> Parser<'a> {
    fn new(called: CalledAs, args: &'a [Vec<u8>]) -> Self {
        let given = Given { by_rmail: called == CalledAs::Rmail, ..Given::default() };
        let (asked, action, later) = (Vec::new(), None, None);
        Self { args, asked, action, later, ended: false, is_implied: false, called, given }
    }

    /// Reads all options, and a command of this program's own.
    fn read(&mut self) -> Result<(), Stop> {
        self.is_implied = true;
        for option in self.called.options() {
            self.option(option.as_bytes())?;
        }
        self.is_implied = false;
        while let Some(arg) = self.args.first() {
            if self.ended || !arg.starts_with(b"-") {
                break;
            }
            self.args = &self.args[1..];
            if arg == b"--" {
                self.given.takes_message = true;
                break;
            }
            self.option(arg)?;
        }
        self.command()
    }

    fn next(&mut self) -> Option<&'a Vec<u8>> {
        let (first, rest) = self.args.split_first()?;
        self.args = rest;
        Some(first)
    }

    fn option(&mut self, arg: &'a [u8]) -> Result<(), Stop> {
        let Some((rule, attached)) = rules::find(arg) else {
            return Err(unknown(arg, self.args.is_empty()));
        };
        let name = rule.name;
        self.given.takes_message |= command::is_of_message(name);
        let value = match rule.takes {
            Takes::Nothing => b"".as_slice(),
            Takes::Attached => attached,
            Takes::Value(_) if !attached.is_empty() => attached,
            Takes::Next(missing) | Takes::Value(missing) => match self.next() {
                Some(value) => value,
                // Where nothing more is said of the body, it is what it is.
                None if name == "-B" => return Ok(()),
                None => return Err(missing_value(missing, arg)),
            },
        };
        bounded(name, value)?;
        match rule.then {
            Then::Ignore => Ok(()),
            Then::Later(what, wins) => {
                let batch = arg == b"-bS";
                let known = self.later.as_ref().is_some_and(|(_, _, other)| *other || !wins);
                let known = known && !(batch && self.speaks());
                if !known {
                    self.later = Some((arg.to_vec(), what, wins));
                }
                Ok(())
            }
            Then::Variable(variable) => self.variable(name, variable, value),
            Then::Own => self.own(name, arg, value),
        }
    }

    /// The options that mean something to this program.
    fn own(&mut self, name: &str, arg: &[u8], value: &[u8]) -> Result<(), Stop> {
        match name {
            "-be" => self.asked.push(Asked::Expand),
            "-bem" => {
                self.asked.push(Asked::Expand);
                self.given.message = Some(value.to_vec());
            }
            "-bP" => self.asked.push(Asked::Show),
            "-bh" | "-bhc" => {
                self.given.calls_out = name == "-bhc";
                let Some((address, port)) = address_and_port(value) else {
                    self.note_no_address(value);
                    self.asked.push(Asked::Host(SocketAddr::from(([0; 4], 0))));
                    return Ok(());
                };
                if let Some(host) = host(address, port) {
                    self.asked.push(Asked::Host(host));
                }
            }
            "-bd" | "-bdf" => {
                self.given.daemon.foreground |= name == "-bdf";
                self.given.listens = true;
            }
            "-bw" => {
                let time = match value {
                    b"" => None,
                    _ => Some(
                        seconds(value)
                            .and_then(|time| u64::try_from(time).ok())
                            .filter(|time| *time > 0),
                    ),
                };
                let Some(time) = time.map_or(Some(None), |time| time.map(Some)) else {
                    let message = [b"bad time value ", arg, b": abandoned"].concat();
                    return Err(Stop::exim(message));
                };
                self.given.daemon.inherited = Some(time.map(Duration::from_secs));
                self.given.listens = true;
            }
            "-oX" => self.given.daemon.interfaces = Some(value.to_vec()),
            "-tls-on-connect" => self.given.daemon.begins_with_tls = true,
            "-oP" => self.given.daemon.pid_file = Some(value.to_vec()),
            "-oY" => self.given.daemon.unnotified = true,
            "-oPX" => {
                let file = self.given.daemon.pid_file.take();
                self.asked.push(Asked::RemovePidFile(file));
                self.ended = true;
            }
            "-brt" | "-brw" => {
                self.asked.push(if name == "-brw" { Asked::Rewrite } else { Asked::Retry });
                self.ended = true;
            }
            "-bt" => return self.route(Purpose::Test),
            "-bv" => return self.route(Purpose::VerifyRecipient),
            "-bvs" => return self.route(Purpose::VerifySender),
            "-v" | "-ov" => self.given.verbose = true,
            "-n" => self.given.values_only = true,
            "-bF" | "-bf" | "-bfd" | "-bfl" | "-bfp" | "-bfs" => self.filter(name, value),
            "-bp" | "-bpa" | "-bpc" | "-bpi" | "-bpr" | "-bpra" | "-bpri" | "-bpru" | "-bpu" => {
                let has = |letter| name["-bp".len()..].contains(letter);
                self.asked.push(Asked::Queue(Listing {
                    all: has('a'),
                    undelivered: has('u'),
                    names: has('i'),
                    count: has('c'),
                }));
            }
            "-Mset" => {
                self.given.stored = Some(message_id(name, value)?);
            }
            "-Mvb" | "-Mvc" | "-Mvh" | "-Mvl" => return self.view(name, value),
            "-q" => return self.run_queue(arg, value),
            "-R" => return self.select_for(b'R', arg, value),
            "-S" => return self.select_for(b'S', arg, value),
            "-atrn" => {
                let Some(domains) = self.next() else {
                    return Err(Stop::exim("host and domainlist expected after -atrn"));
                };
                self.asked.push(Asked::Fetch(value.to_vec(), domains.clone()));
            }
            "-M" | "-MG" | "-Mc" | "-Mg" | "-Mf" | "-Mt" | "-Mrm" | "-Mmad" | "-Mmd" | "-Mar"
            | "-Mes" => {
                return self.handle(name, value);
            }
            "-bV" | "--version" => self.given.tells_version = true,
            "--help" if self.called == CalledAs::Eximious => self.asked.push(Asked::Start),
            "--help" => self.asked.push(Asked::Usage),
            "-bi" => {
                let apart = self.has(|asked| matches!(asked, Asked::Route(_)));
                self.asked.push(Asked::BuildAliases);
                return if apart { Err(Stop::incompatible()) } else { Ok(()) };
            }
            "-bmalware" => self.given.scanned = Some(value.to_vec()),
            "-oA" => self.given.aliases = Some(value.to_vec()),
            "-bI:" => self.information(value),
            "-C" => self.given.config = Some(value.to_vec()),
            "-D" => return self.macro_option(arg, value),
            "-d" => {
                let selector = rules::debugging(value).map_err(Stop::exim)?;
                self.given.verbose |= selector.has(DebugSelector::VERBOSE);
                self.given.debug = Some(selector);
            }
            "-F" => self.given.full_name = Some(value.to_vec()),
            "-f" | "-r" => self.given.sender = Some(sender(value)?),
            "-i" | "-oi" | "-oitrue" => self.given.dot_is_text = true,
            "-bnq" => self.given.leaves_unqualified = true,
            "-t" => self.given.recipients_in_header = true,
            "-ti" => {
                self.given.recipients_in_header = true;
                self.given.dot_is_text = true;
            }
            "-L" => match value.len() {
                0 => return Err(Stop::exim(b"the -L syslog name is too short")),
                1..=LONGEST_SYSLOG_NAME => self.given.syslog_name.0 = Some(value.to_vec()),
                _ => {
                    let said = [b"the -L syslog name is too long: \"", value, b"\""].concat();
                    return Err(Stop::exim(said));
                }
            },
            "-z" if arg == b"-z" => self.given.log_line = Some(value.to_vec()),
            "-h" => return number(name, arg, value),
            "-oB" => {
                number(name, arg, value)?;
                let is_number = |next: &&Vec<u8>| next.iter().all(u8::is_ascii_digit);
                let value = match self.args.first().filter(is_number) {
                    Some(next) if value.is_empty() => {
                        self.next();
                        next
                    }
                    _ => value,
                };
                let most = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.given.most_messages = Some(most.unwrap_or(1));
                self.given.daemon.most_messages = self.given.most_messages;
            }
            "-or" | "-os" => return self.time(arg, value),
            "-oMm" if !is_message_id(value) => {
                return Err(Stop(b"-oMm must be a valid message ID".to_vec()));
            }
            "-oMm" => self.given.about = Some(value.to_vec()),
            "-oDSN" => return reports::ask(&mut self.given.reports, value),
            "-E" => self.given.note_error(value),
            "-G" => self.given.leaves_header = true,
            "-N" => {
                self.given.pretends = true;
                self.given.verbose = true;
            }
            "-odb" | "-odf" | "-odi" | "-odq" | "-odqs" => {
                self.given.when = Some(match name {
                    "-odb" => DeliveryTime::Background,
                    "-odq" => DeliveryTime::Queued,
                    "-odqs" => DeliveryTime::RemoteQueued,
                    _ => DeliveryTime::Foreground,
                });
                self.given.daemon.when = self.given.when;
            }
            "-ee" | "-oee" => {
                self.given.errors = Errors::Mailed;
                self.given.is_quiet = true;
            }
            "-em" | "-ew" | "-oem" | "-oew" => self.given.errors = Errors::Mailed,
            "-ep" | "-eq" | "-oep" | "-oeq" => self.given.errors = Errors::Printed,
            "-p" => {
                let colon = value.iter().position(|c| *c == b':').unwrap_or(value.len());
                self.variable(name, var::RECEIVED_PROTOCOL, &value[..colon])?;
                if let Some(host) = value.get(colon + 1..) {
                    self.variable(name, var::SENDER_HOST_NAME, host)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `-Mvh` and its kin: a file of a message.
    fn view(&mut self, name: &str, id: &[u8]) -> Result<(), Stop> {
        let id = message_id(name, id)?;
        let view = match name {
            "-Mvb" => MessagePart::Body,
            "-Mvc" => MessagePart::Whole,
            "-Mvh" => MessagePart::Header,
            _ => MessagePart::Log,
        };
        self.asked.push(Asked::View(view, id));
        Ok(())
    }

    /// `-bt` does not go together with `-bv` and `-bvs`; of those, the latter has its way.
    fn route(&mut self, purpose: Purpose) -> Result<(), Stop> {
        let tests = purpose == Purpose::Test;
        let other =
            |asked: &Asked| matches!(asked, Asked::Route(it) if (*it == Purpose::Test) != tests);
        let apart = self.has(|asked| *asked == Asked::BuildAliases || other(asked));
        let of_sender = self.has(|asked| *asked == Asked::Route(Purpose::VerifySender));
        self.asked.push(Asked::Route(if of_sender { Purpose::VerifySender } else { purpose }));
        if apart { Err(Stop::incompatible()) } else { Ok(()) }
    }

    /// What is to be tested of filters, and for whom.
    fn filter(&mut self, name: &str, value: &[u8]) {
        let value = value.to_vec();
        let request = &mut self.given.filters;
        match name {
            "-bF" => request.system = Some(value),
            "-bf" => request.user = Some(value),
            "-bfd" => request.domain = Some(value),
            "-bfl" => request.local_part = Some(value),
            "-bfp" => request.prefix = value,
            _ => request.suffix = value,
        }
    }

    fn information(&mut self, topic: &[u8]) {
        let asked = match topic {
            b"help" => Asked::Information,
            b"sieve" => Asked::SieveExtensions,
            b"dscp" => Asked::Dscp,
            b"modules" => {
                let arg = [b"-bI:", topic].concat();
                self.later =
                    Some((arg, "asks for modules that are loaded, and there are none", true));
                return;
            }
            _ => {
                // One that is known says where the help goes.
                self.given.unknown_topic |= !self.has(Asked::lists);
                self.asked.push(Asked::Information);
                return;
            }
        };
        self.given.unknown_topic = false;
        self.asked.push(asked);
    }

    /// `-DNAME=value`, `-D NAME = value`.
    fn macro_option(&mut self, arg: &[u8], text: &[u8]) -> Result<(), Stop> {
        let text = text.trim_ascii_start();
        if !Macros::is_definition(text) {
            let why = "macro name set by -D must start with an upper case letter";
            return Err(Stop::exim(why));
        }
        let end = text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let rest = rest.trim_ascii_start();
        let value = match rest.strip_prefix(b"=") {
            Some(value) => value.trim_ascii_start(),
            None if rest.is_empty() => rest,
            None => return Err(Stop::abandoned(arg)),
        };
        if self.given.macros.iter().count() >= MOST_MACROS {
            return Err(Stop::exim("too many -D options on command line"));
        }
        if !self.given.macros.set(name, value) {
            return Err(Stop::exim("duplicated -D in command line"));
        }
        Ok(())
    }

    /// `-oMa` and its like, which set variables.
    fn variable(&mut self, option: &str, var: Var, value: &[u8]) -> Result<(), Stop> {
        let is_set = self.given.variables.get(var).is_some();
        if var == var::RECEIVED_PROTOCOL && is_set {
            return Err(Stop(b"received_protocol is set already".to_vec()));
        }
        let port = match option {
            "-oMa" => Some(var::SENDER_HOST_PORT),
            "-oMi" => Some(var::RECEIVED_PORT),
            _ => None,
        };
        let Some(port_var) = port else {
            self.given.variables.set(var, value.to_vec());
            return Ok(());
        };
        let Some((address, port)) = address_and_port(value) else {
            self.note_no_address(value);
            return Ok(());
        };
        // Of `-bh` and `-oMa`, the later one says what the address of the test is.
        if self.has(|asked| matches!(asked, Asked::Host(_))) && option == "-oMa" {
            self.asked.extend(host(address, port).map(Asked::Host));
        }
        self.given.variables.set(var, address.to_vec());
        self.given.variables.set(port_var, port.to_string().into_bytes());
        Ok(())
    }

    /// What should be the address of a client is none, which is said once it is known what else
    /// is wrong.
    fn note_no_address(&mut self, value: &[u8]) {
        let message = [b"exim abandoned: \"", value, b"\" is not an IP address"];
        self.given.variables.note(message.concat());
    }

    fn finish(mut self, asked: Option<Asked>) -> Options {
        self.given.arguments = self.args.to_vec();
        let asked = asked.unwrap_or(Asked::Usage);
        Options { claim: self.given.claim(&asked), action: self.given.action(asked) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        parse(CalledAs::Eximious, &args)
            .options
            .map_err(|Stop(message)| String::from_utf8(message).unwrap())
    }

    fn action(args: &[&str]) -> Job {
        parsed(args).unwrap().action
    }

    fn texts(args: &[&str]) -> Vec<String> {
        let Job::Expand(request) = action(args) else { panic!("{args:?}") };
        request.texts.into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
    }

    #[test]
    fn options_end_at_the_first_text_or_at_two_dashes() {
        assert_eq!(texts(&["-be", "a", "-zz"]), ["a", "-zz"]);
        assert_eq!(texts(&["-be", "--", "-x"]), ["-x"]);
        assert_eq!(texts(&["-be", "-be", "x"]), ["x"]);
        assert_eq!(texts(&["-C", "f", "-Cg", "-v", "-d+all", "-oA", "q", "-be"]), [""; 0]);
    }

    #[test]
    fn addresses_may_have_ports() {
        for (text, answer) in [
            ("1.2.3.4", Some(("1.2.3.4", 0))),
            ("1.2.3.4.5", Some(("1.2.3.4", 5))),
            ("[1.2.3.4]:5", Some(("1.2.3.4", 5))),
            ("[::1]", Some(("::1", 0))),
            ("::1.25", Some(("::1", 25))),
            ("x", None),
            ("[1.2.3.4]x", None),
            ("", None),
        ] {
            let answer = answer.map(|(address, port)| (address.as_bytes(), port));
            assert_eq!(address_and_port(text.as_bytes()), answer, "{text}");
        }
    }

    #[test]
    fn what_comes_later_is_named() {
        for args in [&["-bd", "-q30m"][..], &["-q30m", "-bdf"], &["-q30m"], &["-q1h", "-q5m"]] {
            let Job::Daemon(_, request) = action(args) else { panic!("{args:?}") };
            assert_eq!(request.only_runs, args.len() == 1 || args[0] == "-q1h", "{args:?}");
            assert!(!request.runs.is_empty(), "{args:?}");
        }
        assert!(matches!(action(&["-q"]), Job::Deliver(_)));
        assert!(matches!(action(&["-R", "x"]), Job::Deliver(_)));
        assert!(matches!(action(&["-Mrm", "1xUSRE-000000008A6-0Qit"]), Job::Deliver(_)));
        let listing = Listing { undelivered: true, ..Listing::default() };
        let Job::Queue(request) = action(&["-bpru", "-qGx"]) else { panic!("no list") };
        assert_eq!((request.listing, request.queue.as_slice()), (listing, b"x".as_slice()));
        assert!(matches!(action(&["-bs"]), Job::Session(_)));
        for args in [
            &["-bs", "-t"][..],
            &["-R", "x", "-t"],
            &["-R", "x", "-bt", "y"],
            &["-R", "x", "y"],
            &["-q", "-bS"],
            &["-bS", "-bt", "x"],
            &["-bi", "x"],
            &["-bd", "x"],
            &["-bd", "-q"],
            &["-q30m", "-bp"],
        ] {
            assert!(parsed(args).unwrap_err().contains("incompatible"), "{args:?}");
        }
        assert!(parsed(&["-L", "", "-bV"]).unwrap_err().contains("too short"));
        assert_eq!(texts(&["-bs", "-be", "x"]), ["x"]);
        for args in [&["a@b"][..], &["-t"], &["-bm", "-odq", "x"], &["-ti", "-oep"]] {
            assert!(matches!(action(args), Job::Submit(_)), "{args:?}");
        }
        assert!(matches!(action(&["-bm", "-odq"]), Job::Usage(_)));
    }
}
