//! `crypteq`: whether a password belongs to a hash.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};
use md5::Md5;
use sha1::{Digest, Sha1};

use crate::{base64, mac};

/// `crypteq {password}{hash}`.
pub static CRYPTEQ: Condition = Condition {
    meta: Meta::new("crypteq", Effects::HOST, TaintRule::Result)
        .syntax("crypteq {<password>}{<hash>}")
        .summary("A password belongs to a hash.")
        .docs(
            "A hash may begin with its kind in braces, as in LDAP: `{md5}` and `{sha1}`, in base \
             64 or in hexadecimal digits, `{crypt}`, `{crypt16}`. Without one it is `{crypt}`: \
             whatever the system's crypt(3) knows. In an expansion the braces must be protected: \
             `\\{md5\\}…`. A hash that is too short, too long or of an unknown method of crypt(3) \
             makes the condition false.",
        )
        .examples(&[
            Example::new("${if crypteq{test}{\\{md5\\}CY9rzUYh03PK3k6DJie09g==}{yes}{no}}", "yes"),
            Example::new(
                "${if crypteq{test}{\\{sha1\\}a94a8fe5ccb19ba61c4c0873d391e987982fbbd3}{yes}{no}}",
                "yes",
            ),
            Example::new("${if crypteq{test}{*}{yes}{no}}", "no"),
        ])
        .source("specification 11.7"),
    shape: ConditionShape::Two,
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let (password, hash) = (args[0].bytes(), args[1].bytes());
    if hash.first() != Some(&b'{') {
        return crypt(call, password, hash);
    }
    let kind = hash.iter().position(|c| *c == b'}').map(|end| hash.split_at(end + 1));
    match kind.map(|(kind, data)| (kind.to_ascii_lowercase(), data)) {
        Some((kind, data)) if kind == b"{md5}" => Ok(digest(&Md5::digest(password), data)),
        Some((kind, data)) if kind == b"{sha1}" => Ok(digest(&Sha1::digest(password), data)),
        Some((kind, data)) if kind == b"{crypt}" => crypt(call, password, data),
        Some((kind, data)) if kind == b"{crypt16}" => crypt16(call, password, data),
        _ => {
            let message = [b"unknown encryption mechanism in \"", hash, b"\""].concat();
            Err(Fail::argument(message))
        }
    }
}

/// Compares a digest with its text: its length says in which form that is.
fn digest(digest: &[u8], text: &[u8]) -> bool {
    if text.len() == 2 * digest.len() {
        mac::same(&mac::hex(digest), &text.to_ascii_lowercase())
    } else {
        mac::same(&base64::encode(digest), text)
    }
}

fn crypt(call: &Call<'_>, password: &[u8], hash: &[u8]) -> Result<bool, Fail> {
    let found = call.users()?.crypt(password, hash);
    Ok(found.is_some_and(|found| mac::same(&found, hash)))
}

/// The first eight bytes with the hash's salt, and the next eight with a salt
/// from what that gave.
fn crypt16(call: &Call<'_>, password: &[u8], hash: &[u8]) -> Result<bool, Fail> {
    let users = call.users()?;
    let (first, second) = password.split_at(password.len().min(8));
    let Some(salt) = hash.get(..2) else { return Ok(false) };
    let Some(mut found) = users.crypt(first, salt) else { return Ok(false) };
    if !second.is_empty() {
        let Some(salt) = found.get(2..4) else { return Ok(false) };
        let Some(more) = users.crypt(second, salt) else { return Ok(false) };
        found.extend_from_slice(more.get(2..).unwrap_or_default());
    }
    Ok(mac::same(&found, hash))
}
