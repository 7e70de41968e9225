//! Brightmail AntiSpam, as what plays it speaks: lines over a Unix socket
//! (`docs/brightmail.md`).

use std::io::{self, Read, Write};
use std::time::Duration;

use eximious_core::Str;
use eximious_core::world::{Brightmail, BrightmailQuestion, BrightmailVerdict, Net, Target};

use crate::net::SystemNet;

/// How long it may take for all of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Whoever listens at the socket.
#[derive(Debug)]
pub struct SystemBrightmail;

impl Brightmail for SystemBrightmail {
    fn judge(
        &self,
        place: &[u8],
        question: &BrightmailQuestion<'_>,
    ) -> io::Result<Vec<BrightmailVerdict>> {
        if place.first() != Some(&b'/') {
            let why = "bmi_config_file does not name a socket";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let answer = converse(place, question)?;
        // The last line has an end, too.
        let lines = answer.strip_suffix(b"\n").map(|lines| lines.split(|c| *c == b'\n'));
        let verdicts = lines.and_then(|lines| lines.map(BrightmailVerdict::read).collect());
        verdicts.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "an answer that makes no sense")
        })
    }
}

fn converse(place: &[u8], question: &BrightmailQuestion<'_>) -> io::Result<Vec<u8>> {
    let message = question.message;
    let mut request = b"BMI/1\n".to_vec();
    line(&mut request, b"client ", &question.client);
    line(&mut request, b"helo ", &question.helo);
    line(&mut request, b"sender ", &question.sender);
    message.recipients.iter().for_each(|one| line(&mut request, b"recipient ", one));
    request.push(b'\n');
    message.headers.iter().for_each(|header| request.extend_from_slice(&header.line));
    request.push(b'\n');
    let mut stream = SystemNet.connect(&Target::Unix(place.to_vec()), PATIENCE)?;
    stream.set_deadline(PATIENCE);
    stream.write_all(&request)?;
    stream.write_all(&message.stray)?;
    message.body.in_pieces(|why| why, |piece| stream.write_all(piece))?;
    stream.flush()?;
    stream.finish_writing()?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}

/// A line of the envelope. What would end it early is left out.
fn line(request: &mut Vec<u8>, name: &[u8], value: &Str) {
    request.extend_from_slice(name);
    request.extend(value.bytes().iter().filter(|byte| !matches!(byte, b'\n' | b'\r' | 0)));
    request.push(b'\n');
}
