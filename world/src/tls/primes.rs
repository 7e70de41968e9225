//! Primes for Diffie-Hellman, by the names that Exim gives them (`tls_dhparam`).

use eximious_core::world::TlsFault;
use openssl::bn::BigNum;
use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::pkey::Params;

/// The prime where nobody asks for one, or for one of Exim's own.
const USUAL: &[u8] = b"ffdhe2048";

/// The largest file of parameters that is read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// The parameters that an option asks for; nothing where it wants none, or where they
/// have too many bits.
pub fn find(wanted: Option<&[u8]>, most_bits: u32) -> Result<Option<Dh<Params>>, TlsFault> {
    let name = match wanted.unwrap_or_default() {
        b"none" => return Ok(None),
        b"" | b"default" | b"historic" => USUAL,
        name if name.starts_with(b"exim.dev.") => USUAL,
        name => name,
    };
    let shown = String::from_utf8_lossy(name).into_owned();
    let fault = |why: String| TlsFault::new(format!("tls_dhparam {shown}"), why);
    let made = match name.strip_prefix(b"/") {
        Some(_) => {
            let bytes = super::made::contents(name, LARGEST).map_err(&fault)?;
            Dh::params_from_pem(&bytes).map(Some)
        }
        None => named(name),
    };
    let made = made.map_err(|errors| fault(super::session::words(&errors)))?;
    let found = made.ok_or_else(|| fault("no such prime is known".to_owned()))?;
    let bits = u32::try_from(found.prime_p().num_bits()).unwrap_or(u32::MAX);
    // A prime that was chosen by its name is meant.
    Ok((!name.starts_with(b"/") || bits <= most_bits).then_some(found))
}

fn named(name: &[u8]) -> Result<Option<Dh<Params>>, ErrorStack> {
    let two = |prime: Result<BigNum, ErrorStack>| {
        Dh::from_pqg(prime?, None, BigNum::from_u32(2)?).map(Some)
    };
    match name {
        b"ike1" => two(BigNum::get_rfc2409_prime_768()),
        b"ike2" => two(BigNum::get_rfc2409_prime_1024()),
        b"ike5" => two(BigNum::get_rfc3526_prime_1536()),
        b"ike14" => two(BigNum::get_rfc3526_prime_2048()),
        b"ike15" => two(BigNum::get_rfc3526_prime_3072()),
        b"ike16" => two(BigNum::get_rfc3526_prime_4096()),
        b"ike17" => two(BigNum::get_rfc3526_prime_6144()),
        b"ike18" => two(BigNum::get_rfc3526_prime_8192()),
        b"ike22" => Dh::get_1024_160().map(Some),
        b"ike23" => Dh::get_2048_224().map(Some),
        b"ike24" => Dh::get_2048_256().map(Some),
        b"ffdhe2048" => two(ffdhe(2048, 560_316)),
        b"ffdhe3072" => two(ffdhe(3072, 2_625_351)),
        b"ffdhe4096" => two(ffdhe(4096, 5_736_041)),
        b"ffdhe6144" => two(ffdhe(6144, 15_705_020)),
        b"ffdhe8192" => two(ffdhe(8192, 10_965_728)),
        _ => Ok(None),
    }
}

/// A prime of RFC 7919: 2^b - 2^(b-64) + ([2^(b-130) * e] + offset) * 2^64 - 1.
fn ffdhe(bits: i32, offset: u32) -> Result<BigNum, ErrorStack> {
    let power = |exponent: i32| -> Result<BigNum, ErrorStack> {
        let mut out = BigNum::new()?;
        out.set_bit(exponent)?;
        Ok(out)
    };
    // 1/0! + 1/1! + 1/2! + …, with more bits than are needed.
    const MORE: i32 = 64;
    let mut term = power(bits - 130 + MORE)?;
    let mut sum = BigNum::new()?;
    let mut number = 1;
    while term.num_bits() > 0 {
        sum = &sum + &term;
        term.div_word(number)?;
        number += 1;
    }
    let mut whole = BigNum::new()?;
    whole.rshift(&sum, MORE)?;
    whole.add_word(offset)?;
    let mut middle = BigNum::new()?;
    middle.lshift(&whole, 64)?;
    let mut prime = &(&power(bits)? - &power(bits - 64)?) + &middle;
    prime.sub_word(1)?;
    Ok(prime)
}

#[cfg(test)]
mod tests {
    use openssl::bn::BigNumContext;

    use super::*;

    #[test]
    fn the_primes_of_rfc_7919_are_primes() {
        let mut context = BigNumContext::new().unwrap();
        for (bits, offset) in [(2048, 560_316), (3072, 2_625_351)] {
            let prime = ffdhe(bits, offset).unwrap();
            assert!(prime.is_prime(8, &mut context).unwrap(), "{bits}");
            let mut half = BigNum::new().unwrap();
            half.rshift1(&prime).unwrap();
            assert!(half.is_prime(8, &mut context).unwrap(), "{bits}: a safe one");
        }
    }

    #[test]
    fn names_are_known() {
        for name in ["", "default", "ike14", "ike23", "ffdhe4096"] {
            assert!(find(Some(name.as_bytes()), 2236).unwrap().is_some(), "{name}");
        }
        assert!(find(Some(b"none"), 2236).unwrap().is_none());
        assert!(find(Some(b"ike99"), 2236).is_err());
        assert!(find(Some(b"/nowhere"), 2236).is_err());
    }
}
