//! `perl`: subroutines of the configuration's Perl code (specification 12).

mod session;

use std::sync::{Arc, Mutex, PoisonError};

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, FailClass, Item, ItemRun, Meta, Str, TaintRule,
};

use crate::options::opt;
use crate::provenance;
use session::{Broken, PerlAnswer, PerlSession};

/// `${perl{subroutine}{argument}…}`.
pub static PERL: Item = Item {
    meta: Meta::new(
        "perl",
        Effects::FOREIGN.union(Effects::HOST).union(Effects::LOG).union(Effects::EXPAND),
        TaintRule::Result,
    )
    .syntax("${perl{<subroutine>}{<argument>}…}")
    .summary("What a Perl subroutine returns.")
    .docs(
        "The option `perl_startup` is Perl code, `do '/etc/exim.pl'` as a rule, which defines \
         subroutines. The system's Perl runs it in a process of its own, at the first use; it \
         stays up as long as the values at hand, so what a call leaves in a variable the next \
         one finds. Up to eight arguments may follow the name.\n\n\
         `undef` is a forced failure; `die` makes the expansion fail with its text. \
         `Exim::expand_string` expands a string: `undef` where it is forced to fail, and any \
         other failure dies. `Exim::log_write` writes a line to the log, as `warn` does; \
         `Exim::debug_write` writes to the debugging output. What Perl prints goes nowhere.\n\n\
         Data passed to Perl loses its taint, as in Exim. But what repeats a tainted argument \
         with a dollar or a backslash in it can't be expanded, neither by \
         `Exim::expand_string` nor as a result.",
    )
    .source("specification 11.5, 12"),
    shape: ItemShape::Braces { min: 1, max: 9 },
    run: ItemRun::Lazy(run),
};

/// The Perl process of a context; it starts at the first use, and again when
/// it has ended.
#[derive(Default)]
struct Interpreter(Option<Arc<Mutex<PerlSession>>>);

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    call.permitted("Perl calls are not permitted")?;
    let mut args = Vec::new();
    for index in 0..call.text_count().max(1) {
        args.push(call.text(index)?);
    }
    call.check_closed()?;
    let session = interpreter(call)?;
    let result = converse(call, &session, &args);
    result.map_err(|failure| match failure {
        Failure::Said(fail) => fail,
        Failure::Broken(broken) => {
            call.memory::<Interpreter>().0 = None;
            broken.fail(args.first())
        }
    })
}

/// Why there is no result.
enum Failure {
    /// The subroutine failed, in order.
    Said(Fail),
    /// There is no process to talk to any more.
    Broken(Broken),
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Starts Perl before anything wants it, where the configuration says so
/// (`perl_at_start`).
///
/// # Errors
/// What the start-up code fails with.
pub fn start(call: &mut Call<'_>) -> Result<(), Fail> {
    if call.settings().get(opt::PERL_AT_START) && call.settings().is_set(opt::PERL_STARTUP) {
        call.with_record(&PERL.meta, interpreter)?;
    }
    Ok(())
}

/// The process, which has evaluated the start-up code.
fn interpreter(call: &mut Call<'_>) -> Result<Arc<Mutex<PerlSession>>, Fail> {
    if let Some(session) = &call.memory::<Interpreter>().0 {
        return Ok(session.clone());
    }
    let Some(startup) = call.settings().given(opt::PERL_STARTUP) else {
        return Err(Fail::error(
            ErrorKind::Argument,
            "A setting of perl_startup is needed when using the Perl interpreter",
        ));
    };
    let session = Arc::new(Mutex::new(PerlSession::start(call)?));
    // The code may call back, and what it expands may want Perl; and where it
    // can't be compiled, Perl is there without it.
    call.memory::<Interpreter>().0 = Some(session.clone());
    startup_code(call, &session, &startup).map_err(|failure| match failure {
        Failure::Said(fail) => fail,
        Failure::Broken(broken) => {
            call.memory::<Interpreter>().0 = None;
            broken.fail(None)
        }
    })?;
    Ok(session)
}

fn startup_code(
    call: &mut Call<'_>,
    session: &Mutex<PerlSession>,
    startup: &Str,
) -> Result<(), Failure> {
    let depth = lock(session).begin(&[], call.bounds().code)?;
    lock(session).evaluate(startup.bytes())?;
    let answer = serve(call, session);
    lock(session).end(depth);
    match answer? {
        PerlAnswer::Failed(why) => {
            let message = [b"error in perl_startup code: ".as_slice(), &why].concat();
            Err(Failure::Said(Fail::error(ErrorKind::Outside, message)))
        }
        _ => Ok(()),
    }
}

/// Calls a subroutine.
fn converse(
    call: &mut Call<'_>,
    session: &Mutex<PerlSession>,
    args: &[Str],
) -> Result<Str, Failure> {
    let depth = lock(session).begin(args, call.bounds().code)?;
    lock(session).call(args)?;
    let answer = serve(call, session);
    lock(session).end(depth);
    match answer? {
        PerlAnswer::Value(value) => {
            let taint = provenance::of_answer(&value, args);
            Ok(Str::from(value).stamped(taint))
        }
        PerlAnswer::Undefined => {
            let name = args.first().map(Str::bytes).unwrap_or_default();
            let text = [b"Perl subroutine \"", name, b"\" returned undef to force failure"];
            Err(Failure::Said(Fail::forced(text.concat())))
        }
        PerlAnswer::Failed(why) => Err(Failure::Said(Fail::error(ErrorKind::Outside, why))),
        _ => Err(Broken::Nonsense.into()),
    }
}

/// Does what Perl asks for, until it answers.
fn serve(call: &mut Call<'_>, session: &Mutex<PerlSession>) -> Result<PerlAnswer, Failure> {
    loop {
        let said = lock(session).receive(call.bounds().length)?;
        match said {
            PerlAnswer::Expand(text) => {
                let taint = lock(session).taint_of(&text);
                let result = call.expand(&Str::from(text).stamped(taint));
                lock(session).tell(
                    result.as_ref().map(Str::bytes).map_err(|fail| {
                        (fail.class() != FailClass::Forced).then(|| fail.message())
                    }),
                )?;
            }
            PerlAnswer::Log(line) => call.log().map_err(Failure::Said)?.main(&line),
            PerlAnswer::Debug(text) => call.log().map_err(Failure::Said)?.debug(&text),
            answer => return Ok(answer),
        }
    }
}

/// One thread at a time has a context, so nobody waits here; and what a panic
/// elsewhere left is a conversation like any other.
fn lock(session: &Mutex<PerlSession>) -> std::sync::MutexGuard<'_, PerlSession> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}
