//! What one program signs today, the other accepts: prvs and SRS, with many
//! addresses and secrets. The answers hang on the day, so that they can't stand
//! in a suite.

use std::sync::Arc;

use eximious::world::{Fixed, Moment};
use eximious::{Engine, Str, World};
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::{dice, show};
use fastrand::Rng;

/// How many addresses a test signs.
const ADDRESSES: usize = 400;

/// Any bytes, written so that an expansion gives them back.
fn written(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'@' | b'.' | b'=' => {
                char::from(*byte).to_string()
            }
            byte => format!("\\x{byte:02x}"),
        })
        .collect()
}

fn pick(rng: &mut Rng, letters: &[u8], most: usize) -> Vec<u8> {
    (0..rng.usize(1..=most)).map(|_| letters[rng.usize(..letters.len())]).collect()
}

fn address(rng: &mut Rng) -> Vec<u8> {
    let local = match rng.u32(..8) {
        0 => [b"\"", &pick(rng, b"ab c@.,<>", 8)[..], b"\""].concat(),
        1 => [&pick(rng, b"ab", 3)[..], b".", &pick(rng, b"cd", 3)].concat(),
        2 => [b"SRS0=", &pick(rng, b"ab12", 4)[..], b"=zz=x.y=", &pick(rng, b"cd", 3)].concat(),
        3 => pick(rng, b"a=+-_!#$%&'*/?^`{|}~", 12),
        4 => pick(rng, b"a(b)\"\\ ;:\xe9\xff", 6),
        _ => pick(rng, b"abcdefXYZ0123456789", 20),
    };
    let domain = match rng.u32(..6) {
        0 => b"[192.0.2.1]".to_vec(),
        1 => [&pick(rng, b"abC-", 4)[..], b".", &pick(rng, b"deF", 3)].concat(),
        2 => pick(rng, b"a.-@ \xc3", 4),
        _ => [&pick(rng, b"abcdef", 10)[..], b".example"].concat(),
    };
    match rng.u32(..12) {
        0 => local,
        1 => [b"<", &local[..], b"@", &domain, b">"].concat(),
        _ => [&local[..], b"@", &domain].concat(),
    }
}

fn secret(rng: &mut Rng) -> Vec<u8> {
    match rng.u32(..8) {
        0 => pick(rng, b"\x01\x7f\xff\" {}$\\", 10),
        1 => vec![b'k'; rng.usize(60..70)],
        _ => pick(rng, b"abcdefgh0123", 30),
    }
}

/// Asks both the same lines; they agree, unless the day ends between them.
fn agree(reference: &Reference, lines: &[String]) -> Vec<Vec<u8>> {
    let lines: Vec<Vec<u8>> = lines.iter().map(|l| l.clone().into_bytes()).collect();
    for last in [false, true] {
        let theirs = reference.ask(&lines, None);
        let mut ours = Ours::new();
        let mut wrong = Vec::new();
        let mut answers = Vec::new();
        for (line, theirs) in lines.iter().zip(theirs) {
            let answer = ours.answer(line);
            if theirs != Answer::Said(answer.clone()) {
                wrong.push(format!("{}\n    {theirs:?}\n    {}", show(line), show(&answer)));
            }
            answers.push(answer);
        }
        if wrong.is_empty() {
            return answers;
        }
        assert!(!last, "{} of {}:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
    }
    unreachable!("the second round either agrees or fails")
}

fn seeded() -> Rng {
    Rng::with_seed(dice::seed())
}

#[test]
fn what_prvs_signs_the_other_accepts() {
    let Some(reference) = Reference::find() else { return };
    let mut rng = seeded();
    let (mut sign, mut secrets) = (Vec::new(), Vec::new());
    for _ in 0..ADDRESSES {
        let (address, secret) = (written(&address(&mut rng)), written(&secret(&mut rng)));
        let key = if rng.bool() { format!("{{{}}}", rng.u32(..10)) } else { String::new() };
        sign.push(format!("${{prvs{{{address}}}{{{secret}}}{key}}}"));
        secrets.push(secret);
    }
    let signed = agree(&reference, &sign);
    let good = signed.iter().filter(|s| s.starts_with(b"prvs=")).count();
    assert!(good > ADDRESSES / 2, "only {good} addresses");

    let mut check = Vec::new();
    for (text, secret) in signed.iter().zip(&secrets) {
        let mut text = text.clone();
        let result = "$prvscheck_result/$prvscheck_keynum/$prvscheck_address";
        check.push(format!("${{prvscheck{{{}}}{{{secret}}}{{{result}}}}}", written(&text)));
        check.push(format!("${{prvscheck{{{}}}{{{secret}}}}}$prvscheck_result", written(&text)));
        check.push(format!("${{prvscheck{{{}}}{{wrong}}{{{result}}}}}", written(&text)));
        if !text.is_empty() {
            let place = rng.usize(..text.len());
            text[place] = b"a0@=F\n"[rng.usize(..6)];
            check.push(format!("${{prvscheck{{{}}}{{{secret}}}{{{result}}}}}", written(&text)));
        }
    }
    let answers = agree(&reference, &check);
    assert!(answers.iter().filter(|a| a.starts_with(b"1/")).count() >= good);
}

#[test]
fn what_srs_encodes_the_other_decodes() {
    let Some(reference) = Reference::find() else { return };
    let mut rng = seeded();
    let (mut encode, mut secrets) = (Vec::new(), Vec::new());
    for _ in 0..ADDRESSES {
        let (path, secret) = (written(&address(&mut rng)), written(&secret(&mut rng)));
        let domain = written(&pick(&mut rng, b"abcDEF.", 10));
        encode.push(format!("${{srs_encode{{{secret}}}{{{path}}}{{{domain}}}}}"));
        secrets.push(secret);
    }
    let encoded = agree(&reference, &encode);
    let good = encoded.iter().filter(|e| !e.starts_with(b"Failed: ")).count();
    assert!(good > ADDRESSES / 2, "only {good} addresses");

    let mut decode = Vec::new();
    for (text, secret) in encoded.iter().zip(&secrets) {
        let end = text.iter().rposition(|c| *c == b'@').unwrap_or(text.len());
        let mut local = text[..end].to_vec();
        if let Some(inner) = local.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")) {
            local = inner.to_vec();
        }
        let found = "{$srs_recipient}{refused}";
        decode.push(format!("${{if inbound_srs{{{}}}{{{secret}}}{found}}}", written(&local)));
        decode.push(format!("${{if inbound_srs{{{}}}{{wrong}}{found}}}", written(&local)));
        decode.push(format!("${{if inbound_srs{{{}}}{{}}{found}}}", written(&local)));
        if !local.is_empty() {
            let place = rng.usize(..local.len());
            local[place] = b"a0@=F \n"[rng.usize(..7)];
            decode.push(format!("${{if inbound_srs{{{}}}{{{secret}}}{found}}}", written(&local)));
            decode.push(format!("${{if inbound_srs{{{}}}{{}}{found}}}", written(&local)));
        }
    }
    let answers = agree(&reference, &decode);
    let accepted = answers.iter().filter(|a| a.contains(&b'@')).count();
    assert!(accepted > good, "only {accepted} of {} are decoded", answers.len());
}

/// A day, as an engine sees it.
fn on_day(day: i64) -> Engine {
    let clock = Arc::new(Fixed(Moment { seconds: day * 86_400 + 4711, nanos: 0 }));
    Engine::builder().world(World { clock, ..World::hermetic() }).build()
}

fn expand(engine: &Engine, text: &str) -> String {
    let value = engine.compile(text).expand(&mut engine.context());
    value.unwrap_or_else(|fail| Str::from(format!("Failed: {fail}"))).display().into_owned()
}

#[test]
fn a_signature_holds_for_its_days() {
    for day in [20_777, 20_990, 20_993, 20_999, 21_000] {
        let signed = expand(&on_day(day), "${prvs{a@b}{secret}}");
        let check = format!("${{prvscheck{{{signed}}}{{secret}}{{<$prvscheck_result>}}}}");
        for later in 0..=7 {
            assert_eq!(expand(&on_day(day + later), &check), "<1>", "{day} and {later}");
        }
        assert_eq!(expand(&on_day(day + 8), &check), "<>", "{day}");
    }
    for day in [20_777, 21_502, 21_504] {
        let encoded = expand(&on_day(day), "${srs_encode{secret}{a@b.c}{d}}");
        let local = encoded.strip_suffix("@d").unwrap();
        let decode = format!("${{if inbound_srs{{{local}}}{{secret}}{{$srs_recipient}}{{no}}}}");
        for later in 0..=10 {
            assert_eq!(expand(&on_day(day + later), &decode), "a@b.c", "{day} and {later}");
        }
        assert_eq!(expand(&on_day(day + 11), &decode), "no", "{day}");
        assert_eq!(expand(&on_day(day - 1), &decode), "no", "{day}");
    }
}

#[test]
fn a_refused_signature_leaves_no_recipient() {
    let engine = on_day(20_777);
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"SRS0=a979=jj=b.c=a".as_slice()));
    let mut ask = |secret: &str| {
        let text =
            format!("${{if inbound_srs{{$local_part}}{{{secret}}}{{y}}{{n}}}}$srs_recipient");
        engine.compile(text).expand(&mut cx).unwrap()
    };
    let accepted = ask("secret");
    assert_eq!(accepted.display(), "ya@b.c");
    assert!(accepted.taint().is_tainted());
    assert_eq!(ask("wrong").display(), "n");
}
