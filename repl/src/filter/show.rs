//! What a filter wants done, as Exim shows it.

use std::io::{self, Write};
use std::sync::Arc;

use eximious::filter::{AutoReply, FilterAction, FilterObserver, Manner};
use eximious::stdlib::printing::printing;
use eximious::trace::{Happening, TraceEvent, TraceKinds, TraceObserver};
use eximious::{Context, Str};

use crate::output::Output;

/// Shows what happens while it happens.
pub struct ActionLog<'o> {
    output: &'o Output,
    /// `-v`: notes go to the standard error.
    verbose: bool,
    /// Whether bytes above 127 print.
    top: bool,
}

impl<'o> ActionLog<'o> {
    /// On the standard output.
    pub fn new(output: &'o Output, verbose: bool, top: bool) -> Self {
        Self { output, verbose, top }
    }

    fn line(&self, parts: &[&[u8]]) {
        // Where the standard output is closed, the end finds out.
        let _ = self.output.put(&parts.concat(), b"\n");
    }

    fn printing(&self, text: &Str) -> Vec<u8> {
        printing(text.bytes(), self.top)
    }

    /// A line about something that may be `seen` or `noerror`.
    fn meant(&self, verb: &str, manner: Manner, usual: bool, parts: &[&[u8]]) {
        let (head, verb) = match manner.significant {
            significant if significant == usual => (capital(verb), ""),
            true => ("Seen ".to_owned(), verb),
            false => ("Unseen ".to_owned(), verb),
        };
        let text = parts.concat();
        self.line(&[head.as_bytes(), verb.as_bytes(), &text]);
    }

    fn mail(&self, depth: u32, reply: &AutoReply, manner: Manner) {
        let to = reply.to.as_ref().map_or(b"<default>".as_slice(), Str::bytes);
        let vacation: &[u8] = if reply.vacation { b" (vacation)" } else { b"" };
        self.meant("mail to: ", manner, false, &[to, vacation, silent(manner)]);
        let width = 7 + if self.verbose { 2 * depth as usize } else { 0 };
        let parts = [
            ("cc", &reply.cc),
            ("bcc", &reply.bcc),
            ("from", &reply.from),
            ("reply_to", &reply.reply_to),
            ("subject", &reply.subject),
            ("extra_headers", &reply.extra_headers),
            ("text", &reply.text),
            ("file", &reply.file),
            ("log", &reply.log),
            ("once", &reply.once),
            ("once_repeat", &reply.once_repeat_text),
        ];
        for (name, value) in parts {
            let Some(value) = value else { continue };
            let expanded: &[u8] = match name {
                "file" if reply.expand_file => b" (expanded)",
                _ => b"",
            };
            let head = format!("{name:>width$}: ");
            self.line(&[head.as_bytes(), &self.printing(value), expanded]);
        }
        if reply.return_message {
            self.line(&[b"Return original message"]);
        }
    }
}

/// What `-v` shows of filters: how their tests came out, on the standard error.
struct Notes;

impl TraceObserver for Notes {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::FILTER
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        if let Happening::Note { text, .. } = event.what {
            let _ = io::stderr().write_all(&[text, b"\n"].concat());
        }
    }
}

/// Does something while the notes of filters are shown, where that is wanted.
pub fn noting<T>(cx: &mut Context, wanted: bool, work: impl FnOnce(&mut Context) -> T) -> T {
    if !wanted {
        return work(cx);
    }
    let notes: Arc<dyn TraceObserver> = Arc::new(Notes);
    cx.observe(notes.clone());
    let result = work(cx);
    cx.trace().forget(&notes);
    result
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

fn silent(manner: Manner) -> &'static [u8] {
    if manner.silent { b" (noerror)" } else { b"" }
}

impl FilterObserver for ActionLog<'_> {
    fn action(&mut self, depth: u32, action: &FilterAction) {
        match action {
            FilterAction::Deliver { address, errors_to, manner } => {
                let errors = errors_to.as_ref().map(|to| [b" errors_to ", to.bytes()].concat());
                let errors = errors.unwrap_or_default();
                let parts = [address.bytes(), silent(*manner), &errors];
                self.meant("deliver message to: ", *manner, true, &parts);
            }
            FilterAction::Save { file, mode, manner } => {
                let mode = mode.map(|mode| format!(" {mode:04o}")).unwrap_or_default();
                let parts = [file.bytes(), mode.as_bytes(), silent(*manner)];
                self.meant("save message to: ", *manner, true, &parts);
            }
            FilterAction::Pipe { command, manner, .. } => {
                let parts = [command.bytes(), silent(*manner)];
                self.meant("pipe message to: ", *manner, true, &parts);
            }
            FilterAction::Mail { reply, manner } => self.mail(depth, reply, *manner),
            FilterAction::NoMail { vacation, .. } => {
                let command: &[u8] = if *vacation { b"vacation" } else { b"mail" };
                self.line(&[command, b" command ignored because return_path is empty"]);
            }
            FilterAction::LogFile { file, manner, .. } => {
                self.meant("logfile ", *manner, false, &[file.bytes()]);
            }
            FilterAction::LogWrite { text, manner, .. } => {
                let text = self.printing(text);
                self.meant("logwrite ", *manner, false, &[b"\"", &text, b"\""]);
            }
            FilterAction::AddHeader { text } => {
                self.line(&[b"Headers add \"", &self.printing(text), b"\""]);
            }
            FilterAction::RemoveHeaders { names } => {
                self.line(&[b"Headers remove \"", &self.printing(names), b"\""]);
            }
            FilterAction::Charset { name } => {
                self.line(&[b"Headers charset \"", &self.printing(name), b"\""]);
            }
            FilterAction::Add { amount, counter } => {
                self.line(&[format!("Add {amount} to n{counter}").as_bytes()]);
            }
            FilterAction::TestPrint { text, .. } => {
                self.line(&[b"Testprint: ", &self.printing(text)]);
            }
            FilterAction::Finish { manner } => self.meant("finish", *manner, false, &[]),
            FilterAction::End { word, text } => {
                let head = capital(word);
                self.line(&[head.as_bytes(), b" text \"", &self.printing(text), b"\""]);
            }
            // Only Sieve filters have these.
            FilterAction::Keep { .. }
            | FilterAction::FileInto { .. }
            | FilterAction::Discard
            | FilterAction::Reject { .. }
            | FilterAction::Notify(_) => {}
        }
    }
}
