//! `readfile`.

use std::io::{self, ErrorKind as Io};

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Call, Effects, ErrorKind, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::wording::{reason_to_open, tainted};

/// The bytes that a file may have: as many as a string.
const MOST: u64 = 64 << 20;
/// The system's number for a device that does not answer.
const EIO: i32 = 5;
const EACCES: i32 = 13;
/// The bytes that Exim reads at once, where a line is longer.
const PIECE: usize = 1023;

/// `${readfile{name}{end of line}}`.
pub static READFILE: Item = Item {
    meta: Meta::new(
        "readfile",
        Effects::FILES.union(Effects::HOST).union(Effects::LOG),
        TaintRule::Clean,
    )
    .syntax("${readfile{<file name>}{<end of line>}}")
    .summary("The contents of a file.")
    .docs(
        "With a second argument, each newline of the file is replaced by it. What the file \
             holds is not expanded; wrap the item in `${expand:…}` for that. A file that can't \
             be opened makes the expansion fail; a directory reads as empty. The name must not \
             be tainted.",
    )
    .source("specification 11.5"),
    shape: ItemShape::Braces { min: 1, max: 2 },
    run: ItemRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<Str, Fail> {
    let name = args[0].bytes();
    if args[0].taint().is_tainted() {
        call.log()?.panic(&tainted("filename", name));
        let fail = cannot_open(call, name, &io::Error::from_raw_os_error(EACCES));
        return Err(Fail::error(ErrorKind::Taint, fail.message()));
    }
    let path = call.found(name);
    let contents = match call.files()?.read(&path, MOST) {
        Ok(contents) => contents,
        // What opens and can't be read is empty.
        Err(error) if error.kind() == Io::IsADirectory => return Ok(Str::EMPTY),
        Err(error) if error.raw_os_error() == Some(EIO) => return Ok(Str::EMPTY),
        Err(error) => return Err(cannot_open(call, name, &error)),
    };
    let end_of_line = args.get(1).map_or(b"\n".as_slice(), Str::bytes);
    Ok(Str::from(lines(&contents, end_of_line)))
}

fn cannot_open(call: &mut Call<'_>, name: &[u8], error: &io::Error) -> Fail {
    let why = reason_to_open(call, error);
    let message = [b"failed to open ", name, b": ", why.as_bytes()].concat();
    Fail::error(ErrorKind::Outside, message)
}

/// The contents as Exim puts them together: of each piece that it reads, what
/// stands before a zero byte.
pub(super) fn lines(contents: &[u8], end_of_line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(contents.len());
    for line in contents.split_inclusive(|c| *c == b'\n') {
        for piece in line.chunks(PIECE) {
            match memchr::memchr2(0, b'\n', piece) {
                None => out.extend_from_slice(piece),
                Some(end) => {
                    out.extend_from_slice(&piece[..end]);
                    if piece[end] == b'\n' {
                        out.extend_from_slice(end_of_line);
                    }
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_bytes_cut_as_in_exim() {
        assert_eq!(lines(b"a\nb\n\nc", b"<br>"), b"a<br>b<br><br>c");
        assert_eq!(lines(b"a\0b\nc\n", b","), b"ac,");
        // A long line is read in pieces; the zero byte cuts its own piece only.
        let long = [b"a\0".as_slice(), &[b'b'; 2000], b"\nc"].concat();
        assert_eq!(lines(&long, b",").len(), 1 + (2000 - 1021) + 2);
    }
}
