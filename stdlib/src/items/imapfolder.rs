//! `imapfolder`: names of mail folders as IMAP servers keep them (specification
//! 60.2, RFC 3501 section 5.1.3).

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::base64;
use crate::charset::{Charset, decode};
use crate::options::opt;

/// `${imapfolder{folder}{separator}{specials}}`.
pub static IMAPFOLDER: Item = Item {
    meta: Meta::new("imapfolder", Effects::NONE, TaintRule::Result)
        .syntax("${imapfolder{<folder>}{<separator>}{<specials>}}")
        .summary("The name of a mail folder in modified UTF-7.")
        .docs(
            "The folder is read in the character set of the option `headers_charset`. The \
             separator, `/` where it is left out, becomes a dot; several in a row become one. \
             What is not printable ASCII, and what stands in the third argument, is encoded. \
             Any other dot or slash is an error.",
        )
        .examples(&[
            Example::new("${imapfolder{Foo/Bar}}", "Foo.Bar"),
            Example::new("${imapfolder{Foo/Bar}{.}{/}}", "Foo&AC8-Bar"),
            Example::new("${imapfolder{Räksmörgås}}", "R&AOQ-ksm&APY-rg&AOU-s"),
            Example::new("${imapfolder{a.b}}", "Failed: imapfolder: illegal character '.'"),
        ])
        .source("specification 60.2, RFC 3501"),
    shape: ItemShape::Peeked {
        min: 1,
        max: 3,
        complaint: "IMAP folder separator must be one character, found \"\"",
    },
    run: ItemRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<Str, Fail> {
    let separator = match args.get(1).map(Str::bytes) {
        None => b'/',
        Some([byte]) => *byte,
        Some(other) => {
            let message =
                [b"IMAP folder separator must be one character, found \"", other, b"\""].concat();
            return Err(Fail::argument(message));
        }
    };
    let specials = args.get(2).map_or(b"".as_slice(), Str::bytes);
    let charset = call.settings().get(opt::HEADERS_CHARSET);
    let name = encode(args[0].bytes(), separator, specials, &charset.display())?;
    Ok(Str::from(name).stamped(args[0].taint()))
}

fn encode(folder: &[u8], separator: u8, specials: &[u8], charset: &str) -> Result<Vec<u8>, Fail> {
    let plain = |c: &u8| {
        matches!(*c, b' '..=b'~') && !b"&./".contains(c) && *c != separator && !specials.contains(c)
    };
    if folder.iter().all(plain) {
        return Ok(folder.to_vec());
    }
    let rest = folder.strip_prefix(&[separator]).unwrap_or(folder);
    let units = utf16(rest, charset)?;
    if rest.is_empty() {
        // Exim fails without a word.
        return Err(Fail::argument(""));
    }
    let mut out = Vec::with_capacity(folder.len());
    let mut stretch = Vec::new();
    let mut pending = false;
    for unit in units {
        let byte = u8::try_from(unit).ok().filter(|c| matches!(c, b' '..=b'~'));
        if byte == Some(separator) {
            finish(&mut stretch, &mut out);
            pending = true;
            continue;
        }
        if std::mem::take(&mut pending) {
            out.push(b'.');
        }
        let Some(byte) = byte.filter(|c| !specials.contains(c)) else {
            stretch.extend(unit.to_be_bytes());
            continue;
        };
        finish(&mut stretch, &mut out);
        match byte {
            b'&' => out.extend_from_slice(b"&-"),
            b'.' | b'/' => {
                let message = format!("imapfolder: illegal character '{}'", char::from(byte));
                return Err(Fail::argument(message));
            }
            _ => out.push(byte),
        }
    }
    finish(&mut stretch, &mut out);
    Ok(out)
}

/// Ends a stretch of UTF-16: base 64 with a comma for the slash and without
/// padding, between an ampersand and a minus.
fn finish(stretch: &mut Vec<u8>, out: &mut Vec<u8>) {
    if stretch.is_empty() {
        return;
    }
    out.push(b'&');
    for byte in base64::encode(stretch) {
        match byte {
            b'/' => out.push(b','),
            b'=' => {}
            byte => out.push(byte),
        }
    }
    out.push(b'-');
    stretch.clear();
}

fn utf16(text: &[u8], charset: &str) -> Result<Vec<u16>, Fail> {
    let Some(known) = Charset::find(charset.as_bytes()) else {
        return Err(Fail::argument(format!(
            "imapfolder: iconv_open(\"UTF-16BE\", \"{charset}\") failed: Invalid argument (maybe \
             unsupported conversion)"
        )));
    };
    match decode(text, known) {
        Ok(text) => Ok(text.encode_utf16().collect()),
        Err(at) => {
            let rest = &text[at..];
            let cut = match charset.to_ascii_uppercase().as_str() {
                "UTF-8" | "UTF8" => is_incomplete(rest),
                // What is left is less than a unit.
                name if name.starts_with("UTF-16") || name.starts_with("UCS-2") => rest.len() < 2,
                name if name.starts_with("UTF-32") || name.starts_with("UCS-4") => rest.len() < 4,
                _ => false,
            };
            let why = if cut {
                "Invalid argument"
            } else {
                "Invalid or incomplete multibyte or wide character"
            };
            Err(Fail::argument(format!(
                "imapfolder: iconv() failed to convert from {charset}: {why}"
            )))
        }
    }
}

/// Whether UTF-8, as it was once meant with up to six bytes, just breaks off.
fn is_incomplete(text: &[u8]) -> bool {
    let length = match text.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        Some(0xf8..=0xfb) => 5,
        Some(0xfc..=0xfd) => 6,
        _ => 0,
    };
    text.len() < length && text[1..].iter().all(|c| matches!(c, 0x80..=0xbf))
}
