//! Signatures that come in, with anything in them that may be, and with keys of all kinds.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use eximious_mailauth::canon::{BodyHash, BodyHasher, Canon};
use eximious_mailauth::crypto::{Hash, KeyType};
use fastrand::Rng;

use super::{Mail, TEXT};
use crate::dice::Dice;
use crate::escapes::escaped;
use crate::hunt::{Form, Quarry};
use crate::keys;

const HEAD: &str = "primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
received_header_text = Received: by $primary_hostname
queue_only
smtp_enforce_sync = false
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data";

const OPTIONS: &[&str] = &[
    "dkim_verify_signers = $dkim_signers : extra.test",
    "dkim_verify_signers = keys.odd",
    "dkim_verify_signers = $sender_address_domain : $dkim_signers",
    "dkim_verify_signers = KEYS.odd : a@keys.odd",
    "dkim_verify_signers =",
    "dkim_verify_signers = ${if eq{1}{2}{x}fail}",
    "dkim_verify_signers = ${nosuch:x}",
    "dkim_verify_signers = <; keys.odd ; sub.keys.odd",
    "dkim_verify_hashes = sha256 : sha512 : sha1",
    "dkim_verify_hashes = sha512 : sha256",
    "dkim_verify_hashes = sha1",
    "dkim_verify_keytypes = rsa : ed25519",
    "dkim_verify_keytypes = rsa",
    "dkim_verify_keytypes = ed25519",
    "dkim_verify_min_keysizes = rsa=512",
    "dkim_verify_min_keysizes = rsa=2048 ed25519=250",
    "dkim_verify_min_keysizes = rsa=4096 ed25519=512",
    "dkim_verify_minimal",
    "log_selector = +dkim_verbose -dkim",
    "log_selector = +dkim",
];

/// The variables, for a line of the log.
const VARIABLES: &str = "<$dkim_cur_signer> of <$dkim_signers>: status=<$dkim_verify_status> \
    reason=<$dkim_verify_reason> domain=<$dkim_domain> identity=<$dkim_identity> \
    selector=<$dkim_selector> algo=<$dkim_algo> canon_body=<$dkim_canon_body> \
    canon_headers=<$dkim_canon_headers> copiedheaders=<$dkim_copiedheaders> \
    bodylength=<$dkim_bodylength> created=<$dkim_created> expires=<$dkim_expires> \
    headernames=<$dkim_headernames> key_testing=<$dkim_key_testing> \
    key_nosubdomains=<$dkim_key_nosubdomains> key_srvtype=<$dkim_key_srvtype> \
    key_granularity=<$dkim_key_granularity> key_notes=<$dkim_key_notes> \
    key_length=<$dkim_key_length>";

/// What the ACL for signers may have.
const OF_SIGNERS: &[&str] = &[
    "warn dkim_status = pass : invalid\n       logwrite = passes or invalid",
    "warn !dkim_status = fail\n       logwrite = does not fail",
    "warn dkim_signers = keys.odd : *.test\n       logwrite = one of them",
    "warn !dkim_signers = $sender_address_domain\n       logwrite = not the sender's",
    "warn sender_domains = $dkim_domain\n       logwrite = aligned",
    "warn add_header = X-D: $dkim_cur_signer $dkim_verify_status",
    "warn set acl_m_n = ${eval:0$acl_m_n+1}\n       logwrite = run $acl_m_n",
    "accept condition = ${if eq{$dkim_verify_status}{fail}}\n       \
     set dkim_verify_status = pass\n       set dkim_verify_reason = because",
    "accept condition = ${if eq{$dkim_verify_status}{pass}}\n       \
     set dkim_verify_reason = really",
    "deny dkim_status = fail\n       message = bad $dkim_cur_signer: $dkim_verify_reason",
    "defer dkim_status = invalid",
    "accept dkim_status = pass\n       message = fine",
];

/// What the ACL for messages may have.
const OF_DATA: &[&str] = &[
    "warn dkim_status = pass\n       logwrite = passes",
    "warn dkim_status = none\n       logwrite = has none",
    "warn dkim_status = invalid : fail\n       logwrite = bad",
    "warn !dkim_status = pass : none\n       logwrite = neither",
    "deny !dkim_status = pass\n       message = unsigned",
    "warn add_header = :at_start:${authresults{me.test}}",
];

/// A tag of a signature.
struct Tag {
    name: &'static str,
    value: Vec<u8>,
}

impl Tag {
    fn new(name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        Self { name, value: value.into() }
    }
}

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    quarry.fixed("## verifying\n+++ exim.conf").fixed(HEAD);
    let options = rng.options(4, OPTIONS);
    if !options.iter().any(|option| option.starts_with("log_selector")) {
        quarry.loose("log_selector = +dkim_verbose");
    }
    for option in options {
        quarry.loose(option);
    }
    if !rng.chance(8) {
        quarry.loose("acl_smtp_dkim = acl_dkim");
    }
    quarry.fixed("begin acl\nacl_rcpt:");
    if rng.chance(20) {
        quarry.loose("  warn control = dkim_disable_verify");
    }
    quarry.fixed("  accept\nacl_dkim:");
    quarry.loose(format!("  warn logwrite = signer {VARIABLES}"));
    for statement in rng.options(3, OF_SIGNERS) {
        quarry.loose(format!("  {statement}"));
    }
    quarry.fixed("  accept\nacl_data:");
    quarry.loose(format!("  warn logwrite = data {VARIABLES}"));
    quarry.loose("  warn logwrite = ${authresults{me.test}}");
    for statement in rng.options(3, OF_DATA) {
        quarry.loose(format!("  {statement}"));
    }
    quarry.fixed("  accept\n? hunt from=192.0.2.1 -bs");
    let sender = rng.pick(&["a@keys.odd", "a@keys.odd", "x@sub.keys.odd", ""]);
    quarry.fixed(format!(
        "> EHLO client.test\n>& MAIL FROM:<{sender}>\n>& RCPT TO:<b@me.test>\n> DATA"
    ));
    let mail = Mail::some(rng);
    let wire = |text: &[u8]| {
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        [&lines.join(&b"\r\n"[..])[..], b"\r\n"].concat()
    };
    let fields: Vec<Vec<u8>> = mail.fields.iter().map(|field| wire(field)).collect();
    let body: Vec<u8> = mail.lines.iter().flat_map(|line| wire(line)).collect();
    let count = rng.pick(&["1", "1", "1", "2", "3"]).parse().unwrap_or(1);
    for _ in 0..count {
        let field = signature(rng, &fields, &body);
        quarry.loose(format!(">&\\ {}", escaped(&field)));
    }
    let change = rng.u32(..24);
    if change == 0 {
        quarry.loose(">& Subject: another");
    }
    for field in &fields {
        let field = match change {
            1 => field.to_ascii_lowercase(),
            2 => {
                field.iter().flat_map(|c| if *c == b' ' { vec![*c; 2] } else { vec![*c] }).collect()
            }
            _ => field.clone(),
        };
        quarry.loose(format!(">&\\ {}", escaped(&field)));
    }
    if change == 3 {
        quarry.loose(">& From: another@me.test");
    }
    quarry.fixed(">& ");
    for line in mail.lines {
        let dot: &[u8] = if line.starts_with(b".") { b"." } else { b"" };
        let text = format!(">&\\ {}\\r\\n", escaped(&[dot, &line[..]].concat()));
        if line == TEXT {
            quarry.fixed(text)
        } else {
            quarry.loose(text)
        };
    }
    match change {
        4 => quarry.loose(">& more"),
        5 => quarry.loose(">&\\  \\r\\n\\r\\n"),
        6 => quarry.loose(">& "),
        _ => &mut quarry,
    };
    quarry.fixed("> .\n> QUIT\n& log/main*\n& log/panic*\n& log/reject*");
    quarry
}

/// The labels of a record, for a key.
fn selector(rng: &mut Rng, key: &str) -> String {
    let usual = if key == "ed25519" { "v1.ked" } else { "v1" };
    let tags = |rng: &mut Rng| {
        let (name, _) = keys::TAGS[rng.usize(..keys::TAGS.len())];
        name
    };
    match rng.u32(..12) {
        0..=3 => format!("{usual}.{key}"),
        4 | 5 => format!("{usual}.{}.{key}", tags(rng)),
        6 => format!("{}.{key}", tags(rng)),
        7 => format!("{key}.{}", tags(rng)),
        8 => format!("{usual}.{key}.{}", rng.pick(&keys::FORMS)),
        9 if key == "ed25519" => format!("{usual}.{}", rng.pick(&["edinfo", "unpadded"])),
        9 => format!("{usual}.{}", rng.pick(&keys::FORMS_OF_KEYS)),
        10 => {
            let (one, other) = (tags(rng), tags(rng));
            // Of two tags with a name the real one takes one here, both there.
            let other = if one.as_bytes()[0] == other.as_bytes()[0] { "x" } else { other };
            format!("{usual}.{one}.{}.{other}.{key}", rng.pick(&keys::FORMS))
        }
        _ => match rng.chance(2) {
            true => format!("{usual}.{}.and.{usual}.{key}", rng.pick(&keys::KEYS)),
            false => rng.pick(&["none", "junk.and.v1.rsa2048", "no.such", "empty", "S"]).to_owned(),
        },
    }
}

const DOMAINS: &[&str] = &[
    "keys.odd",
    "keys.odd",
    "keys.odd",
    "keys.odd",
    "sub.keys.odd",
    "KEYS.odd",
    "b.test",
    "nodata.odd",
    "servfail.odd",
    "keys.odd.",
    "a b.keys.odd",
    "",
];

/// Identities; for `%`, the domain. Of another domain they are none, which the real one takes.
const IDENTITIES: &[&str] =
    &["a@%", "@%", "a@sub.%", "a=20b@%", "%", "A@sub.SUB.%", "a@\r\n\t%", "a:b@%", "a@b@%", ""];

const NUMBERS: &[&str] = &[
    "1",
    "1700000000",
    "4000000000",
    "0",
    "x",
    "",
    "+1",
    "1x",
    " 17 ",
    "1 7",
    "007",
    "99999999999",
];

const CANONS: &[&str] = &[
    "relaxed/relaxed",
    "relaxed/relaxed",
    "relaxed/relaxed",
    "simple/simple",
    "simple/simple",
    "relaxed/simple",
    "simple/relaxed",
    "relaxed",
    "simple",
];

/// What `c=` is made of where it is not what it says.
const ODD_CANONS: &[&str] = &[
    "Relaxed/Relaxed",
    "relaxed/",
    "/relaxed",
    "x/y",
    "",
    "relaxed/relaxed/relaxed",
    "nowsp",
    " relaxed / relaxed ",
    "simple/x",
];

const ODD_ALGORITHMS: &[&str] = &[
    "RSA-SHA256",
    "rsa-md5",
    "rsa",
    "",
    "rsa-",
    "-sha256",
    "ed25519-sha512",
    "ed25519-sha1",
    "rsa - sha256",
    "rsa-sha\r\n\t256",
];

const NAMES: &[&str] = &[
    "From",
    "from",
    "To",
    "Subject",
    "SUBJECT",
    "Cc",
    "X-A",
    "X-None",
    "X-Empty",
    "Date",
    "X-Long",
    "Message-ID",
    "Received",
    "Reply-To",
];

/// A signature of a message: its whole field.
fn signature(rng: &mut Rng, fields: &[Vec<u8>], body: &[u8]) -> Vec<u8> {
    let name = rng.pick(&["rsa2048", "rsa2048", "rsa2048", "ed25519", "rsa1024", "rsa512"]);
    let key = keys::private(name);
    let hash = match (key.kind(), rng.u32(..8)) {
        (KeyType::Rsa, 0) if name != "rsa512" => Hash::Sha512,
        (KeyType::Rsa, 1) => Hash::Sha1,
        _ => Hash::Sha256,
    };
    let algorithm = format!("{}-{}", key.kind().name(), hash.name());
    let canon = rng.pick(CANONS);
    let canons = canon.split('/').map(|name| Canon::named(name.as_bytes()).unwrap_or_default());
    let canons: Vec<Canon> = canons.collect();
    let (header, in_body) = (canons[0], canons.get(1).copied().unwrap_or_default());
    let mut names = rng.some(0, 5, ":", |rng| rng.pick(NAMES).to_owned());
    // The real one takes a signature without it.
    names = if names.is_empty() { "From".to_owned() } else { format!("From:{names}") };
    let spaced = rng.pick(&[":", ":", ":", " : ", ":\r\n\t", ": "]);
    let domain = rng.pick(DOMAINS);
    let mut tags = vec![
        Tag::new("v", "1"),
        Tag::new("a", algorithm),
        Tag::new("c", canon),
        Tag::new("d", domain),
        Tag::new("s", selector(rng, name)),
        Tag::new("h", names.replace(':', spaced)),
    ];
    if canon == "simple/simple" && rng.chance(2) {
        tags.remove(2);
    }
    if rng.chance(5) {
        tags.push(Tag::new("i", rng.pick(IDENTITIES).replace('%', domain)));
    }
    let mut more = |rng: &mut Rng, of: u32, name, values: &[&str]| {
        if rng.chance(of) {
            tags.push(Tag::new(name, rng.pick(values)));
        }
    };
    more(rng, 8, "t", NUMBERS);
    more(rng, 8, "x", NUMBERS);
    more(rng, 8, "l", &["0", "1", "5", "10", "1000", "", "x", "-1", "99999999999", "3x"]);
    more(rng, 10, "q", &["dns/txt", "other", "", "dns/txt:other"]);
    more(rng, 10, "z", &["From:a|To:b=20c", "", "a = 3D", "x\r\n\ty"]);
    more(rng, 12, "zz", &["1", "", "a b"]);
    let length = tags
        .iter()
        .find(|tag| tag.name == "l")
        .and_then(|tag| std::str::from_utf8(&tag.value).ok()?.parse().ok());
    let wanted = BodyHash { canon: in_body, hash, length };
    let mut hasher = BodyHasher::new([wanted]);
    hasher.push(body);
    let bodies = hasher.finish();
    let hashed = bodies.get(wanted).map(|hash| BASE64_STANDARD.encode(hash)).unwrap_or_default();
    tags.push(Tag::new("bh", hashed));
    if rng.chance(3) {
        odd(rng, &mut tags);
    }
    if rng.chance(3) {
        rng.shuffle(&mut tags);
    }
    // What is signed is the field without the value of this tag.
    let place = if rng.chance(4) { rng.usize(..=tags.len()) } else { tags.len() };
    let (before, behind) = written(rng, &tags, place);
    let own = [&before[..], &behind].concat();
    let mut signed = signed_fields(fields, &names, header);
    header.header(&own, &mut signed);
    signed.truncate(signed.len() - 2);
    let signature = key.sign(hash, &signed).unwrap_or_default();
    let mut signature = BASE64_STANDARD.encode(signature).into_bytes();
    match rng.u32(..30) {
        0 => signature.clear(),
        1 => signature = b"!!!".to_vec(),
        2 => signature.truncate(20),
        3 => signature[4] ^= 1,
        4 => signature.extend_from_slice(b"AAAA"),
        5 => signature.retain(|byte| *byte != b'='),
        6..=12 => {
            let lines: Vec<&[u8]> = signature.chunks(rng.usize(8..70)).collect();
            signature = lines.join(rng.pick(&["\r\n\t", " ", "\r\n  "]).as_bytes());
        }
        13 => signature = [b" \r\n\t", &signature[..], b" "].concat(),
        _ => {}
    }
    [&before[..], &signature, &behind].concat()
}

/// Makes something of the tags odd.
fn odd(rng: &mut Rng, tags: &mut Vec<Tag>) {
    let mut set = |name: &'static str, value: &str| {
        tags.retain(|tag| tag.name != name);
        tags.push(Tag::new(name, value));
    };
    match rng.u32(..7) {
        0 => set("c", rng.pick(ODD_CANONS)),
        1 => set("a", rng.pick(ODD_ALGORITHMS)),
        2 => set("v", rng.pick(&["2", "", "01", "1 ", "1.0", "x"])),
        3 => set(
            "bh",
            rng.pick(&["", "!!!", "aGVsbG8=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]),
        ),
        4 => set("h", rng.pick(&["", "From:", ":From", "From::To", "From:DKIM-Signature"])),
        5 => set("s", rng.pick(&["", "a b", ".", "x;y"])),
        _ => {
            let at = rng.usize(..tags.len());
            tags.remove(at);
        }
    }
}

/// The field before and behind the value of `b=`, which comes before the tag of a number.
fn written(rng: &mut Rng, tags: &[Tag], place: usize) -> (Vec<u8>, Vec<u8>) {
    let head = rng.pick(&[
        "DKIM-Signature:",
        "DKIM-Signature: ",
        "dkim-signature:\r\n\t",
        "DKIM-SIGNATURE:  ",
    ]);
    let between = rng.pick(&["; ", "; ", ";", ";\r\n\t", " ; ", " ;\r\n  "]);
    let equals = rng.pick(&["=", "=", "=", " = ", "=\r\n\t"]);
    let end = rng.pick(&["", "", ";", "; ", " ;", ";;", "; junk"]);
    let text = |tag: &Tag| [tag.name.as_bytes(), equals.as_bytes(), &tag.value].concat();
    let mut before = head.as_bytes().to_vec();
    for tag in &tags[..place] {
        before.extend([&text(tag)[..], between.as_bytes()].concat());
    }
    before.extend_from_slice(b"b=");
    let mut behind = Vec::new();
    for tag in &tags[place..] {
        behind.extend([between.as_bytes(), &text(tag)].concat());
    }
    behind.extend_from_slice(end.as_bytes());
    // White space there would be part of the value.
    behind = behind.trim_ascii_start().to_vec();
    behind.extend_from_slice(b"\r\n");
    (before, behind)
}

/// The fields of some names, the last one of each first.
fn signed_fields(fields: &[Vec<u8>], names: &str, canon: Canon) -> Vec<u8> {
    let mut left: Vec<&Vec<u8>> = fields.iter().collect();
    let mut signed = Vec::new();
    for name in names.split(':') {
        let is_it = |field: &&Vec<u8>| {
            let colon = field.iter().position(|byte| *byte == b':').unwrap_or(field.len());
            field[..colon].trim_ascii_end().eq_ignore_ascii_case(name.trim().as_bytes())
        };
        if let Some(at) = left.iter().rposition(is_it) {
            canon.header(left.remove(at), &mut signed);
        }
    }
    signed
}
