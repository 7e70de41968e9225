//! `radius`: asks a RADIUS server whether a password is right.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::world::Net;
use eximious_core::{
    Call, Condition, ConditionRun, Effects, ErrorKind, Fail, Meta, Str, TaintRule,
};

use crate::lists::elements;
use crate::radius::config::{RadiusConfig, RadiusServer, secret};
use crate::radius::packet::{LONGEST_PASSWORD, LONGEST_VALUE, Question};
use crate::wording::reason;

const EFFECTS: Effects = Effects::NET.union(Effects::FILES).union(Effects::RANDOM);
/// Where servers listen.
const PORT: u16 = 1812;
/// Who asks, as the server is told.
const ASKER: &[u8] = b"exim";
/// A longer configuration file makes no sense.
const LONGEST_FILE: u64 = 1 << 20;

/// `radius {user:password}`.
pub static RADIUS: Condition = Condition {
    meta: Meta::new("radius", EFFECTS, TaintRule::Result)
        .syntax("radius {<user>:<password>}")
        .summary("A RADIUS server accepts a user and password.")
        .docs(
            "White space around the two is left out, and a colon in them is doubled: \
             `${if radius{$auth1 : ${listquote{:}{$auth2}}}}`. The servers and what is shared \
             with them stand in a client's configuration file, which in Exim is named at build \
             time; here it is `/etc/radiusclient/radiusclient.conf` unless the embedder's \
             settings name another. Lines `authserver HOST:PORT:SECRET` (or without the secret, \
             with a file `servers` that tells it), `radius_timeout`, `radius_retries` and \
             `default_realm` are read, and those of the other form, `auth HOST:PORT SECRET \
             TIMEOUT TRIES`. Servers are asked in order until one answers; a challenge counts as \
             a refusal. Where none answers, the expansion fails. Without the file it fails as \
             where Exim was built without RADIUS.",
        )
        .source("specification 11.7; RFC 2865, RFC 3579"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let mut strings = elements(args[0].bytes());
    let mut user = strings.next().unwrap_or_default().into_owned();
    let password = strings.next().unwrap_or_default().into_owned();
    let config = config(call)?;
    if user.is_empty() {
        return Ok(false);
    }
    if let Some(realm) = config.realm.as_deref().filter(|_| !user.contains(&b'@')) {
        user.push(b'@');
        user.extend_from_slice(realm.as_bytes());
    }
    if user.len() > LONGEST_VALUE || password.len() > LONGEST_PASSWORD {
        return Err(Fail::argument("RADIUS: a user or password is too long"));
    }
    let (net, random) = (call.net()?, call.random()?);
    let mut last = outside("no server is configured".into());
    for server in &config.servers {
        let Some(secret) = &server.secret else {
            last = outside(format!("no secret is known for {}", server.host));
            continue;
        };
        let mut authenticator = [0; 16];
        for part in authenticator.chunks_exact_mut(4) {
            let number = random.below(1 << 32) as u32;
            part.copy_from_slice(&number.to_ne_bytes());
        }
        let identifier = random.below(256) as u8;
        let question = Question {
            user: &user,
            password: &password,
            asker: ASKER,
            secret,
            identifier,
            authenticator,
        };
        match ask(&*net, &config, server, &question) {
            Ok(answer) => return Ok(answer),
            Err(error) => {
                last = outside(format!("no answer from {}: {}", server.host, reason(&error)));
            }
        }
    }
    Err(last)
}

fn outside(why: String) -> Fail {
    Fail::error(ErrorKind::Outside, format!("RADIUS: {why}"))
}

/// The configuration, with the secrets of all servers that are known.
fn config(call: &mut Call<'_>) -> Result<RadiusConfig, Fail> {
    let path = call.settings().radius_config_file.clone();
    let files = call.files()?;
    let read = |path: &[u8]| -> io::Result<String> {
        let bytes = files.read(path, LONGEST_FILE)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let unreadable = |path: &[u8], error: &io::Error| {
        outside(format!("can't read {}: {}", String::from_utf8_lossy(path), reason(error)))
    };
    let text = read(path.bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let message = "support for \"radius\" not compiled";
            Fail::error(ErrorKind::Unsupported, message)
                .through(format!("there is no {}", path.display()))
        }
        _ => unreadable(path.bytes(), &error),
    })?;
    let mut config = RadiusConfig::read(&text);
    if let Some(file) = config.secrets.clone()
        && config.servers.iter().any(|server| server.secret.is_none())
    {
        let secrets = read(file.as_bytes()).map_err(|error| unreadable(file.as_bytes(), &error))?;
        for server in config.servers.iter_mut().filter(|server| server.secret.is_none()) {
            server.secret = secret(&secrets, &server.host);
        }
    }
    Ok(config)
}

/// Asks one server, as often as the configuration says.
fn ask(
    net: &dyn Net,
    config: &RadiusConfig,
    server: &RadiusServer,
    question: &Question<'_>,
) -> io::Result<bool> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "the packet is too long");
    let packet = question.packet().ok_or_else(invalid)?;
    let host = match server.host.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => net.resolve(&server.host)?.into_iter().next().ok_or(io::ErrorKind::NotFound)?,
    };
    let to = SocketAddr::new(host, server.port.unwrap_or(PORT));
    let within = Duration::from_secs(u64::from(config.timeout(server)));
    let mut tries = config.tries(server);
    loop {
        tries -= 1;
        // Whatever else arrives there is no answer.
        let mut accept = |answer: &[u8]| question.answer(answer).is_some();
        match net.datagram(to, &packet, within, &mut accept) {
            Ok(answer) => return question.answer(&answer).ok_or_else(invalid),
            Err(error) if tries == 0 || error.kind() != io::ErrorKind::TimedOut => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
}
