//! `imapfolder`: names of mail folders as IMAP servers keep them (specification
//! 60.2, RFC 3501 section 5.1.3).

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

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
    let charset = call.settings().headers_charset.clone();
    let name = encode(args[0].bytes(), separator, specials, &charset.display())?;
    Ok(Str::from(name).stamped(args[0].taint()))
}

fn encode(folder: &[u8], separator: u8, specials: &[u8], charset: &str) -> Result<Vec<u8>, Fail> {
    if folder == [separator] {
        // Exim fails without a word.
        return Err(Fail::argument(""));
    }
    let folder = folder.strip_prefix(&[separator]).unwrap_or(folder);
    let encoded = |c: u8| !matches!(c, b' '..=b'~') || (c != separator && specials.contains(&c));
    let mut out = Vec::with_capacity(folder.len());
    let mut pending = false;
    let mut rest = folder;
    while let Some(byte) = rest.first().copied() {
        if byte == separator && !encoded(byte) {
            pending = true;
            rest = &rest[1..];
            continue;
        }
        if std::mem::take(&mut pending) {
            out.push(b'.');
        }
        let length = rest.iter().take_while(|c| encoded(**c)).count();
        if length > 0 {
            run_of(&rest[..length], charset, &mut out)?;
            rest = &rest[length..];
            continue;
        }
        match byte {
            b'&' => out.extend_from_slice(b"&-"),
            b'.' | b'/' => {
                let message = format!("imapfolder: illegal character '{}'", char::from(byte));
                return Err(Fail::argument(message));
            }
            _ => out.push(byte),
        }
        rest = &rest[1..];
    }
    Ok(out)
}

/// One stretch in UTF-16 and base 64, between an ampersand and a minus.
fn run_of(bytes: &[u8], charset: &str, out: &mut Vec<u8>) -> Result<(), Fail> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let wide: Vec<u8> = utf16(bytes, charset)?.into_iter().flat_map(u16::to_be_bytes).collect();
    out.push(b'&');
    for group in wide.chunks(3) {
        let number =
            group.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            out.push(DIGITS[(number >> (18 - 6 * place)) as usize & 63]);
        }
    }
    out.push(b'-');
    Ok(())
}

fn utf16(bytes: &[u8], charset: &str) -> Result<Vec<u16>, Fail> {
    let failed = |why: &str| {
        Fail::argument(format!("imapfolder: iconv() failed to convert from {charset}: {why}"))
    };
    if charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8") {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.encode_utf16().collect()),
            Err(error) if error.error_len().is_none() => Err(failed("Invalid argument")),
            Err(_) => Err(failed("Invalid or incomplete multibyte or wide character")),
        };
    }
    if charset.eq_ignore_ascii_case("iso-8859-1") {
        return Ok(bytes.iter().copied().map(u16::from).collect());
    }
    Err(Fail::argument(format!(
        "imapfolder: iconv_open(\"UTF-16BE\", \"{charset}\") failed: Invalid argument (maybe \
         unsupported conversion)"
    )))
}
