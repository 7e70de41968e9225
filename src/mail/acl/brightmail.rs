//! `control = bmi_run`: a message is handed to what plays Brightmail's scanner
//! (`World::brightmail`).

use eximious_core::world::BrightmailQuestion;
use eximious_core::{Effects, Message, Meta, Str, TaintRule};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::{AclHost, AclState, Acls, Logs};
use crate::Context;
use crate::mail::brightmail::{VERDICTS, kept};

static META: Meta = Meta::new("bmi_run", Effects::NET, TaintRule::Tainted);

impl Acls {
    /// Has the message at hand looked at, where `control = bmi_run` says so; the verdicts are
    /// kept with it. Where none can be had, that is logged, and the message is as any other.
    pub fn ask_brightmail(&self, cx: &mut Context, host: &mut dyn AclHost, state: &AclState) {
        if !state.has("bmi_run") {
            return;
        }
        match ask(cx) {
            Ok(text) => cx.set(VERDICTS, Str::tainted(&text[..])),
            Err(why) => host.log_to(Logs::PANIC, &[b"bmi_run: ", &why[..]].concat()),
        }
    }
}

/// What is to be kept. An error is what is to be logged.
fn ask(cx: &mut Context) -> Result<Vec<u8>, Vec<u8>> {
    let engine = cx.engine().clone();
    let place = engine.settings().text(opt::BMI_CONFIG_FILE).unwrap_or_default();
    let place = engine.expand_once(place.bytes(), cx).map_err(|fail| fail.message().to_vec())?;
    let Some(message) = cx.take_message() else { return Err(b"there is no message".to_vec()) };
    let verdicts = verdicts(cx, place.bytes(), &message);
    cx.set_message(Some(message));
    verdicts
}

fn verdicts(cx: &mut Context, place: &[u8], message: &Message) -> Result<Vec<u8>, Vec<u8>> {
    let question = BrightmailQuestion {
        client: cx.value_of(var::SENDER_HOST_ADDRESS),
        helo: cx.value_of(var::SENDER_HELO_NAME),
        sender: cx.value_of(var::SENDER_ADDRESS),
        message,
    };
    let named = |why: &str| match place.is_empty() {
        true => why.into(),
        false => [place, b": ", why.as_bytes()].concat(),
    };
    let answer = cx
        .call(&META, |call| call.brightmail().map(|organ| organ.judge(place, &question)))
        .map_err(|fail| fail.message().to_vec())?
        .map_err(|why| named(&wording::reason(&why)))?;
    kept(&message.recipients, &answer).ok_or_else(|| named("an answer that makes no sense"))
}
