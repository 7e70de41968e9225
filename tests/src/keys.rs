//! Keys of DKIM, and their records: the name server of the tests (`names.rs`) makes those below
//! `_domainkey.keys.odd` of what their names say. `v1.rsa2048.split` is a record of
//! `v=DKIM1; p=…` in several strings.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use eximious_mailauth::crypto::PrivateKey;

/// The names of the private keys in `tests/data/dkim`.
pub const KEYS: [&str; 4] = ["rsa2048", "rsa1024", "rsa512", "ed25519"];

/// What labels stand for, but for those of keys.
pub const TAGS: [(&str, &str); 42] = [
    ("v1", "v=DKIM1"),
    ("v2", "v=DKIM2"),
    ("vlow", "v=dkim1"),
    ("vempty", "v="),
    ("krsa", "k=rsa"),
    ("ked", "k=ed25519"),
    ("kno", "k=dsa"),
    ("kup", "k=RSA"),
    ("kempty", "k="),
    ("ty", "t=y"),
    ("ts", "t=s"),
    ("tys", "t=y:s"),
    ("tsy", "t=s : y"),
    ("tx", "t=x"),
    ("tempty", "t="),
    ("h1", "h=sha1"),
    ("h2", "h=sha256"),
    ("h5", "h=sha512"),
    ("h12", "h=sha1:sha256"),
    ("hsp", "h=sha1 : sha256"),
    ("hup", "h=SHA256"),
    ("hempty", "h="),
    ("hno", "h=md5"),
    ("smail", "s=email"),
    ("sall", "s=*"),
    ("sweb", "s=web"),
    ("sup", "s=EMAIL"),
    ("sempty", "s="),
    ("n", "n=some=20notes  here"),
    ("nempty", "n="),
    ("gall", "g=*"),
    ("gann", "g=ann"),
    ("gempty", "g="),
    ("x", "x=y"),
    ("long", "zz=0123456789012345678901234567890123456789"),
    ("junk", "junk"),
    ("empty", ""),
    ("upper", "V=DKIM1"),
    ("none", "p="),
    ("bad", "p=!!!!"),
    ("nokey", "p=aGVsbG8="),
    ("pupper", "P=aGVsbG8="),
];

/// Labels that say how the record is written; behind `and` another one begins.
pub const FORMS: [&str; 5] = ["split", "tight", "blanks", "ended", "folded"];

/// Names of keys of RSA in other forms than the usual one.
pub const FORMS_OF_KEYS: [&str; 4] = ["cut", "spaced", "twice", "unpadded"];

static PUBLIC: LazyLock<BTreeMap<&str, Vec<u8>>> =
    LazyLock::new(|| KEYS.into_iter().map(|name| (name, private(name).public())).collect());

/// The text of a private key.
///
/// # Panics
/// Where there is no such key.
pub fn pem(name: &str) -> String {
    let path = crate::root().join("tests/data/dkim").join(name).with_extension("pem");
    std::fs::read_to_string(path).expect("a key")
}

/// A private key.
///
/// # Panics
/// Where there is no such key.
pub fn private(name: &str) -> PrivateKey {
    PrivateKey::read(&pem(name)).expect("a key")
}

/// The value of `p=` for a label.
fn key(label: &str) -> Option<String> {
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    if let Some(bytes) = PUBLIC.get(label) {
        return Some(base64(bytes));
    }
    let rsa = &PUBLIC["rsa2048"];
    let whole = base64(rsa);
    Some(match label {
        "cut" => whole[..whole.len() - 8].to_owned(),
        "spaced" => format!("{} {}", &whole[..100], &whole[100..]),
        "edinfo" => {
            let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
            base64(&[&head[..], &PUBLIC["ed25519"]].concat())
        }
        "twice" => format!("x; p={whole}"),
        "unpadded" => base64(&PUBLIC["ed25519"]).trim_end_matches('=').to_owned(),
        _ => return None,
    })
}

/// The records that a name below `keys.odd` has: their strings; none where it says no such
/// thing.
pub fn records(name: &str) -> Vec<Vec<String>> {
    let Some((selector, _)) = name.split_once("._domainkey") else { return Vec::new() };
    let mut records = Vec::new();
    for labels in selector.split(".and.") {
        let labels: Vec<&str> = labels.split('.').collect();
        let has = |form: &str| labels.contains(&form);
        let tags: Vec<String> = labels
            .iter()
            .filter_map(|label| {
                let tag = TAGS.iter().find(|(name, _)| name == label);
                let text = tag.map(|(_, text)| (*text).to_owned());
                text.or_else(|| key(label).map(|key| format!("p={key}")))
            })
            // Behind a value that is only a blank the real one loses a tag.
            .map(|text| match has("blanks") && !text.ends_with('=') {
                true => text.replacen('=', " = ", 1),
                false => text,
            })
            .collect();
        let between = match (has("tight"), has("folded")) {
            (true, _) => ";",
            (_, true) => ";\r\n\t",
            _ => "; ",
        };
        let text = tags.join(between) + if has("ended") { "; " } else { "" };
        // A string has a byte for its length.
        let room = if has("split") { 40 } else { 255 };
        let strings = text.as_bytes().chunks(room);
        records.push(strings.map(|part| String::from_utf8_lossy(part).into_owned()).collect());
    }
    records
}
