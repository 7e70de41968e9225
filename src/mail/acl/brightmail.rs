//! `control = bmi_run`: a message is handed to what plays Brightmail's scanner, over a socket
//! (`docs/brightmail.md`).

use std::io::{self, Read};
use std::time::Duration;

use eximious_core::world::{Net, Target};
use eximious_core::{Effects, Message, Meta, Str, TaintRule};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::{AclHost, AclState, Acls, Logs};
use crate::Context;
use crate::mail::brightmail::{VERDICTS, Verdict, kept};

static META: Meta = Meta::new("bmi_run", Effects::NET, TaintRule::Tainted);

/// How long the scanner may take for all of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer.
const LONGEST_ANSWER: u64 = 1 << 20;

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
    if place.bytes().first() != Some(&b'/') {
        return Err(b"bmi_config_file does not name a socket".to_vec());
    }
    let client = cx.value_of(var::SENDER_HOST_ADDRESS);
    let helo = cx.value_of(var::SENDER_HELO_NAME);
    let sender = cx.value_of(var::SENDER_ADDRESS);
    let Some(message) = cx.take_message() else { return Err(b"there is no message".to_vec()) };
    let mut request = b"BMI/1\n".to_vec();
    line(&mut request, b"client ", &client);
    line(&mut request, b"helo ", &helo);
    line(&mut request, b"sender ", &sender);
    message.recipients.iter().for_each(|one| line(&mut request, b"recipient ", one));
    request.push(b'\n');
    message.headers.iter().for_each(|header| request.extend_from_slice(&header.line));
    request.push(b'\n');
    let target = Target::Unix(place.bytes().to_vec());
    let answer =
        cx.call(&META, |call| call.net().map(|net| converse(&*net, &target, &request, &message)));
    let recipients = message.recipients.clone();
    cx.set_message(Some(message));
    let answer = answer
        .map_err(|fail| fail.message().to_vec())?
        .map_err(|why| [place.bytes(), b": ", wording::reason(&why).as_bytes()].concat())?;
    let mut lines: Vec<Vec<u8>> = answer.split(|c| *c == b'\n').map(<[u8]>::to_vec).collect();
    // The last line has an end, too.
    let ended = lines.pop().is_some_and(|rest| rest.is_empty());
    let whole = ended && lines.len() == recipients.len();
    match whole && lines.iter().all(|line| Verdict::read(line).is_some()) {
        true => Ok(kept(&recipients, &lines)),
        false => Err([place.bytes(), b": an answer that makes no sense"].concat()),
    }
}

/// A line of the envelope. What would end it early is left out.
fn line(request: &mut Vec<u8>, name: &[u8], value: &Str) {
    request.extend_from_slice(name);
    request.extend(value.bytes().iter().filter(|byte| !matches!(byte, b'\n' | b'\r' | 0)));
    request.push(b'\n');
}

fn converse(
    net: &dyn Net,
    target: &Target,
    request: &[u8],
    message: &Message,
) -> io::Result<Vec<u8>> {
    let mut stream = net.connect(target, PATIENCE)?;
    stream.set_deadline(PATIENCE);
    stream.write_all(request)?;
    stream.write_all(&message.stray)?;
    message.body.in_pieces(|why| why, |piece| stream.write_all(piece))?;
    stream.flush()?;
    stream.finish_writing()?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}
