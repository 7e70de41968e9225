//! Data is expanded once, wherever it goes: what would be seen of a second
//! time is a file that somebody asks for.

use eximious::grammar::expansion::ConditionShape;
use eximious::world::Fixture;
use eximious::{Engine, Str};

/// Text that asks for a file if anyone expands it.
const TRAP: &str = "${readfile{/secret}}";

/// Expands a text in which `$acl_m_x` is the trap and `$acl_m_l` a list of
/// traps; both are clean, so that nothing but care keeps them from being
/// expanded. Gives the answer.
fn expand(text: &str) -> String {
    let fixture = Fixture::new().file("/secret", "opened");
    let engine = Engine::builder().world(fixture.world()).build();
    let mut cx = engine.context();
    cx.set("acl_m_x", Str::from(TRAP));
    cx.set("acl_m_l", Str::from(format!("<; {TRAP};a{TRAP};{TRAP}")));
    let answer = match engine.compile(text).expand(&mut cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    };
    assert!(!fixture.asked().iter().any(|c| c == "read /secret"), "{text}: the file was read");
    assert!(!answer.contains("opened"), "{text}: {answer}");
    answer
}

#[test]
fn the_trap_works() {
    let fixture = Fixture::new().file("/secret", "opened");
    let engine = Engine::builder().world(fixture.world()).build();
    let value = engine.compile(TRAP).expand(&mut engine.context()).unwrap();
    assert_eq!((value.display().as_ref(), fixture.asked().len()), ("opened", 1));
}

#[test]
fn cve_2014_2972_conditions_expand_their_arguments_once() {
    let registry = eximious::registry();
    let mut count = 0;
    for condition in registry.all_conditions() {
        let group = |n: u8| "{$acl_m_x}".repeat(usize::from(n));
        let arguments = match condition.shape {
            ConditionShape::Bare | ConditionShape::Variable => continue,
            ConditionShape::Conditions { .. } => {
                vec!["{{eq{$acl_m_x}{$acl_m_x}}{bool{$acl_m_x}}}".into()]
            }
            ConditionShape::Each { .. } => vec![
                "{$acl_m_x}{eq{$item}{$acl_m_x}}".into(),
                "{$acl_m_l}{bool_lax{$item}}".into(),
                "{[\"\\${readfile\\{/secret\\}\\}\"]}{eq{$item}{$acl_m_x}}".into(),
            ],
            ConditionShape::Group { min, max } => {
                vec![format!("{{{}}}", group(min)), format!("{{{}}}", group(max))]
            }
            ConditionShape::Counted { count } => vec![group(count)],
            ConditionShape::One => vec![group(1), "{1$acl_m_x}".into(), "{$acl_m_l}".into()],
            ConditionShape::Two | ConditionShape::TwoLiteral => vec![
                group(2),
                "{1}{$acl_m_x}".into(),
                "{$acl_m_x}{1}".into(),
                "{$acl_m_x}{$acl_m_l}".into(),
                "{1$acl_m_x}{2$acl_m_x}".into(),
            ],
        };
        for arguments in arguments {
            for negation in ["", "!"] {
                let name = condition.meta.name;
                expand(&format!("${{if {negation}{name} {arguments}{{yes}}{{no}}}}"));
                count += 1;
            }
        }
    }
    assert!(count > 100, "only {count} texts");
    assert_eq!(expand("${if eq{$acl_m_x}{\\${readfile\\{/secret\\}\\}}{yes}{no}}"), "yes");
    let shown = format!("Failed: integer expected but \"{TRAP}\" found");
    assert_eq!(expand("${if >{$acl_m_x}{0}{yes}{no}}"), shown);
}

#[test]
fn cve_2019_13917_elements_are_data() {
    for text in [
        "${map{$acl_m_l}{$item}}",
        "${map{$acl_m_l}{[${uc:$item}]}}",
        "${filter{$acl_m_l}{eq{$item}{$item}}}",
        "${filter{$acl_m_l}{def:item}}",
        "${reduce{$acl_m_l}{}{$value$item}}",
        "${reduce{$acl_m_l}{$acl_m_x}{${if eq{$item}{x}{$item}{$value}}}}",
        "${reduce{a:b}{$acl_m_x}{$value}}",
        "${sort{$acl_m_l}{lt}{$item}}",
        "${sort{$acl_m_l}{gei}{x$item}}",
        "${sort{$acl_m_l}{<=}{${strlen:$item}}}",
        "${sort{b:a}{lt}{$acl_m_x$item}}",
        "${listextract{1}{$acl_m_l}}",
        "${listextract{2}{$acl_m_l}{<$value>}}",
        "${extract{1}{;}{$acl_m_l}{$value}}",
        "${extract{a}{a=\"$acl_m_x\"}{$value}}",
        "${if forany{$acl_m_l}{eq{$item}{$acl_m_x}}{$acl_m_x}}",
        "${if forall{$acl_m_l}{match{$item}{a}}{}{$acl_m_x}}",
        "${if inlist{$acl_m_x}{$acl_m_l}{$value}}",
        "${if match{$acl_m_x}{^(.*)\\$}{$1}}",
        "${tr{$acl_m_x}{z}{y}}",
        "${listquote{:}{$acl_m_x}}",
        "${env{$acl_m_x}{$value}{$acl_m_x}}",
        "${prvscheck{prvs=0001000000=$acl_m_x@a}{$acl_m_x}{$prvscheck_address}}",
        "${if inbound_srs{SRS0=a=aa=b=$acl_m_x}{}{$srs_recipient}}",
        "${authresults{$acl_m_x}}",
        "${certextract{$acl_m_x}{$tls_in_peercert}{$value}{$acl_m_x}}",
    ] {
        let answer = expand(text);
        assert!(!answer.starts_with("Failed: "), "{text}: {answer}");
    }
    assert_eq!(expand("${map{$acl_m_l}{$item}}"), format!("{TRAP};a{TRAP};{TRAP}"));
    assert_eq!(expand("${sort{$acl_m_l}{lt}{$item}}"), format!("{TRAP};{TRAP};a{TRAP}"));
}
