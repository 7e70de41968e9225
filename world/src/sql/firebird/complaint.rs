//! What a Firebird server has against something. It sends numbers; the words are
//! the client's to find.

use super::super::wire::WireError;
use super::channel::Channel;

/// What stands in a list of errors: what follows it.
const END: u32 = 0;
const ERROR: u32 = 1;
const TEXT: u32 = 2;
const NUMBER: u32 = 4;
const INTERPRETED: u32 = 5;
const SYSTEM: u32 = 7;
const WARNING: u32 = 18;
const STATE: u32 = 19;

/// How many entries such a list may have.
const MOST: usize = 64;

/// Errors, each with what it is about.
#[derive(PartialEq, Eq, Debug)]
pub struct FirebirdError(Vec<(u32, Vec<Vec<u8>>)>);

impl FirebirdError {
    /// Reads one; `None` where all is well, or nearly so.
    pub fn read(channel: &mut Channel) -> Result<Option<Self>, WireError> {
        let mut errors: Vec<(u32, Vec<Vec<u8>>)> = Vec::new();
        // What is said in a warning.
        let mut aside: Option<Vec<Vec<u8>>> = None;
        for _ in 0..MOST {
            let argument = match channel.number()? {
                END => return Ok(Some(Self(errors)).filter(|complaint| !complaint.0.is_empty())),
                ERROR => {
                    let code = channel.number()?;
                    if code != 0 {
                        errors.push((code, Vec::new()));
                        aside = None;
                    }
                    continue;
                }
                WARNING => {
                    channel.number()?;
                    aside = Some(Vec::new());
                    continue;
                }
                STATE => {
                    channel.text()?;
                    continue;
                }
                // Signed, as servers count lines from minus something.
                NUMBER => channel.number()?.cast_signed().to_string().into_bytes(),
                SYSTEM => {
                    let number = channel.number()?.cast_signed();
                    let error = std::io::Error::from_raw_os_error(number);
                    errors.push((PLAIN, vec![crate::databases::words(&error).into_bytes()]));
                    continue;
                }
                INTERPRETED => {
                    errors.push((PLAIN, vec![channel.text()?]));
                    continue;
                }
                TEXT => channel.text()?,
                _ => return Err(WireError::Garbage),
            };
            match (&mut aside, errors.last_mut()) {
                (Some(about), _) | (None, Some((_, about))) => about.push(argument),
                // Words before any error.
                (None, None) => errors.push((PLAIN, vec![argument])),
            }
        }
        Err(WireError::Garbage)
    }

    /// The words.
    pub fn words(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (code, about) in &self.0 {
            let mut words = Vec::new();
            push_words(&mut words, *code, about);
            if words.is_empty() {
                continue;
            }
            if !out.is_empty() {
                out.extend_from_slice(b"; ");
            }
            out.extend_from_slice(&words);
        }
        out
    }
}

fn push_words(out: &mut Vec<u8>, code: u32, about: &[Vec<u8>]) {
    let known = WORDS.binary_search_by_key(&code, |(code, _)| *code);
    let Ok(known) = known else {
        out.extend_from_slice(format!("error {code}").as_bytes());
        for (at, text) in about.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b": " } else { b", " });
            out.extend_from_slice(text);
        }
        return;
    };
    let mut words = WORDS[known].1.bytes();
    while let Some(byte) = words.next() {
        if byte != b'@' {
            out.push(byte);
            continue;
        }
        let number = words.next().map_or(0, |digit| usize::from(digit.wrapping_sub(b'1')));
        out.extend_from_slice(about.get(number).map(Vec::as_slice).unwrap_or_default());
    }
}

/// What has no number.
const PLAIN: u32 = 335_544_382;

/// Errors that a lookup may meet, by their numbers. Where `@1` stands, the first
/// thing follows that the server says of it. (Firebird 3 language reference,
/// appendix B.)
const WORDS: &[(u32, &str)] = &[
    (335_544_321, "arithmetic exception, numeric overflow, or string truncation"),
    (335_544_324, "invalid database handle (no active connection)"),
    (335_544_334, "conversion error from string \"@1\""),
    (335_544_336, "deadlock"),
    (335_544_343, "invalid request BLR at offset @1"),
    (335_544_344, "I/O error during \"@1\" operation for file \"@2\""),
    (335_544_345, "lock conflict on no wait transaction"),
    (335_544_347, "validation error for column @1, value \"@2\""),
    (335_544_349, "attempt to store duplicate value in unique index \"@1\""),
    (335_544_351, "unsuccessful metadata update"),
    (335_544_352, "no permission for @1 access to @2 @3"),
    (335_544_361, "attempted update during read-only transaction"),
    (335_544_375, "unavailable database"),
    (335_544_378, "feature is not supported"),
    (PLAIN, "@1"),
    (335_544_395, "table @1 is not defined"),
    (335_544_421, "connection rejected by remote interface"),
    (335_544_436, "SQL error code = @1"),
    (335_544_451, "update conflicts with concurrent update"),
    (335_544_463, "generator @1 is not defined"),
    (335_544_466, "violation of FOREIGN KEY constraint \"@1\" on table \"@2\""),
    (335_544_472, "Your user name and password are not defined"),
    (335_544_517, "exception @1"),
    (335_544_528, "database @1 shutdown"),
    (335_544_558, "Operation violates CHECK constraint @1 on view or table @2"),
    (335_544_569, "Dynamic SQL Error"),
    (335_544_570, "Invalid command"),
    (335_544_573, "Data type unknown"),
    (335_544_578, "Column unknown"),
    (335_544_580, "Table unknown"),
    (335_544_581, "Procedure unknown"),
    (335_544_583, "SQLDA error"),
    (335_544_584, "Count of read-write columns does not equal count of values"),
    (335_544_586, "Function unknown"),
    (335_544_588, "COLLATION @1 for CHARACTER SET @2 is not defined"),
    (335_544_606, "expression evaluation not supported"),
    (335_544_634, "Token unknown - line @1, column @2"),
    (335_544_652, "multiple rows in singleton select"),
    (335_544_665, "violation of PRIMARY or UNIQUE KEY constraint \"@1\" on table \"@2\""),
    (335_544_669, "count of column list and variable list do not match"),
    (335_544_721, "Unable to complete network request to host \"@1\""),
    (335_544_726, "Error reading data from the connection"),
    (335_544_727, "Error writing data to the connection"),
    (335_544_734, "Error while trying to open file"),
    (335_544_741, "connection lost to database"),
    (
        335_544_778,
        "Integer divide by zero.  The code attempted to divide an integer value by an integer divisor of zero.",
    ),
    (335_544_794, "operation was cancelled"),
    (
        335_544_824,
        "Invalid expression in the @1 (not contained in either an aggregate function or the GROUP BY clause)",
    ),
    (335_544_837, "Invalid offset parameter @1 to SUBSTRING. Only positive integers are allowed."),
    (335_544_838, "Foreign key reference target does not exist"),
    (335_544_842, "@1"),
    (335_544_849, "Malformed string"),
    (335_544_851, "Unexpected end of command - line @1, column @2"),
    (335_544_856, "connection shutdown"),
    (335_544_878, "concurrent transaction number is @1"),
    (335_544_914, "string right truncation"),
    (335_544_916, "numeric value is out of range"),
    (335_544_961, "Base for @1 must be positive"),
    (335_545_033, "expected length @1, actual @2"),
    (335_545_060, "Missing security context for @1"),
    (335_545_065, "Incompatible wire encryption levels requested on client and server"),
    (335_545_072, "Problematic key value is @1"),
    (335_545_094, "There is no privilege for this operation"),
    (335_545_106, "Error occurred during login, please check server firebird.log for details"),
    (336_003_085, "Ambiguous field name between @1 and @2"),
    (336_003_109, "No SQLDA for input values provided"),
    (336_397_206, "Table @1 does not exist"),
    (336_397_208, "At line @1, column @2"),
    (336_397_247, "Strings cannot be added or subtracted in dialect 3"),
    (336_397_286, "CREATE TABLE @1 failed"),
    (336_397_287, "ALTER TABLE @1 failed"),
    (336_397_288, "DROP TABLE @1 failed"),
    (336_397_319, "GRANT failed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(WORDS.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn errors_have_words() {
        fn check(errors: &[(u32, &[&str])], wanted: &str) {
            let errors = errors.iter().map(|(code, about)| {
                (*code, about.iter().map(|text| text.as_bytes().to_vec()).collect())
            });
            let said = FirebirdError(errors.collect()).words();
            assert_eq!(String::from_utf8_lossy(&said), wanted);
        }
        check(&[(335_544_436, &["-104"])], "SQL error code = -104");
        check(
            &[(335_544_569, &[]), (335_544_580, &[]), (PLAIN, &["X"])],
            "Dynamic SQL Error; Table unknown; X",
        );
        check(&[(335_544_352, &["read", "TABLE"])], "no permission for read access to TABLE ");
        check(&[(1, &["a", "b"]), (2, &[])], "error 1: a, b; error 2");
        check(&[], "");
    }
}
