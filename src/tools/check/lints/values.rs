//! Options whose values are words that Exim knows.

use eximious_grammar::Span;
use eximious_stdlib::options::opt::router::redirect::{DATA, SRS};
use eximious_stdlib::options::opt::{self, transport::smtp};

use crate::mail::acl::SCANNERS;
use crate::tools::check::items::{separator, split};
use crate::tools::check::{Findings, Help, Lint, Severity, Text, nearest};

/// An option, where its words stand, and what they may be; no words are the names of
/// scanners.
type WordsOf = (&'static str, Place, &'static [&'static str]);

/// Where words stand in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The value is one.
    All,
    /// Each item of the list is one.
    Items,
    /// The first item of the list is one.
    First,
    /// Between blanks, what stands before `=`.
    Names,
    /// Between blanks, what stands behind this.
    Behind(&'static str),
    /// The fourth item has them, with commas between.
    Fourth,
}

const HASHES: &[&str] = &["sha1", "sha256", "sha512"];
const KEYS: &[&str] = &["rsa", "ed25519"];

const WORDS: [WordsOf; 12] = [
    (SRS.name(), Place::All, &["forward", "reverse", "reverseandforward"]),
    (opt::QUEUE_RUN_ORDER.name(), Place::All, &["newest", "oldest", "random"]),
    (opt::AV_SCANNER.name(), Place::First, &[]),
    (opt::SPAMD_ADDRESS.name(), Place::Behind("variant="), &["rspamd"]),
    (opt::DKIM_VERIFY_HASHES.name(), Place::Items, HASHES),
    (opt::DKIM_VERIFY_KEYTYPES.name(), Place::Items, KEYS),
    (opt::DKIM_VERIFY_MIN_KEYSIZES.name(), Place::Names, KEYS),
    (smtp::DKIM_CANON.name(), Place::All, &["relaxed", "simple"]),
    (smtp::DKIM_HASH.name(), Place::All, HASHES),
    (smtp::DKIM_STRICT.name(), Place::All, &["0", "1", "false", "true"]),
    (smtp::PROTOCOL.name(), Place::All, &["lmtp", "smtp", "smtps"]),
    (smtp::ARC_SIGN.name(), Place::Fourth, &["expire", "timestamps"]),
];

/// E124.
pub(super) static NO_SUCH_VALUE: Lint = Lint {
    code: "E124",
    name: "no-such-value",
    severity: Severity::Error,
    summary: "The value of an option is none of the words that it knows.",
    docs: "Exim reads some options only when they count, and what it does not know is then an \
           error that puts mail off, or as if the option were not set. So it is with `srs`, \
           `queue_run_order`, `av_scanner`, `protocol`, the options in `spamd_address`, and what \
           DKIM and ARC sign and verify by. `dkim_strict` counts where it is `1` or `true`. The \
           special items of a redirection are `:blackhole:`, `:defer:`, `:fail:`, `:include:` and \
           `:unknown:`, in small letters: another one puts mail off. A `received_header_text` that \
           makes no `Received:` line leaves nothing by which a loop of mail is known.",
    bad: "begin routers\nr:\n  driver = redirect\n  data = a@b.example\n  srs = forwrd\n",
    good: "begin routers\nr:\n  driver = redirect\n  data = a@b.example\n  srs = forward\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(option) = text.option() else { continue };
            let name = option.meta.name;
            if DATA.is(option) {
                special_items(text, findings);
            } else if name == opt::RECEIVED_HEADER_TEXT.name() {
                received(text, findings);
            } else if name == opt::SPAMD_ADDRESS.name() {
                spamd(text, findings);
            }
            if let Some((_, place, known)) = WORDS.iter().find(|(own, ..)| *own == name) {
                look(text, name, *place, &names(known), findings);
            }
        }
    },
};

/// The words that may stand behind what is typed of an option's value.
pub(in crate::tools) fn offered(option: &str, before: &str) -> Vec<&'static str> {
    let known = WORDS.iter().find(|(own, ..)| *own == option);
    let Some((_, place, known)) = known else { return Vec::new() };
    let last = before.trim_end_matches([' ', '\t']);
    let may_stand = match place {
        Place::All | Place::First => last.is_empty(),
        Place::Items => last.is_empty() || last.ends_with(':'),
        Place::Names => last.is_empty() || before.ends_with([' ', '\t']),
        Place::Behind(head) => before.ends_with(head),
        Place::Fourth => before.split(':').count() == 4 && last.ends_with([':', ',']),
    };
    if may_stand { names(known) } else { Vec::new() }
}

/// The words of an entry.
fn names(known: &'static [&'static str]) -> Vec<&'static str> {
    match known {
        [] => SCANNERS.iter().map(|scanner| scanner.meta.name).collect(),
        _ => known.to_vec(),
    }
}

fn look(text: &Text<'_>, option: &str, place: Place, names: &[&str], findings: &mut Findings) {
    for word in words(&text.text, place) {
        let is = |name: &&str| word.eq_ignore_ascii_case(name.as_bytes());
        if word.is_empty() || word.iter().any(|c| b"$\\{}".contains(c)) || names.iter().any(is) {
            continue;
        }
        let shown = String::from_utf8_lossy(word);
        let help = findings.offer("", &shown, names.iter().copied());
        let at = memchr::memmem::find(&text.text, word).unwrap_or(0);
        let spot = text.spot(Span::new(at, at + word.len()));
        findings.add_with(spot, format!("{option} knows no \"{shown}\""), help);
    }
}

/// The options of servers of SpamAssassin: what is none is logged when a message is scanned,
/// and the server is asked without it.
fn spamd(text: &Text<'_>, findings: &mut Findings) {
    const NAMES: [&str; 6] = ["pri", "retry", "time", "tmo", "variant", "weight"];
    if text.text.iter().any(|c| b"$\\{}".contains(c)) {
        return;
    }
    for item in split(&text.text) {
        let mut words = item.text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        // An address has a port behind it, and a socket none.
        if words.next().is_some_and(|first| !first.starts_with(b"/")) {
            words.next();
        }
        for word in words {
            let shown = String::from_utf8_lossy(word);
            let (name, value) = shown.split_once('=').unwrap_or((&shown, ""));
            let at = memchr::memmem::find(&text.text, word).unwrap_or(0);
            let spot = text.spot(Span::new(at, at + word.len()));
            if !NAMES.contains(&name) {
                let help = findings.offer("", name, NAMES.into_iter());
                findings.add_with(spot, format!("no option of a server is \"{shown}\""), help);
            } else if matches!(name, "pri" | "weight") && value.parse::<u32>().is_err() {
                findings.add(spot, format!("no number stands in \"{shown}\""));
            }
        }
    }
}

/// The special items of redirections.
const SPECIAL: [&str; 5] = ["blackhole", "defer", "fail", "include", "unknown"];

/// `:fial: no such user`, as an item or as what an expansion gives.
fn special_items(text: &Text<'_>, findings: &mut Findings) {
    let bytes = &text.text;
    for start in memchr::memchr_iter(b':', bytes) {
        let before = bytes[..start].trim_ascii_end().last();
        if !before.is_none_or(|byte| matches!(byte, b'{' | b',' | b'"')) {
            continue;
        }
        let rest = &bytes[start + 1..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if rest.get(length) != Some(&b':') {
            continue;
        }
        let word = String::from_utf8_lossy(&rest[..length]);
        if SPECIAL.contains(&&*word) {
            continue;
        }
        // A list within an expansion may begin with a colon, too.
        let near = nearest(&word.to_ascii_lowercase(), SPECIAL.into_iter());
        if let Some(near) = near.first() {
            let spot = text.spot(Span::new(start, start + length + 2));
            let (written, meant) = (format!(":{word}:"), format!("did you mean :{near}:?"));
            let message = format!("no special item is called \"{written}\"");
            findings.add_with(spot, message, Help::instead_of(&written, meant));
        }
    }
}

/// Whether a line `Received:` is made of a text, as far as that can be seen.
fn received(text: &Text<'_>, findings: &mut Findings) {
    const NAME: &str = "Received";
    let start = text.text.trim_ascii_start();
    let length = start.iter().take_while(|byte| !b":${\\ \t".contains(byte)).count();
    let is_plain = start.get(length).is_none_or(|byte| !b"${\\".contains(byte));
    let name = String::from_utf8_lossy(&start[..length]);
    let is_it = start.get(length) == Some(&b':') && name.eq_ignore_ascii_case(NAME);
    if is_plain && !start.is_empty() && !is_it {
        let message = format!("\"{name}\" begins no Received: line, and loops are not seen");
        findings.add_with(text.whole(), message, "begin it with Received:");
    }
}

/// The words of a value. What is expanded has none that can be told, beside a list's items.
fn words(text: &[u8], place: Place) -> Vec<&[u8]> {
    let (sign, start) = separator(text);
    let mut items = text[start..].split(|c| *c == sign).map(<[u8]>::trim_ascii);
    let blanks = || text.split(u8::is_ascii_whitespace);
    let before = |word| <[u8]>::split(word, |c| *c == b'=').next().unwrap_or_default();
    match place {
        // The separators of lists within an expansion can't be told from those around it.
        _ if text.contains(&b'{') => Vec::new(),
        Place::All => vec![text.trim_ascii()],
        Place::Items => items.collect(),
        Place::First => items.next().into_iter().collect(),
        Place::Names => blanks().map(before).collect(),
        Place::Behind(head) => {
            blanks().filter_map(|word| word.strip_prefix(head.as_bytes())).collect()
        }
        Place::Fourth => {
            let options = items.nth(3).unwrap_or_default().split(|c| *c == b',');
            options.map(|option| before(option.trim_ascii())).collect()
        }
    }
}
