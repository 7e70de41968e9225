//! What a redirection passes over, and who is told (specification 22.7,
//! `skip_syntax_errors`, `syntax_errors_to`).

use eximious_core::{Fail, Str};
use eximious_stdlib::options::opt::router as opt;

use super::super::Purpose;
use super::super::machine::Machine;
use super::super::pass::{RouteError, RouteNotice};
use super::super::router::{Router, Text};

/// What is noted where nothing was left of it.
pub(super) const SKIPPED: &str = "syntax error in redirection data";

/// One thing that was passed over.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Mistake {
    /// Exim's words.
    why: Vec<u8>,
    /// The item, where it is one of a list.
    item: Option<Vec<u8>>,
    /// How many items that make sense stand before it.
    before: usize,
}

impl Mistake {
    pub(super) fn new(why: impl Into<Vec<u8>>, item: Option<&[u8]>) -> Self {
        Self { why: why.into(), item: item.map(<[u8]>::to_vec), before: 0 }
    }

    /// The same, where so many items that make sense stand before it.
    pub(super) fn behind(self, before: usize) -> Self {
        Self { before, ..self }
    }

    /// As logs say it.
    pub(super) fn line(&self) -> Vec<u8> {
        match &self.item {
            Some(item) => [&self.why, b" in \"".as_slice(), item, b"\""].concat(),
            None => self.why.clone(),
        }
    }

    /// As the message about it says it.
    fn paragraph(&self) -> Vec<u8> {
        match &self.item {
            Some(item) => [b"  ", &*self.why, b" in the address\n  \"", item, b"\"\n\n"].concat(),
            None => [b"  ", &*self.why, b"\n\n"].concat(),
        }
    }
}

/// Logs what was passed over, and, where a message is delivered, tells whom the router
/// names. `generated` is how many items make sense.
///
/// # Errors
/// Where what the router says of the message can't be expanded.
pub(super) fn passed_over(
    machine: &mut Machine<'_>,
    router: &Router,
    mistakes: &[Mistake],
    generated: usize,
) -> Result<(), RouteError> {
    for mistake in mistakes {
        machine.log(&router.named(b"", b" router: skipped error: ", &mistake.line()));
    }
    let (Some(last), Purpose::Delivery) = (mistakes.last(), machine.purpose) else {
        return Ok(());
    };
    // What is said of the last item, and nothing where that makes sense.
    let words = Some(&last.why).filter(|_| last.before == generated);
    let wrong = || RouteError { message: words.cloned(), ..RouteError::default() };
    let Some(to) = router.some_text(opt::redirect::SYNTAX_ERRORS_TO) else { return Ok(()) };
    let to = expanded(machine, router, to).ok_or_else(wrong)?;
    let subject = b"error(s) in forwarding or filtering";
    let mut text = Vec::new();
    if let Some(head) = router.some_text(opt::redirect::SYNTAX_ERRORS_TEXT) {
        match expanded(machine, router, head) {
            Some(head) => text.extend_from_slice(&[head.bytes(), b"\n\n"].concat()),
            // What was begun goes all the same, without a text.
            None => {
                machine.notices.push(RouteNotice { to, subject, text });
                return Err(wrong());
            }
        }
    }
    text.extend(router.named(b"The ", b" router encountered the following error(s):\n\n", b""));
    mistakes.iter().for_each(|mistake| text.extend(mistake.paragraph()));
    text.extend_from_slice(match generated > 0 {
        true => b"Other addresses were processed normally.\n",
        false => b"No valid addresses were generated.\n",
    });
    machine.notices.push(RouteNotice { to, subject, text });
    Ok(())
}

/// A text of the router's; that it can't be expanded is logged.
fn expanded(machine: &mut Machine<'_>, router: &Router, text: &Text) -> Option<Str> {
    let expanded = text.expand(machine.cx);
    let failed = |fail: &Fail| {
        let what = [text.written.bytes(), b": ", fail.message()].concat();
        machine.log(&router.named(b"", b" router failed to expand ", &what));
    };
    expanded.inspect_err(failed).ok()
}
