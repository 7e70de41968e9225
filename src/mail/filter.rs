//! Filters: what users want done with a message (the document about filters;
//! specification, chapters 22 and 47).
//!
//! A filter delivers nothing. It says what is to be done: a list of
//! [`FilterAction`]s, in order, and how it ended. Routers make addresses of them.

mod exim;
mod options;
mod rights;
pub mod sieve;

use eximious_core::world::{LocalUser, UserFileOrder, UserFileWork};
use eximious_core::{Str, World};
use eximious_grammar::filter as tree;
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::wording::{reason, tainted};

use crate::Context;

pub use options::{FilterOptions, Forbidden};
pub use rights::with_rights_of;
pub(crate) use rights::{give_back, take_rights_of};

/// Obeys an Exim filter, whatever its first line says. The conversation's values
/// are the message and the address that it is for: `$local_part`, `$domain`, with
/// `$local_part_prefix` and `$local_part_suffix`; `$sender_address`, `$home`.
///
/// With [`FilterOptions::system`] the message's headers may change. Everything
/// else is left as it was.
///
/// ```
/// use eximious::filter::{FilterAction, FilterEnd, FilterOptions, exim};
/// use eximious::{Engine, Str};
///
/// let mut cx = Engine::builder().build().context();
/// cx.set_message(Some(eximious::stdlib::message::parse(b"Subject: Make money\n\n")));
/// for (name, value) in [("local_part", "user"), ("domain", "here.example")] {
///     cx.set(name, value);
/// }
/// cx.set_clean("home", "/home/user");
/// cx.set("sender_address", Str::tainted(b"spam@example.com".as_slice()));
/// let text = b"if $h_subject: contains money then save mail/spam 640 endif";
/// let done = exim(&mut cx, text, &FilterOptions::default(), &mut ());
/// assert_eq!(done.end, FilterEnd::Finished);
/// assert!(done.significant);
/// for action in &done.actions {
///     match action {
///         FilterAction::Save { file, mode, .. } => {
///             assert_eq!(file.display(), "/home/user/mail/spam");
///             assert_eq!(*mode, Some(0o640));
///         }
///         other => panic!("{other:?}"),
///     }
/// }
/// ```
pub fn exim(
    cx: &mut Context,
    text: &[u8],
    options: &FilterOptions,
    observer: &mut dyn FilterObserver,
) -> Filtered {
    if options.forbid.exim_filter {
        let end = FilterEnd::Error(b"Exim filtering not enabled".to_vec());
        return Filtered { end, ..Filtered::default() };
    }
    let filter = tree::parse(text, options.allowed());
    match filter.fault {
        Some(fault) => Filtered { end: FilterEnd::Error(fault.message), ..Filtered::default() },
        None => exim::run(cx, &filter, options, observer),
    }
}

/// Writes what `logwrite` wants written, with a user's rights, up to what can't be. The
/// world's log is that of the message.
///
/// # Errors
/// Why a file can't be written to, in Exim's words.
pub fn write_logs(
    world: &World,
    user: &LocalUser,
    actions: &[FilterAction],
) -> Result<(), Vec<u8>> {
    /// The permissions of a new file, where a filter says none.
    const MODE: u32 = 0o600;
    let mut mode = MODE;
    for action in actions {
        match action {
            FilterAction::LogFile { mode: said, .. } => {
                mode = said.filter(|mode| *mode > 0).unwrap_or(MODE);
            }
            FilterAction::LogWrite { text, file: Some(file), .. } => {
                let work = UserFileWork::Append(mode, text.bytes().to_vec());
                let path = file.bytes().to_vec();
                let order = UserFileOrder { user: user.clone(), path, work };
                let done = match file.taint().is_tainted() {
                    true => {
                        world.log.panic(&tainted("filename", file.bytes()));
                        Err(std::io::ErrorKind::PermissionDenied.into())
                    }
                    false => world.mailboxes.file(&order),
                };
                if let Err(why) = done {
                    let why = match why.kind() {
                        // As of a file that is only read, with whose rights that was.
                        std::io::ErrorKind::PermissionDenied => {
                            format!("Permission denied (euid={} egid={})", user.uid, user.gid)
                        }
                        _ => reason(&why),
                    };
                    let head = [b"failed to open filter log file \"", file.bytes()].concat();
                    return Err([&head[..], b"\": ", why.as_bytes()].concat());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What came of a filter.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Filtered {
    /// What is to be done, in order; up to where it ended.
    pub actions: Vec<FilterAction>,
    /// Whether it arranged for the message: a significant action was among the
    /// others. If not, the message is delivered as if there were no filter.
    pub significant: bool,
    /// How it ended.
    pub end: FilterEnd,
    /// What it left in `$n0` to `$n9`. Those of a system filter are `$sn0` to
    /// `$sn9` in what comes after it.
    pub counters: [i32; 10],
}

/// How a filter ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum FilterEnd {
    /// It came to its end, or to `finish`.
    #[default]
    Finished,
    /// `defer`, with its text.
    Defer(Str),
    /// `fail`, with its text ([`logged_and_said`] takes it apart).
    Fail(Str),
    /// `freeze`, with its text.
    Freeze(Str),
    /// Something is wrong with it, in Exim's words. What an Exim filter wanted
    /// done before that is not done; with Sieve it is, and the message is kept.
    Error(Vec<u8>),
}

/// How a command is meant: `seen`, `unseen` and `noerror` in front of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Manner {
    /// Whether the message is arranged for by it.
    pub significant: bool,
    /// Whether `noerror` says that nobody hears of a failure.
    pub silent: bool,
}

/// Something that a filter wants done, or has done.
#[derive(Clone, PartialEq, Debug)]
pub enum FilterAction {
    /// Deliver to an address: `deliver`, Sieve's `redirect`.
    Deliver {
        /// The address, as it came out of the expansion.
        address: Str,
        /// Who hears of failures, where that is said.
        errors_to: Option<Str>,
        /// How it is meant.
        manner: Manner,
    },
    /// Append to a file or put into a directory: `save`.
    Save {
        /// The file, or a directory where a slash ends it; `$home` stands before
        /// it already where that is wanted.
        file: Str,
        /// The mode of the file, where it is said.
        mode: Option<u32>,
        /// How it is meant.
        manner: Manner,
    },
    /// Give to a command: `pipe`. A transport takes its words apart and expands
    /// each of them.
    Pipe {
        /// The command, not expanded.
        command: Str,
        /// `$0`, `$1`, … as they were here, for its expansion.
        numeric: Vec<Str>,
        /// `$thisaddress` as it was here.
        this_address: Str,
        /// How it is meant.
        manner: Manner,
    },
    /// Send a message: `mail`, `vacation`, and Sieve's `vacation`.
    Mail {
        /// The message.
        reply: Box<AutoReply>,
        /// How it is meant.
        manner: Manner,
    },
    /// Send no message, although `mail` or `vacation` says so: the return path is
    /// empty, so that it would be an answer to an error message.
    NoMail {
        /// Whether it was `vacation`.
        vacation: bool,
        /// How it is meant.
        manner: Manner,
    },
    /// `logfile`: where what follows is logged.
    LogFile {
        /// The file.
        file: Str,
        /// The mode, for a file that is new.
        mode: Option<u32>,
        /// How it is meant.
        manner: Manner,
    },
    /// `logwrite`: a text for the file, which is the last one that was named.
    LogWrite {
        /// The text, newline included.
        text: Str,
        /// The file; `None` where none was named yet, which is fine in a test.
        file: Option<Str>,
        /// How it is meant.
        manner: Manner,
    },
    /// `headers add`, done with the message of the context already.
    AddHeader {
        /// The lines.
        text: Str,
    },
    /// `headers remove`, done with the message of the context already.
    RemoveHeaders {
        /// The names, with colons between them.
        names: Str,
    },
    /// `headers charset`: what headers are translated to, until the filter ends.
    Charset {
        /// The character set.
        name: Str,
    },
    /// `add`: done already.
    Add {
        /// How much.
        amount: i32,
        /// Which of `$n0` to `$n9`.
        counter: u8,
    },
    /// `testprint`: shown in a test.
    TestPrint {
        /// The text.
        text: Str,
        /// How it is meant.
        manner: Manner,
    },
    /// `finish`.
    Finish {
        /// How it is meant.
        manner: Manner,
    },
    /// `defer`, `fail` or `freeze`, which end the filter.
    End {
        /// Its word.
        word: &'static str,
        /// Its text.
        text: Str,
    },
    /// Sieve: put into the usual mailbox.
    Keep {
        /// Whether nothing else was said, so that this is what is done.
        implicit: bool,
        /// Flags for the message.
        flags: Vec<Str>,
    },
    /// Sieve: put into a mailbox.
    FileInto {
        /// The mailbox.
        mailbox: Str,
        /// Flags for the message.
        flags: Vec<Str>,
        /// Whether it is made where it does not exist.
        create: bool,
        /// How it is meant: `:copy` is not significant.
        manner: Manner,
    },
    /// Sieve: do nothing more.
    Discard,
    /// Sieve: refuse the message.
    Reject {
        /// Why.
        reason: Str,
    },
    /// Sieve: tell somebody.
    Notify(Box<Notice>),
}

impl FilterAction {
    /// How it is meant, where that can be said.
    pub fn manner(&self) -> Option<Manner> {
        match self {
            Self::Deliver { manner, .. }
            | Self::Save { manner, .. }
            | Self::Pipe { manner, .. }
            | Self::Mail { manner, .. }
            | Self::NoMail { manner, .. }
            | Self::LogFile { manner, .. }
            | Self::LogWrite { manner, .. }
            | Self::TestPrint { manner, .. }
            | Self::Finish { manner }
            | Self::FileInto { manner, .. } => Some(*manner),
            _ => None,
        }
    }

    /// Has the user vouch for what a filter of his wants to be written to and run, with his
    /// rights: it is his word, whatever it is made of. (In Exim it comes from a process of
    /// his.) Where Sieve's answers are remembered, the configuration says.
    pub fn vouch(&mut self) {
        let clean = |text: &mut Str| *text = Str::from(text.bytes());
        match self {
            Self::Save { file, .. } => clean(file),
            Self::FileInto { mailbox, .. } => clean(mailbox),
            Self::Pipe { command, numeric, .. } => {
                clean(command);
                numeric.iter_mut().for_each(clean);
            }
            Self::Mail { reply, .. } if !reply.vacation => {
                let files = [&mut reply.file, &mut reply.log, &mut reply.once];
                files.into_iter().flatten().for_each(clean);
            }
            _ => {}
        }
    }

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        let texts = |texts: &[&Str]| texts.iter().map(|text| text.bytes().len()).sum::<usize>();
        let optional = |texts: &[&Option<Str>]| {
            let lengths = texts.iter().map(|text| text.as_ref().map_or(0, |t| t.bytes().len()));
            lengths.sum::<usize>()
        };
        64 + match self {
            Self::Deliver { address, errors_to, .. } => texts(&[address]) + optional(&[errors_to]),
            Self::Save { file: text, .. }
            | Self::LogFile { file: text, .. }
            | Self::LogWrite { text, .. }
            | Self::AddHeader { text }
            | Self::RemoveHeaders { names: text }
            | Self::TestPrint { text, .. }
            | Self::Charset { name: text }
            | Self::End { text, .. } => texts(&[text]),
            Self::Pipe { command, numeric, .. } => {
                texts(&[command]) + texts(&numeric.iter().collect::<Vec<_>>())
            }
            Self::Mail { reply, .. } => {
                let AutoReply { to, cc, bcc, from, reply_to, subject, .. } = &**reply;
                let AutoReply { extra_headers, text, file, log, once, numeric, .. } = &**reply;
                optional(&[to, cc, bcc, from, reply_to, subject, extra_headers, text])
                    + optional(&[file, log, once])
                    + texts(&numeric.iter().collect::<Vec<_>>())
            }
            _ => 0,
        }
    }
}

/// A message that a filter wants sent.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AutoReply {
    /// Whether it was `vacation` that wants it.
    pub vacation: bool,
    /// Who gets it; without any of the three, whom the sender wants answered.
    pub to: Option<Str>,
    /// Who gets a copy.
    pub cc: Option<Str>,
    /// Who gets a copy that nobody sees.
    pub bcc: Option<Str>,
    /// The From header.
    pub from: Option<Str>,
    /// The Reply-To header.
    pub reply_to: Option<Str>,
    /// The subject.
    pub subject: Option<Str>,
    /// More header lines, without a newline at the end.
    pub extra_headers: Option<Str>,
    /// The text.
    pub text: Option<Str>,
    /// A file that follows the text.
    pub file: Option<Str>,
    /// Whether lines of the file are expanded: each with `numeric` and
    /// `this_address`.
    pub expand_file: bool,
    /// Whether the message follows.
    pub return_message: bool,
    /// Where each such message is noted.
    pub log: Option<Str>,
    /// Where it is remembered who has had it.
    pub once: Option<Str>,
    /// When somebody gets it again, in seconds; never where there is none.
    pub once_repeat: Option<u64>,
    /// The time as it was written.
    pub once_repeat_text: Option<Str>,
    /// `$0`, `$1`, … as they were here.
    pub numeric: Vec<Str>,
    /// `$thisaddress` as it was here.
    pub this_address: Str,
}

impl AutoReply {
    /// Whom it goes to: the addresses of `to`, or those that `$reply_address` has.
    /// What is no address does not count, and there may be none; a name may be without a
    /// domain.
    pub fn recipients(&self, reply_address: &Str) -> Vec<Vec<u8>> {
        let list = self.to.as_ref().unwrap_or(reply_address);
        let rules = Rules { literals: true, ..Rules::default() };
        let mut found = Vec::new();
        let mut rest = list.bytes();
        while !rest.is_empty() {
            rest = rest.trim_ascii_start();
            let end = address::find_end(rest, false);
            if let Ok(one) = address::parse(&rest[..end], rules) {
                found.push(one.text);
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        found
    }
}

/// A notification of Sieve's (RFC 5435), which is a message (RFC 5436).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Notice {
    /// How: `mailto:…`.
    pub method: Str,
    /// 1 is urgent, 2 is normal, 3 can wait.
    pub importance: Option<u8>,
    /// Parameters of the method.
    pub options: Vec<Str>,
    /// The text that was asked for.
    pub message: Option<Str>,
    /// Who sends it, unless the message that it is about has no sender.
    pub sender: Str,
    /// The From header.
    pub from: Str,
    /// The To header: who gets it.
    pub to: Str,
    /// The Subject header, encoded.
    pub subject: Str,
    /// The Auto-Submitted header.
    pub auto_submitted: Str,
    /// The text of the message.
    pub body: Str,
}

impl Notice {
    /// The notification as a message: its header, and its text.
    pub fn letter(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let fields = [
            ("From", &self.from),
            ("To", &self.to),
            ("Auto-Submitted", &self.auto_submitted),
            ("Subject", &self.subject),
        ];
        for (name, value) in fields {
            text.extend([name.as_bytes(), b": ", value.bytes(), b"\n"].concat());
        }
        text.extend([b"\n", self.body.bytes()].concat());
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text
    }
}

/// What hears of the actions of an Exim filter as soon as they are wanted. How its tests
/// came out is told to those who watch the context
/// ([`TraceKinds::FILTER`](crate::trace::TraceKinds::FILTER)).
pub trait FilterObserver {
    /// Something is wanted done. `depth` says how many `if` it stands in.
    fn action(&mut self, depth: u32, action: &FilterAction) {
        let _ = (depth, action);
    }
}

/// Nobody looks on.
impl FilterObserver for () {}

/// Which language a filter is written in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FilterKind {
    /// `# Exim filter`.
    Exim,
    /// `# Sieve filter`.
    Sieve,
}

impl FilterKind {
    /// What the first line says; `None` where it is no filter but a list of
    /// addresses.
    pub fn of(text: &[u8]) -> Option<Self> {
        let text = blanks(text.trim_ascii_start().strip_prefix(b"#")?);
        let kind = [(b"exim".as_slice(), Self::Exim), (b"sieve", Self::Sieve)];
        let (rest, kind) = kind.into_iter().find_map(|(word, kind)| {
            let (head, rest) = text.split_at_checked(word.len())?;
            head.eq_ignore_ascii_case(word).then_some((rest, kind))
        })?;
        let head = blanks(rest).get(..b"filter".len())?;
        head.eq_ignore_ascii_case(b"filter").then_some(kind)
    }
}

/// What is left after the blanks in front.
fn blanks(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|c| !matches!(c, b' ' | b'\t'));
    &text[end.unwrap_or(text.len())..]
}

/// The text of a `fail`, taken apart: what `<<` and `>>` enclose at its start is
/// for the log, the rest for the bounce. Without them, all is for both.
pub fn logged_and_said(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.strip_prefix(b"<<").and_then(|_| memchr::memmem::find(text, b">>"));
    match end {
        Some(end) => (&text[2..end], &text[end + 2..]),
        None => (text, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_it_is() {
        for (text, kind) in [
            ("# Exim filter", Some(FilterKind::Exim)),
            (" \n#EXIMfilters x", Some(FilterKind::Exim)),
            ("#eXim\tfilter", Some(FilterKind::Exim)),
            ("\n\n#Sieve filter\n", Some(FilterKind::Sieve)),
            ("# Exim\nfilter", None),
            ("#\nExim filter", None),
            ("x# Exim filter", None),
            ("# Exim filte", None),
            ("", None),
        ] {
            assert_eq!(FilterKind::of(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn a_reply_goes_to_addresses() {
        for (to, found) in [
            ("a@b, @", "a@b"),
            ("@, a@b", ""),
            ("a@b,,c@d", "a@b,c@d"),
            ("(x), a@b", "a@b"),
            ("x: a@b, c@d;", ""),
            ("Foo <a@b>, b", "a@b,b"),
            ("", ""),
        ] {
            let reply = AutoReply { to: Some(to.into()), ..AutoReply::default() };
            assert_eq!(reply.recipients(&"x@y".into()).join(&b','), found.as_bytes(), "{to}");
        }
        assert_eq!(AutoReply::default().recipients(&"x@y".into()), [b"x@y"]);
    }

    #[test]
    fn a_text_for_the_log_is_enclosed() {
        let both = |text: &'static str| logged_and_said(text.as_bytes());
        assert_eq!(both("<<a>>b"), (b"a".as_slice(), b"b".as_slice()));
        assert_eq!(both("<<a"), (b"<<a".as_slice(), b"<<a".as_slice()));
        assert_eq!(both(""), (b"".as_slice(), b"".as_slice()));
    }
}
