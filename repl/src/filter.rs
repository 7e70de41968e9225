//! `-bf` and `-bF`: what a filter would have done with a message (specification
//! 5.2; the document about filters, 1.3).

mod show;

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;

use eximious::filter::{self, FilterEnd, FilterKind, FilterOptions, sieve};
use eximious::route::forwarding;
use eximious::stdlib::message::shown_recipients;
use eximious::stdlib::wording::reason;
use eximious::{Str, opt, var};

use crate::message;
use crate::output;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use show::{ActionLog, noting};

/// How large a filter file, and a message, may be.
const LARGEST: u64 = 64 << 20;

/// `-bf`, `-bF`: filters are to be tested.
#[derive(Debug)]
pub struct FilterRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// Which ones, and for whom.
    pub filters: Filters,
}

/// What is to be tested, and for whom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filters {
    /// `-bF`: a system filter.
    pub system: Option<Vec<u8>>,
    /// `-bf`: a user's filter.
    pub user: Option<Vec<u8>>,
    /// `-bfd`: the recipient's domain.
    pub domain: Option<Vec<u8>>,
    /// `-bfl`: the recipient's local part.
    pub local_part: Option<Vec<u8>>,
    /// `-bfp`: what stands before it.
    pub prefix: Vec<u8>,
    /// `-bfs`: what stands behind it.
    pub suffix: Vec<u8>,
}

impl Filters {
    /// Whether there is one to be tested.
    pub fn any(&self) -> bool {
        self.system.is_some() || self.user.is_some()
    }
}

/// Tests filters with the message on the standard input.
///
/// # Errors
/// A file can't be read, or there is nobody to read the answer.
pub fn run(request: FilterRequest, output: &Arc<Output>) -> Result<ExitCode, Refusal> {
    let FilterRequest { setup, filters: request } = request;
    let (reading, verbose) = (setup.reading.clone(), setup.verbose);
    let session = &mut Session::start(setup, output::test_world(output, verbose))?;
    let files = [(&request.system, true), (&request.user, false)];
    let files: Vec<(&[u8], bool)> =
        files.iter().filter_map(|(file, system)| Some((file.as_deref()?, *system))).collect();
    // A file that is not there is reported before the message is read.
    let mut texts = Vec::new();
    for (file, _) in &files {
        texts.push(text_of(session, file)?);
    }
    session.work_in_spool();
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LARGEST).read_to_end(&mut bytes);
    read.map_err(|why| Refusal::Said(format!("eximious: {why}").into_bytes()))?;
    let taken = message::take(session, &bytes, &reading);
    say(output, &taken.said);
    // Exim counts lines before it reads the body.
    if let Some(mut message) = session.context().take_message() {
        message.lines = message.lines.saturating_sub(message.body_lines);
        session.context().set_message(Some(message));
    }
    let envelope = Envelope::new(session, &request);
    envelope.set(session, taken.has_return_path, output);
    let mut code = ExitCode::SUCCESS;
    for ((file, system), text) in files.into_iter().zip(texts) {
        let recipients = if system { envelope.recipient() } else { Vec::new() };
        let recipients = Some(&recipients[..]).filter(|text| !text.is_empty());
        for (variable, value) in shown_recipients(recipients.into_iter()) {
            session.context().set_var(variable, value);
        }
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                say(output, &[b"exim: error while reading ", file, b": ", &why, b"\n"].concat());
                return Ok(finish(output, ExitCode::FAILURE));
            }
        };
        let kind = FilterKind::of(&text);
        let name = match kind {
            Some(FilterKind::Sieve) => "Sieve filter",
            None if !system => "forward file",
            _ => "Exim filter",
        };
        let head = [b"Testing ", name.as_bytes(), b" file \"", file, b"\"\n\n"].concat();
        say(output, &head);
        // A system filter is one of Exim's, whatever it calls itself.
        let fine = match kind {
            _ if system => test_exim(session, &text, system, verbose, output),
            Some(FilterKind::Exim) => test_exim(session, &text, system, verbose, output),
            Some(FilterKind::Sieve) => {
                test_sieve(session, &text, verbose, output);
                true
            }
            None => test_list(session, text, output),
        };
        if !fine {
            code = ExitCode::FAILURE;
            break;
        }
    }
    Ok(finish(output, code))
}

fn say(output: &Output, text: &[u8]) {
    // Where the standard output is closed, the end finds out.
    let _ = output.put(text, b"");
}

fn finish(output: &Output, code: ExitCode) -> ExitCode {
    match output.flush() {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What stands in a file, or why it can't be read although it is there.
fn text_of(session: &Session, file: &[u8]) -> Result<Result<Vec<u8>, Vec<u8>>, Refusal> {
    match session.engine().world().files.read(file, LARGEST) {
        Ok(text) => Ok(Ok(text.to_vec())),
        Err(why) if why.kind() == io::ErrorKind::IsADirectory => Ok(Err(reason(&why).into_bytes())),
        Err(why) => {
            let why = reason(&why);
            Err(Refusal::Said([b"exim: failed to open ", file, b": ", why.as_bytes()].concat()))
        }
    }
}

/// Whom the message is for.
struct Envelope {
    local_part: Vec<u8>,
    domain: Vec<u8>,
    prefix: Vec<u8>,
    suffix: Vec<u8>,
}

impl Envelope {
    fn new(session: &mut Session, request: &Filters) -> Self {
        let domain = request.domain.clone().unwrap_or_else(|| session.recipient_domain());
        let login = || session.caller().map_or_else(Vec::new, |user| user.name);
        let local_part = request.local_part.clone().unwrap_or_else(login);
        let Filters { prefix, suffix, .. } = request.clone();
        Self { local_part, domain, prefix, suffix }
    }

    fn recipient(&self) -> Vec<u8> {
        [&self.prefix, &self.local_part, &self.suffix, b"@".as_slice(), &self.domain].concat()
    }

    /// Gives the session its values, and says them.
    fn set(&self, session: &mut Session, has_return_path: bool, output: &Output) {
        let home = session.caller().map(|user| user.home).unwrap_or_default();
        let values: [(&str, &[u8]); 6] = [
            ("local_part", &self.local_part),
            ("original_local_part", &self.local_part),
            ("domain", &self.domain),
            ("original_domain", &self.domain),
            ("local_part_prefix", &self.prefix),
            ("local_part_suffix", &self.suffix),
        ];
        for (name, value) in values {
            session.set(name.as_bytes(), Str::tainted(value));
        }
        session.set(b"home", Str::from(home));
        session.set(b"recipients_count", Str::fixed("1"));
        if session.expand(b"$received_protocol").is_ok_and(|protocol| protocol.is_empty()) {
            session.set(b"received_protocol", Str::fixed("local"));
        }
        let sender = session.expand(b"$sender_address").unwrap_or_default();
        let shown = |text: &Str| match text.is_empty() {
            true => b"<>".to_vec(),
            false => text.bytes().to_vec(),
        };
        let mut out = Vec::new();
        if has_return_path {
            let path = session.expand(b"$return_path").unwrap_or_default();
            out.extend_from_slice(&[b"Return-path = ".as_slice(), &shown(&path), b"\n"].concat());
        } else {
            session.set(b"return_path", sender.clone());
            out.extend_from_slice(b"Return-path copied from sender\n");
        }
        out.extend_from_slice(&[b"Sender      = ".as_slice(), &shown(&sender), b"\n"].concat());
        let recipient = self.recipient();
        out.extend_from_slice(&[b"Recipient   = ".as_slice(), &recipient, b"\n"].concat());
        for (name, value) in [("Prefix", &self.prefix), ("Suffix", &self.suffix)] {
            if !value.is_empty() {
                out.extend_from_slice(&[name.as_bytes(), b"    = ", value, b"\n"].concat());
            }
        }
        say(output, &out);
    }
}

/// Whether all went well.
fn test_exim(
    session: &mut Session,
    text: &[u8],
    system: bool,
    verbose: bool,
    output: &Output,
) -> bool {
    let cx = session.context();
    let top = cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
    let mut shown = ActionLog::new(output, verbose, top);
    let done = noting(cx, verbose, |cx| {
        filter::exim(cx, text, &FilterOptions::for_test(system), &mut shown)
    });
    if system {
        for (variable, left) in var::SYSTEM_COUNTERS.into_iter().zip(done.counters) {
            cx.set_var(variable, left.to_string());
        }
    }
    let end: Vec<u8> = match &done.end {
        FilterEnd::Error(why) => [b"Filter error: ", why.as_slice(), b"\n"].concat(),
        FilterEnd::Defer(_) => b"Filtering ended by \"defer\".\n".to_vec(),
        FilterEnd::Fail(_) => b"Filtering ended by \"fail\".\n".to_vec(),
        FilterEnd::Freeze(_) => b"Filtering ended by \"freeze\".\n".to_vec(),
        FilterEnd::Finished if done.significant => {
            let one = "Filtering set up at least one significant delivery or other action.\n";
            [one, "No other deliveries will occur.\n"].concat().into_bytes()
        }
        FilterEnd::Finished => {
            let none = "Filtering did not set up a significant delivery.\n";
            [none, "Normal delivery will occur.\n"].concat().into_bytes()
        }
    };
    say(output, &end);
    !matches!(done.end, FilterEnd::Error(_))
}

/// To Exim, the exit status of this is that all went well, whatever is wrong.
fn test_sieve(session: &mut Session, text: &[u8], verbose: bool, output: &Output) {
    let settings = sieve::SieveOptions { test: true, ..sieve::SieveOptions::default() };
    let done = noting(session.context(), verbose, |cx| sieve::run(cx, text, &settings));
    say(
        output,
        &match &done.end {
            FilterEnd::Error(why) => [b"Sieve error: ", why.as_slice(), b"\n"].concat(),
            _ if done.significant => b"No implicit keep\n".to_vec(),
            _ => b"Implicit keep\n".to_vec(),
        },
    );
}

/// A file that is no filter.
fn test_list(session: &mut Session, mut text: Vec<u8>, output: &Output) -> bool {
    // Exim reads it up to its first zero byte.
    text.truncate(memchr::memchr(0, &text).unwrap_or(text.len()));
    let list = Str::tainted(text);
    let forwarding = match forwarding(session.context(), &list) {
        Ok(forwarding) => forwarding,
        Err(why) => {
            say(output, &[b"exim: error in forward file: ", why.as_slice(), b"\n"].concat());
            return false;
        }
    };
    if forwarding.discards {
        say(output, b"exim: forwardfile contains \":blackhole:\"\n");
    }
    match forwarding.items.as_slice() {
        [] => say(output, b"exim: no addresses generated from forward file\n"),
        items => {
            say(output, b"exim: forward file generated:\n");
            // Exim has the last one first.
            for item in items.iter().rev() {
                say(output, &[b"  ", item.as_slice(), b"\n"].concat());
            }
        }
    }
    true
}
