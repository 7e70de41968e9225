//! `dlfunc`.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::world::ForeignError;
use eximious_core::{Call, Effects, ErrorKind, Fail, Item, ItemRun, Meta, Str, TaintRule};

/// `${dlfunc{file}{function}{arg}…}`.
pub static DLFUNC: Item = Item {
    meta: Meta::new("dlfunc", Effects::FOREIGN.union(Effects::LOG), TaintRule::Arguments)
        .syntax("${dlfunc{<file>}{<function>}{<argument>}…}")
        .summary("What a C function in a shared object makes of up to eight arguments.")
        .docs(
            "The object is loaded once and stays. The function is \
             `int function(unsigned char **yield, int argc, unsigned char *argv[])`. It leaves \
             its text in `*yield` and returns 0 for success, 2 to make the expansion fail, 4 to \
             force it to fail; any other value makes it fail, too, and writes to the panic log. \
             The functions that Exim offers to such objects are not there. A build without the \
             feature `dlfunc` loads nothing and says so. The name of the file \
             must not be tainted.",
        )
        .source("specification 11.5"),
    shape: ItemShape::Braces { min: 2, max: 10 },
    run: ItemRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<Str, Fail> {
    let (file, function) = (args[0].bytes(), args[1].bytes());
    if args[0].taint().is_tainted() {
        return Err(Fail::error(ErrorKind::Taint, crate::wording::tainted("filename", file)));
    }
    let given: Vec<Vec<u8>> = args[2..].iter().map(|arg| arg.bytes().to_vec()).collect();
    let answer = match call.libraries()?.call(file, function, &given) {
        Ok(answer) => answer,
        Err(ForeignError::Open(why)) => {
            return loud(call, &[b"dlopen \"", file, b"\" failed: ", why.as_bytes()].concat());
        }
        Err(ForeignError::Find(why)) => {
            let why = why.as_bytes();
            return loud(
                call,
                &[b"dlsym \"", function, b"\" in \"", file, b"\" failed: ", why].concat(),
            );
        }
        Err(ForeignError::NotBuilt) => {
            let message = "dlfunc: this build loads no shared objects (feature dlfunc)";
            return Err(Fail::error(ErrorKind::Unsupported, message));
        }
    };
    if answer.code == 0 {
        return Ok(answer.text.map(Str::from).unwrap_or_default());
    }
    let message = answer.text.unwrap_or_else(|| b"(no message)".to_vec());
    match answer.code {
        2 => Err(Fail::error(ErrorKind::Outside, message)),
        4 => Err(Fail::forced(message)),
        code => {
            let code = format!("}} failed ({code}): ");
            let line = [b"dlfunc{", file, b"}{", function, code.as_bytes(), &message].concat();
            call.log()?.panic(&line);
            Err(Fail::error(ErrorKind::Outside, message))
        }
    }
}

/// A failure that the panic log shows, too.
fn loud(call: &mut Call<'_>, message: &[u8]) -> Result<Str, Fail> {
    call.log()?.panic(message);
    Err(Fail::error(ErrorKind::Outside, message))
}
