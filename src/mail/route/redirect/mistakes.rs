//! What a redirection passes over, and who is told (specification 22.7,
//! `skip_syntax_errors`, `syntax_errors_to`).

use eximious_core::{Fail, Str};
use eximious_stdlib::options::opt::router as opt;

use super::super::Purpose;
use super::super::machine::Machine;
use super::super::pass::{RouteError, RouteNotice};
use super::super::router::{Router, Text};

/// One thing that was passed over.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Mistake {
    /// Exim's words.
    why: Vec<u8>,
    /// The item, where it is one of a list.
    item: Option<Vec<u8>>,
}

impl Mistake {
    pub(super) fn new(why: impl Into<Vec<u8>>, item: Option<&[u8]>) -> Self {
        Self { why: why.into(), item: item.map(<[u8]>::to_vec) }
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
/// names. `generated` is whether there are addresses beside.
///
/// # Errors
/// Where what the router says of the message can't be expanded.
pub(super) fn passed_over(
    machine: &mut Machine<'_>,
    router: &Router,
    mistakes: &[Mistake],
    generated: bool,
) -> Result<(), RouteError> {
    for mistake in mistakes {
        machine.log(&router.named(b"", b" router: skipped error: ", &mistake.line()));
    }
    let (Some(last), Purpose::Delivery) = (mistakes.last(), machine.purpose) else {
        return Ok(());
    };
    let Some(to) = router.some_text(opt::redirect::SYNTAX_ERRORS_TO) else { return Ok(()) };
    let to = expanded(machine, router, to, last)?;
    let mut text = Vec::new();
    if let Some(head) = router.some_text(opt::redirect::SYNTAX_ERRORS_TEXT) {
        text.extend_from_slice(expanded(machine, router, head, last)?.bytes());
        text.extend_from_slice(b"\n\n");
    }
    text.extend(router.named(b"The ", b" router encountered the following error(s):\n\n", b""));
    mistakes.iter().for_each(|mistake| text.extend(mistake.paragraph()));
    text.extend_from_slice(match generated {
        true => b"Other addresses were processed normally.\n",
        false => b"No valid addresses were generated.\n",
    });
    let subject = b"error(s) in forwarding or filtering";
    machine.notices.push(RouteNotice { to, subject, text });
    Ok(())
}

fn expanded(
    machine: &mut Machine<'_>,
    router: &Router,
    text: &Text,
    last: &Mistake,
) -> Result<Str, RouteError> {
    text.expand(machine.cx).map_err(|fail: Fail| {
        let what = [text.written.bytes(), b": ", fail.message()].concat();
        machine.log(&router.named(b"", b" router failed to expand ", &what));
        RouteError::new(last.why.clone())
    })
}
