//! Fields of certificates, as a real Exim gave them in a session with TLS.

use eximious::{Engine, Settings, Str, Taint, opt};
use eximious_tests::suite::Suite;
use eximious_tests::{root, show};

fn pem(name: &str) -> Vec<u8> {
    let path = root().join(format!("tests/data/certificates/{name}.pem"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn fields_of_certificates() {
    // The answers were recorded on a host in UTC that had no `timezone` set.
    let engine = Engine::builder().build();
    let answers = Suite::read(&root().join("tests/data/certificates/answers.txt"));
    assert!(answers.cases.len() > 150, "{} answers", answers.cases.len());
    let mut wrong = Vec::new();
    for case in &answers.cases {
        let line = String::from_utf8_lossy(&case.input);
        let (name, field) = line.split_once(' ').expect("a certificate and a field");
        let mut cx = engine.context();
        cx.set("tls_in_ourcert", Str::from(pem(name)));
        let text = format!("${{certextract{{{field}}}{{$tls_in_ourcert}}{{<$value>}}{{none}}}}");
        let answer = match engine.expand_once(text.as_bytes(), &mut cx) {
            Ok(value) => value.bytes().to_vec(),
            Err(fail) => [b"Failed: ", fail.message()].concat(),
        };
        if answer != case.output {
            wrong.push(format!(
                "{}: {line}\n    should be {}\n    but is    {}",
                case.number,
                show(&case.output),
                show(&answer)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn times_are_in_the_zone_of_the_configuration() {
    let time = |zone: Option<&str>| {
        let mut settings = Settings::default();
        if let Some(zone) = zone {
            settings.set(opt::TIMEZONE, zone);
        }
        let world = eximious_world::system();
        let engine = Engine::builder().world(world).settings(settings).build();
        let mut cx = engine.context();
        cx.set("tls_in_peercert", Str::from(pem("types")));
        let text = "${certextract{notbefore}{$tls_in_peercert}}";
        engine.compile(text).expand(&mut cx).expect("a time").display().into_owned()
    };
    assert_eq!(time(Some("UTC")), "Jan  1 00:00:00 2020 GMT");
    assert_eq!(time(Some("Europe/Berlin")), "Jan  1 01:00:00 2020 CET");
    assert_eq!(time(Some("America/St_Johns")), "Dec 31 20:30:00 2019 NST");
    assert_eq!(time(Some("XYZ-5:30")), "Jan  1 05:30:00 2020 XYZ");
}

#[test]
fn what_is_no_certificate_has_no_fields() {
    let engine = Engine::builder().build();
    let whole = pem("rich");
    let ask = |pem: &[u8], field: &str| {
        let mut cx = engine.context();
        cx.set("tls_in_peercert", Str::tainted(pem));
        let text = format!("${{certextract{{{field}}}{{$tls_in_peercert}}{{<$value>}}{{none}}}}");
        engine.compile(text).expand(&mut cx)
    };
    for end in (0..whole.len()).step_by(37) {
        assert_eq!(ask(&whole[..end], "subject").expect("no failure").display(), "none", "{end}");
    }
    // Any byte may be wrong: a value, none, but no panic.
    let text = String::from_utf8_lossy(&whole).into_owned();
    for place in (30..text.len() - 30).step_by(7) {
        let mut changed = whole.clone();
        changed[place] = if changed[place] == b'A' { b'Q' } else { b'A' };
        for field in ["version", "subject", "issuer", "notbefore", "sig_algorithm", "subj_altname"]
        {
            let _ = ask(&changed, field);
        }
    }
    // What a certificate says comes from outside.
    let value = ask(&whole, "subject,CN").expect("a name");
    assert_eq!(value.taint(), Taint::Tainted);
}
