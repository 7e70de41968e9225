//! `-be`: expands its arguments, or the lines of its input.

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use eximious::{Context, Engine};

/// Expands the arguments; without any, the lines of the standard input.
pub fn run(args: &[Vec<u8>]) -> ExitCode {
    let engine = Engine::builder().world(eximious_world::system()).build();
    let mut cx = engine.context();
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let result = if args.is_empty() {
        lines(&engine, &mut cx, &mut out)
    } else {
        args.iter().try_for_each(|text| answer(&engine, &mut cx, text, &mut out))
    };
    match result.and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(engine: &Engine, cx: &mut Context, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
    match engine.expand_once(text, cx) {
        Ok(value) => out.write_all(value.bytes())?,
        Err(fail) => {
            out.write_all(b"Failed: ")?;
            out.write_all(fail.message())?;
        }
    }
    out.write_all(b"\n")
}

fn lines(engine: &Engine, cx: &mut Context, out: &mut dyn Write) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        out.write_all(b"> ")?;
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return out.write_all(b"\n");
        }
        while line.last().is_some_and(u8::is_ascii_whitespace) {
            line.pop();
        }
        answer(engine, cx, &line, out)?;
    }
}
