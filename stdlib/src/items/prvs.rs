//! `prvs` and `prvscheck`: bounce addresses with a signature (specification
//! 44.27, draft-levine-smtp-batv).
//!
//! A signed address is `prvs=KDDDHHHHHH=local@domain`: the number of the key,
//! the day on which it expires (counted from 1970, modulo 1000), and the first
//! three bytes of an HMAC-SHA1 over both and the address.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{Call, Captures, Effects, Example, Fail, Item, ItemRun, Meta, Str, TaintRule};

use crate::mac;
use crate::variables::var;

/// How many days a signature holds.
const LIFE: i64 = 7;
/// The bytes that a secret may have, as in Exim.
const LONGEST_SECRET: usize = 64;

/// `${prvs{address}{secret}{number of the key}}`.
pub static PRVS: Item = Item {
    meta: Meta::new("prvs", Effects::CLOCK, TaintRule::Result)
        .syntax("${prvs{<address>}{<secret>}{<key number>}}")
        .summary("Signs an address, so that bounces to it can be told from forgeries.")
        .docs(
            "The result is the address with a tag before it that holds a day and a signature; it \
             is meant as the sender of outgoing messages. The signature is good for seven days. \
             The number of the key is one digit, 0 where it is left out: it says which of \
             several secrets was used.",
        )
        .examples(&[
            Example::new("${prvs{a@b}{secret}}", "prvs=058144b995=a@b"),
            Example::new(
                "${prvs{a}{secret}}",
                "Failed: prvs first argument must be a qualified email address",
            ),
        ])
        .source("specification 11.5 and 44.27"),
    shape: ItemShape::Braces { min: 2, max: 3 },
    run: ItemRun::Strict(prvs),
};

fn prvs(call: &mut Call<'_>, args: &[Str]) -> Result<Str, Fail> {
    let address = &args[0];
    let at = address.bytes().iter().rposition(|c| *c == b'@');
    if !at.is_some_and(|at| at > 0 && at + 1 < address.bytes().len()) {
        return Err(Fail::argument("prvs first argument must be a qualified email address"));
    }
    let key = match args.get(2).map(Str::bytes) {
        None => b'0',
        Some([digit @ b'0'..=b'9']) => *digit,
        Some(_) => return Err(Fail::argument("prvs third argument must be a single digit")),
    };
    let tag = format!("{}{:03}", char::from(key), (today(call)? + LIFE).rem_euclid(1000));
    let Some(hash) = signature(args[1].bytes(), tag.as_bytes(), address.bytes()) else {
        return Err(Fail::argument("prvs hmac-sha1 conversion failed"));
    };
    let text = [b"prvs=", tag.as_bytes(), &hash, b"=", address.bytes()].concat();
    Ok(Str::from(text).stamped(address.taint()))
}

/// `${prvscheck{address}{secret}{result}}`.
pub static PRVSCHECK: Item = Item {
    meta: Meta::new(
        "prvscheck",
        Effects::CLOCK.union(Effects::VARS),
        TaintRule::Result,
    )
    .syntax("${prvscheck{<address>}{<secret>}{<result>}}")
    .summary("Takes a signed address apart, and checks its signature.")
    .docs(
        "If the address does not look like one that `prvs` made, the result is empty. Otherwise \
         `$prvscheck_address` is the address without its tag and `$prvscheck_keynum` the number \
         of the key while the other arguments are expanded: the second gives the secret. Then \
         `$prvscheck_result` says whether the signature is right and has not expired: `1` or \
         nothing. The result is the third argument, or the address without its tag where the \
         third is missing or empty. As in Exim, the second and the third argument are expanded \
         for other addresses too, and count for nothing.",
    )
    .examples(&[
        Example::new("${prvscheck{prvs=058144b995=a@b}{secret}}", "a@b"),
        Example::new(
            "${prvscheck{prvs=058144b995=a@b}{secret}{$prvscheck_keynum/$prvscheck_result}}",
            "0/1",
        ),
        Example::new("${prvscheck{prvs=058144b995=a@b}{wrong}{<$prvscheck_result>}}", "<>"),
        Example::new("${prvscheck{a@b}{secret}{signed}}", ""),
    ])
    .source("specification 11.5 and 44.27"),
    shape: ItemShape::Staged { max: 2 },
    run: ItemRun::Lazy(prvscheck),
};

fn prvscheck(call: &mut Call<'_>) -> Result<Str, Fail> {
    let address = call.text(0)?;
    call.set_var(var::PRVSCHECK_RESULT, Str::EMPTY);
    let Some(parts) = Parts::of(address.bytes()) else {
        call.set_var(var::PRVSCHECK_ADDRESS, Str::EMPTY);
        call.set_var(var::PRVSCHECK_KEYNUM, Str::EMPTY);
        // Exim does not skip these, whatever its specification says.
        call.text(1)?;
        if call.args().len() > 2 {
            call.text(2)?;
        }
        call.check_closed()?;
        return Ok(Str::EMPTY);
    };
    let plain = address.slice(parts.address.0, parts.address.1);
    call.set_var(var::PRVSCHECK_ADDRESS, plain.clone());
    call.set_var(var::PRVSCHECK_KEYNUM, address.slice(5, 6));
    call.set_captures(parts.captures(&address));
    let secret = call.text(1)?;
    let tag = &address.bytes()[5..9];
    let Some(hash) = signature(secret.bytes(), tag, plain.bytes()) else {
        return Err(Fail::argument("hmac-sha1 conversion failed"));
    };
    if mac::same(&hash, &address.bytes()[9..15]) && !expired(parts.day, today(call)?) {
        call.set_var(var::PRVSCHECK_RESULT, Str::fixed("1"));
    }
    let result = if call.args().len() > 2 { call.text(2)? } else { Str::EMPTY };
    call.check_closed().map_err(counted_anew)?;
    call.set_var(var::PRVSCHECK_ADDRESS, Str::EMPTY);
    call.set_var(var::PRVSCHECK_KEYNUM, Str::EMPTY);
    Ok(if result.is_empty() { plain } else { result })
}

/// Behind a signed address Exim counts the last argument by itself.
fn counted_anew(fail: Fail) -> Fail {
    match fail.message().strip_suffix(b"(max is 2)") {
        Some(head) => {
            let message = [head, b"(max is 1)"].concat();
            fail.reworded(message)
        }
        None => fail,
    }
}

/// Days since 1970.
fn today(call: &Call<'_>) -> Result<i64, Fail> {
    Ok(call.clock()?.now().seconds.div_euclid(86_400))
}

/// Whether a day of expiry, modulo 1000, is past. Only around the turn can it
/// be told from one that is far ahead, so that any later day is good.
fn expired(day: i64, today: i64) -> bool {
    let today = today.rem_euclid(1000);
    let turned = today > 1000 - LIFE - 1 && day < LIFE;
    !turned && day < today
}

/// The six digits over a tag and an address; `None` for a secret that is too
/// long for Exim.
fn signature(secret: &[u8], tag: &[u8], address: &[u8]) -> Option<[u8; 6]> {
    if secret.len() > LONGEST_SECRET {
        return None;
    }
    let digits = mac::hex(&mac::sha1(secret, &[tag, address])[..3]);
    digits.try_into().ok()
}

/// Where the pieces of a signed address are.
struct Parts {
    /// The day of expiry.
    day: i64,
    /// The address without its tag, and the at sign in it.
    address: (usize, usize),
    at: usize,
}

impl Parts {
    /// Reads `prvs=KDDDHHHHHH=local@domain`, the word in either case.
    fn of(text: &[u8]) -> Option<Self> {
        // A newline at the end is passed over, as `$` in a pattern does.
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let (head, rest) = text.split_at_checked(16)?;
        let (word, tag) = head.split_at(5);
        if !word.eq_ignore_ascii_case(b"prvs=")
            || tag[10] != b'='
            || !tag[..4].iter().all(u8::is_ascii_digit)
            || !tag[4..10].iter().all(u8::is_ascii_hexdigit)
            || rest.contains(&b'\n')
        {
            return None;
        }
        let before_last = rest.len().checked_sub(1)?;
        let at = rest[..before_last].iter().rposition(|c| *c == b'@').filter(|at| *at > 0)?;
        let day = tag[1..4].iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
        Some(Self { day, address: (16, text.len()), at: 16 + at })
    }

    /// What Exim leaves in `$0` to `$5`.
    fn captures(&self, text: &Str) -> Captures {
        let (start, end, at) = (self.address.0 as u32, self.address.1 as u32, self.at as u32);
        let ranges = [(0, end), (5, 6), (6, 9), (9, 15), (start, at), (at + 1, end)];
        Captures { subject: text.clone(), groups: ranges.into_iter().collect(), clean: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_expires_after_its_day() {
        assert!(!expired(784, 20_777) && !expired(777, 20_777) && !expired(999, 20_777));
        assert!(expired(776, 20_777) && expired(0, 20_777));
        // Around the turn, what asking Exim on those days gave.
        assert!(expired(0, 20_992) && !expired(0, 20_993) && !expired(6, 20_999));
        assert!(expired(7, 20_999) && !expired(0, 21_000) && expired(0, 21_001));
    }
}
