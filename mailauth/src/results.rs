//! What an `Authentication-Results` field says (RFC 8601, section 2.2).

/// How deep comments may stand in comments: deeper ones are none.
const DEEPEST_COMMENT: u32 = 100;

/// A field's value: whose findings these are, and what came of each method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthResults {
    /// The name of the service.
    pub service: Vec<u8>,
    /// Each method with its result, both in lower case, in the field's order.
    pub methods: Vec<(Vec<u8>, Vec<u8>)>,
}

impl AuthResults {
    /// Reads what stands behind the field's name; nothing where it names no service.
    pub fn read(value: &[u8]) -> Option<Self> {
        let mut parts = parts(value).into_iter();
        let service =
            parts.next()?.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?.to_vec();
        let methods = parts.filter_map(|part| {
            let equals = memchr::memchr(b'=', &part)?;
            let (method, result) = (&part[..equals], part[equals + 1..].trim_ascii_start());
            let method = method.split(|c| *c == b'/').next()?.trim_ascii();
            let result = result.split(u8::is_ascii_whitespace).next()?;
            let is_one = !method.is_empty() && !result.is_empty();
            is_one.then(|| (method.to_ascii_lowercase(), result.to_ascii_lowercase()))
        });
        Some(Self { service, methods: methods.collect() })
    }

    /// What came of a method first.
    pub fn of(&self, method: &[u8]) -> Option<&[u8]> {
        let mut methods = self.methods.iter();
        methods.find(|(name, _)| name == method).map(|(_, result)| &result[..])
    }
}

/// What stands between semicolons, without comments and the quotes of strings.
fn parts(value: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    let (mut depth, mut quoted) = (0, false);
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted || depth > 0 => {
                let escaped = bytes.next();
                part.extend(escaped.filter(|_| depth == 0));
            }
            b'"' if depth == 0 => quoted = !quoted,
            _ if quoted => part.push(byte),
            b'(' if depth < DEEPEST_COMMENT => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                part.extend((depth == 0).then_some(b' '));
            }
            _ if depth > 0 => {}
            b';' => parts.push(std::mem::take(&mut part)),
            _ => part.push(byte),
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> String {
        let Some(found) = AuthResults::read(value.as_bytes()) else { return "none".into() };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let methods = found.methods.iter().map(|(m, r)| format!(" {}={}", text(m), text(r)));
        text(&found.service) + &methods.collect::<String>()
    }

    #[test]
    fn methods_stand_between_semicolons() {
        for (value, found) in [
            (" mail.example", "mail.example"),
            (" mail.example 1; none", "mail.example"),
            (
                " a.example;\r\n\tspf=pass smtp.mailfrom=b.example;\r\n\tARC = Fail (i=2)",
                "a.example spf=pass arc=fail",
            ),
            (
                "(x;y) \"a.example\" (b);dkim/1=pass (a (b;c=d\\)) e) header.d=x; =; x=",
                "a.example dkim=pass",
            ),
            (" a; auth=pass reason=\"a;arc=pass\"; arc=none", "a auth=pass arc=none"),
            ("", "none"),
            (" ; arc=pass", "none"),
            ("(((((", "none"),
        ] {
            assert_eq!(read(value), found, "{value}");
        }
        assert_eq!(read(&"(".repeat(100_000)), "none");
    }

    #[test]
    fn the_first_result_of_a_method_counts() {
        let found = AuthResults::read(b"a; dkim=fail; dkim=pass").unwrap();
        assert_eq!(found.of(b"dkim"), Some(&b"fail"[..]));
        assert_eq!(found.of(b"arc"), None);
    }
}
