//! `stat`.

use eximious_core::world::Stat;
use eximious_core::{
    Call, Effects, ErrorKind, Example, Fail, Meta, Operator, OperatorRun, Params, Str, TaintRule,
};

use crate::wording::reason;

/// `${stat:…}`.
pub static STAT: Operator = Operator {
    meta: Meta::new("stat", Effects::FILES, TaintRule::Clean)
        .syntax("${stat:<path>}")
        .summary("What is known of a file, as pairs of names and values.")
        .docs(
            "The names are `mode`, `smode`, `inode`, `device`, `links`, `uid`, `gid`, `size`, \
             `atime`, `mtime` and `ctime`; the item `extract` takes one of them out. The mode is \
             octal; `smode` is how `ls` shows it. It fails where the file is not there.",
        )
        .examples(&[Example::new(
            "${stat:/etc/passwd}",
            "Failed: stat(/etc/passwd) failed: Permission denied",
        )])
        .source("specification 11.6"),
    run: OperatorRun::Plain(stat),
};

fn stat(call: &mut Call<'_>, arg: &Str, _: Params<'_>) -> Result<Str, Fail> {
    let path = call.found(arg.bytes());
    let stat = call.files()?.stat(&path, true).map_err(|error| {
        let tail = format!(") failed: {}", reason(&error));
        let message = [b"stat(", arg.bytes(), tail.as_bytes()].concat();
        Fail::error(ErrorKind::Outside, message)
    })?;
    let Stat { mode, inode, device, links, uid, gid, size, atime, mtime, ctime, .. } = stat;
    // The program drops the topmost bit of the type: a regular file has none.
    let shown = mode & 0o77777;
    let symbolic = symbolic(mode);
    Ok(Str::from(format!(
        "mode={shown:04o} smode={symbolic} inode={inode} device={device} links={links} uid={uid} \
         gid={gid} size={size} atime={atime} mtime={mtime} ctime={ctime}"
    )))
}

/// A mode as `ls` shows it; the type of a socket is a question mark.
fn symbolic(mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(match mode & 0o170000 {
        0o100000 => '-',
        0o040000 => 'd',
        0o020000 => 'c',
        0o060000 => 'b',
        0o010000 => 'p',
        0o120000 => 'l',
        _ => '?',
    });
    for (shift, special, set, unset) in
        [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')]
    {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::symbolic;

    #[test]
    fn modes_look_as_in_a_listing() {
        for (mode, text) in [
            (0o100644, "-rw-r--r--"),
            (0o104755, "-rwsr-xr-x"),
            (0o104644, "-rwSr--r--"),
            (0o102644, "-rw-r-Sr--"),
            (0o101644, "-rw-r--r-T"),
            (0o107777, "-rwsrwsrwt"),
            (0o041777, "drwxrwxrwt"),
            (0o010644, "prw-r--r--"),
            (0o140755, "?rwxr-xr-x"),
        ] {
            assert_eq!(symbolic(mode), text);
        }
    }
}
