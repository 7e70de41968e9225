//! `-bV`, `--help` and `-bI:help`.

use std::fmt::Write;

use eximious::Registry;

use crate::words::{self, Kind};

/// What the program says of itself when it is not told what to do.
pub const USAGE: &str = "\
eximious expands strings of Exim's configuration language, and will do more of
what Exim does. Options and/or arguments control what it does when called: for
example eximious -be '${uc:hello}'. For more of them, see eximious help.
";

/// What `-bI:` knows.
pub const INFORMATION: &str = "\
The -bI: flag takes a string indicating which information to provide.
If the string is not recognised, you'll get this help (on stderr).

  exim -bI:help    this information
  exim -bI:dscp    list of known dscp value keywords
  exim -bI:sieve   list of supported sieve extensions
";

/// Which version it is, and what it knows.
pub fn version(registry: &Registry, config_file: Option<&[u8]>) -> Vec<u8> {
    let mut text = format!(
        "eximious version {}\nThe language of Exim 4.100, with the answers of Exim 4.98.2\n",
        env!("CARGO_PKG_VERSION")
    );
    for kind in Kind::EXPANSION {
        let words = words::of(registry, kind);
        let (name, count) = (kind.name(), words.len());
        let _ = match kind {
            Kind::Variable => writeln!(text, "Variables: {count}"),
            Kind::Lookup => writeln!(text, "Lookups (built-in):{}", names(&words)),
            _ => writeln!(text, "{}{}s:{}", name[..1].to_uppercase(), &name[1..], names(&words)),
        };
    }
    let mut text = text.into_bytes();
    match config_file {
        Some(file) => text.extend_from_slice(&[b"Configuration file is ", file, b"\n"].concat()),
        None => text.extend_from_slice(
            b"No configuration file is read: there is none where Exim has it, -C FILE names one\n",
        ),
    }
    text
}

fn names(words: &[words::Word]) -> String {
    words.iter().fold(String::new(), |mut text, word| {
        text.push(' ');
        text.push_str(word.meta.name);
        text
    })
}
