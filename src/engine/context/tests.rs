//! What becomes of values.

use eximious_core::Settings;
use eximious_stdlib::options::opt;

use super::*;

fn check(cx: &mut Context, text: &str, answer: &str) {
    let engine = cx.engine.clone();
    let said = match engine.expand_once(text.as_bytes(), cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    };
    assert_eq!(said, answer, "{text}");
}

#[test]
fn counters_are_there_while_they_are_set() {
    let cx = &mut Engine::builder().build().context();
    cx.set_clean("n3", "5");
    check(cx, "$n3 ${n3} ${if def:n3 {a}{b}}", "5 5 a");
    check(cx, "$n4", "Failed: unknown variable name \"n4\"");
    cx.unset("n3");
    check(cx, "$n3", "Failed: unknown variable name \"n3\"");
    check(cx, "${n3}", "Failed: unknown variable in \"${n3}\"");
    check(cx, "${if def:n3 {a}{b}}", "Failed: unknown variable \"n3\" after \"def:\"");
    check(cx, "${if eq{1}{1}{a}{$n3}}", "a");
    assert!(cx.get("n3").is_none());
    cx.set_clean("n3", "7");
    check(cx, "$n3", "7");
}

#[test]
fn a_value_from_the_start_comes_back() {
    let cx = &mut Engine::builder().build().context();
    cx.set_clean("rcpt_count", "3");
    cx.set_clean("acl_m_x", "y");
    check(cx, "$rcpt_count$acl_m_x", "3y");
    cx.unset("rcpt_count");
    cx.unset("acl_m_x");
    check(cx, "$rcpt_count$acl_m_x", "0");
}

#[test]
fn strict_acl_vars_makes_unset_ones_unknown() {
    let mut settings = Settings::default();
    settings.set(opt::STRICT_ACL_VARS, true);
    let cx = &mut Engine::builder().settings(settings).build().context();
    let strict = "(strict_acl_vars is set)";
    check(cx, "$acl_m1", &format!("Failed: unknown variable name \"acl_m1\" {strict}"));
    check(cx, "${acl_m1}", &format!("Failed: unknown variable in \"${{acl_m1}}\" {strict}"));
    check(
        cx,
        "${if def:acl_m1 {a}{b}}",
        &format!("Failed: unknown variable \"acl_m1\" after \"def:\" {strict}"),
    );
    check(
        cx,
        "${if eq{1}{1}{a}{$acl_m1}}",
        &format!("Failed: unknown variable name \"acl_m1\" {strict}"),
    );
    check(
        cx,
        "${if or{{eq{1}{1}}{def:acl_m2}}{a}{b}}",
        &format!(
            "Failed: unknown variable \"acl_m2\" after \"def:\" {strict} \
             inside \"or{{...}}\" condition"
        ),
    );
    check(cx, "$r_x", "Failed: unknown variable name \"r_x\"");
    cx.set_clean("acl_m1", "");
    cx.set_clean("r_x", "v");
    check(cx, "[$acl_m1][$r_x]${if def:acl_m1 {a}{b}}", "[][v]b");
    check(cx, "${if eq{1}{1}{a}{$acl_m1}}", "a");
}

#[test]
fn what_is_declared_is_known_and_has_a_place() {
    let engine = Engine::builder().declare(["score", "domain"]).build();
    let cx = &mut engine.context();
    let rule = engine.compile("[$score] ${if def:score {a}{b}} $domain");
    assert_eq!(rule.faults().count(), 0);
    assert_eq!(engine.compile("$scores").faults().count(), 1);
    check(cx, "[$score] ${if def:score {a}{b}}", "[] b");
    let slot = engine.slot("score").unwrap();
    assert_eq!(slot.name(), "score");
    cx.set_slot(slot, "7");
    assert_eq!(cx.get("score").unwrap().unwrap(), Str::tainted("7"));
    cx.set_slot(engine.slot("domain").unwrap(), Str::clean("a.test"));
    check(cx, "[$score] ${if def:score {a}{b}} $domain", "[7] a a.test");
    cx.set("score", "8");
    check(cx, "$score", "8");
    assert_eq!(["scores", "acl_m_x"].map(|name| engine.slot(name)), [None, None]);
}

#[test]
fn a_slot_of_another_engine_is_found_by_its_name() {
    let one = Engine::builder().declare(["score"]).build();
    let other = Engine::builder().declare(vec!["colour".to_owned(), "score".to_owned()]).build();
    let cx = &mut other.context();
    cx.set_slot(one.slot("score").unwrap(), "7");
    check(cx, "[$colour] $score", "[] 7");
    let cx = &mut Engine::builder().build().context();
    cx.set_slot(one.slot("score").unwrap(), "9");
    check(cx, "$score", "9");
}
