//! `certextract`: a field of a certificate.

#[cfg(feature = "x509")]
mod fields;

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape, VariableName, Vocabulary};
use eximious_core::{
    Bindings, BranchOutcome, Call, Effects, Fail, Item, ItemRun, Meta, Str, TaintRule,
    VariableSource,
};

#[cfg(feature = "x509")]
use fields::extract;

/// `${certextract{field}{$variable}{found}{not found}}`.
pub static CERTEXTRACT: Item = Item {
    meta: Meta::new("certextract", Effects::CLOCK, TaintRule::Result)
        .syntax("${certextract{<field>}{$<certificate variable>}{<found>}{<not found>}}")
        .summary("A field of a certificate.")
        .docs(
            "The second argument is the name of a variable that holds a certificate. The field \
             is one of `version`, `serial_number`, `subject`, `issuer`, `notbefore`, `notafter`, \
             `sig_algorithm`, `signature`, `subj_altname`, `ocsp_uri` and `crl_uri`, with \
             modifiers behind commas: a type as `CN` picks parts of a distinguished name, `int` \
             gives a time in seconds since 1970, `dns`, `uri` or `mail` picks alternative names \
             of a sort and drops their tags, and `>` with a character sets the separator of a \
             list, which is a newline otherwise. Where the field is there, it is in `$value` \
             while the third argument is expanded; otherwise, or without a certificate, the \
             fourth is.",
        )
        .source("specification 11.5, RFC 4514, RFC 5280"),
    shape: ItemShape::Branches(&[
        ArgSpec { kind: ArgKind::Text, missing: "missing '{' for field arg of certextract" },
        ArgSpec {
            kind: ArgKind::Certificate,
            missing: "missing '{' for cert variable arg of certextract",
        },
    ]),
    run: ItemRun::Lazy(|call| call.scoped_for(Bindings::CAPTURES, run)),
};

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    let (field, name) = call.arguments(|call| Ok((call.text(0)?, call.text(1)?)))?;
    let found = variable(call, name.bytes()).and_then(|certificate| {
        if certificate.is_empty() {
            return Ok(None);
        }
        extract(call, certificate.bytes(), field.bytes())
    });
    match found {
        Ok(Some(text)) => call.branches(BranchOutcome::Yes(Str::tainted(text.into_bytes()))),
        Ok(None) => call.branches(BranchOutcome::No),
        Err(fail) => {
            call.leave_value(&BranchOutcome::No);
            Err(fail)
        }
    }
}

/// The certificate in a variable.
fn variable(call: &mut Call<'_>, name: &[u8]) -> Result<Str, Fail> {
    let missing = || Err(Fail::argument([b"no variable named \"", name, b"\""].concat()));
    match call.registry().variable(name) {
        VariableName::Known(id) => match &call.registry().variable_at(id).source {
            VariableSource::Certificate => {}
            _ => return Err(Fail::argument([b"\"", name, b"\" is not a certificate"].concat())),
        },
        VariableName::Family(_) => return missing(),
        // What only this context knows may hold anything.
        VariableName::Unknown(_) => {}
    }
    match call.known_variable(name) {
        Some(value) => value,
        None => missing(),
    }
}

#[cfg(not(feature = "x509"))]
fn extract(_: &Call<'_>, _: &[u8], _: &[u8]) -> Result<Option<String>, Fail> {
    Err(crate::absent::absent("certextract", "x509"))
}
