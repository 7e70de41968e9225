//! `authresults`.

#[cfg(feature = "signatures")]
mod signatures;

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Buf, Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::hosts;
use crate::variables::var;

/// `${authresults{name}}`.
pub static AUTHRESULTS: Item = Item {
    meta: Meta::new("authresults", Effects::NONE, TaintRule::Result)
        .since("4.91")
        .syntax("${authresults{<name of this service>}}")
        .summary("A header line that says what is known of where a message comes from.")
        .docs(
            "The line begins with the name, and goes on with what has been found out: whether \
             a local program's user is known (`local`, in `acl_not_smtp`), whether the host's \
             name and address agree (`iprev`), who the client is (`auth`), whether \
             the sender's domain permits the host (`spf`), what came of each signature \
             (`dkim`), whether the author's domain knows of the message (`dmarc`), and what came of \
             its chain of seals (`arc`). Without any of them it is the name alone.",
        )
        .examples(&[Example::new(
            "${authresults{mail.example}}",
            "Authentication-Results: mail.example",
        )])
        .source("specification 11.5, RFC 8601"),
    shape: ItemShape::Braces { min: 1, max: 1 },
    run: ItemRun::Strict(|call, args| {
        let mut line = Buf::default();
        line.push_bytes(b"Authentication-Results: ");
        line.push(&args[0]);
        local(call, &mut line, &args[0])?;
        iprev(call, &mut line)?;
        auth(call, &mut line)?;
        spf(call, &mut line)?;
        #[cfg(feature = "signatures")]
        signatures::dkim(call, &mut line)?;
        dmarc(call, &mut line)?;
        #[cfg(feature = "signatures")]
        signatures::arc(call, &mut line)?;
        Ok(line.finish())
    }),
};

/// The mechanism by which the client has proved who it is, as SMTP calls it. It is no
/// variable.
#[derive(Clone, Default)]
pub struct AuthMechanism(pub Str);

/// Whether a message is judged that no host sent: only then is its sender one of this host's.
/// It is no variable.
#[derive(Clone, Copy, Default)]
pub struct LocalMessage(pub bool);

/// The author's domain that DMARC was asked about. It is no variable.
#[derive(Clone, Default)]
pub struct DmarcAuthor(pub Str);

const NEXT: &[u8] = b";\n\t";

/// Adds a property, where its variable has a value.
fn property(line: &mut Buf, name: &str, value: &Str) {
    if !value.is_empty() {
        line.push_bytes(name.as_bytes());
        line.push(value);
    }
}

/// The user whose message it is, where `acl_not_smtp` asks.
fn local(call: &mut Call<'_>, line: &mut Buf, service: &Str) -> Result<(), Fail> {
    if !call.memory::<LocalMessage>().0 {
        return Ok(());
    }
    line.push_bytes(NEXT);
    line.push_bytes(b"local=pass (non-smtp, ");
    line.push(service);
    line.push_bytes(b")");
    property(line, " u=", &call.value_of(var::AUTHENTICATED_ID)?);
    Ok(())
}

/// Whether the host's address has a name that has the address.
fn iprev(call: &mut Call<'_>, line: &mut Buf) -> Result<(), Fail> {
    let address = call.value_of(var::SENDER_HOST_ADDRESS)?;
    if address.is_empty() {
        return Ok(());
    }
    let name = hosts::known_client_name(call)?;
    let comment = if call.value_of(var::HOST_LOOKUP_DEFERRED)?.bytes() == b"1" {
        (b"temperror".as_slice(), None)
    } else if call.value_of(var::HOST_LOOKUP_FAILED)?.bytes() == b"1" {
        (b"fail".as_slice(), None)
    } else if !name.is_empty() {
        (b"pass".as_slice(), Some(name))
    } else {
        // Nobody has asked for the name.
        return Ok(());
    };
    line.push_bytes(NEXT);
    line.push_bytes(b"iprev=");
    line.push_bytes(comment.0);
    if let Some(name) = comment.1 {
        line.push_bytes(b" (");
        line.push(&name);
        line.push_bytes(b")");
    }
    property(line, " smtp.remote-ip=", &address);
    Ok(())
}

/// Who the client has shown to be.
fn auth(call: &mut Call<'_>, line: &mut Buf) -> Result<(), Fail> {
    let method = call.value_of(var::SENDER_HOST_AUTHENTICATED)?;
    if method.is_empty() {
        return Ok(());
    }
    // What the client named may differ from what the configuration calls it.
    let public = call.memory::<AuthMechanism>().0.clone();
    let id = call.value_of(var::AUTHENTICATED_ID)?;
    line.push_bytes(NEXT);
    line.push_bytes(b"auth=pass (");
    line.push(if public.is_empty() { &method } else { &public });
    line.push_bytes(if id.is_empty() { b", no id saved)" } else { b")" });
    property(line, " smtp.auth=", &id);
    property(line, " smtp.mailfrom=", &call.value_of(var::AUTHENTICATED_SENDER)?);
    Ok(())
}

/// Whether the sender's domain permits the host.
fn spf(call: &mut Call<'_>, line: &mut Buf) -> Result<(), Fail> {
    let result = call.value_of(var::SPF_RESULT)?;
    if result.is_empty() {
        return Ok(());
    }
    line.push_bytes(NEXT);
    line.push_bytes(b"spf=");
    line.push(&result);
    if call.value_of(var::SPF_RESULT_GUESSED)?.bytes() == b"yes" {
        line.push_bytes(b" (best guess record for domain)");
    }
    let domain = call.value_of(var::SENDER_ADDRESS_DOMAIN)?;
    if domain.is_empty() {
        property(line, " smtp.helo=", &call.value_of(var::SENDER_HELO_NAME)?);
    } else {
        property(line, " smtp.mailfrom=", &domain);
    }
    Ok(())
}

/// Whether the author's domain knows of the message (RFC 7489, section 11.1).
fn dmarc(call: &mut Call<'_>, line: &mut Buf) -> Result<(), Fail> {
    let result: &[u8] = match call.value_of(var::DMARC_STATUS)?.bytes() {
        b"accept" => b"pass",
        b"none" | b"quarantine" | b"reject" => b"fail",
        b"norecord" => b"none",
        b"nofrom" => b"permerror",
        b"temperror" => b"temperror",
        // Nobody has asked, or was to ask.
        _ => return Ok(()),
    };
    line.push_bytes(NEXT);
    line.push_bytes(b"dmarc=");
    line.push_bytes(result);
    let author = call.memory::<DmarcAuthor>().0.clone();
    property(line, " header.from=", &author);
    Ok(())
}
