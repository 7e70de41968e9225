//! The inside: parsing once, evaluating many times.

use divan::{Bencher, black_box};
use eximious::{Context, Engine, Expansion, Str};

fn main() {
    divan::main();
}

/// A typical condition of an ACL.
const CONDITION: &str = "${if and{{match{$sender_address}{\\N^bounce[-+]\\N}}\
    {!inlist{$sender_address_domain}{example.com:example.net:example.org:lists.example}}\
    }{yes}{no}}";

fn ready(text: &str) -> (Expansion, Context) {
    let engine = Engine::builder().build();
    let rule = engine.compile(text);
    let mut cx = engine.context();
    cx.set("sender_address", Str::tainted(b"bounce-1234@mail.example.edu"));
    cx.set("sender_address_domain", Str::tainted(b"mail.example.edu"));
    // The first uses warm the caches, as in a long-lived process.
    for _ in 0..8 {
        let _ = rule.expand(&mut cx);
    }
    (rule, cx)
}

fn evaluate(bencher: Bencher<'_, '_>, text: &str) {
    let (rule, mut cx) = ready(text);
    bencher.bench_local(|| black_box(rule.expand(&mut cx)));
}

#[divan::bench]
fn acl_condition(bencher: Bencher<'_, '_>) {
    evaluate(bencher, CONDITION);
}

#[divan::bench]
fn static_string(bencher: Bencher<'_, '_>) {
    evaluate(bencher, "a string of the configuration that has nothing to expand in it");
}

#[divan::bench]
fn eq_two_variables(bencher: Bencher<'_, '_>) {
    evaluate(bencher, "${if eq{$sender_address}{$domain}{yes}{no}}");
}

#[divan::bench]
fn lower_case(bencher: Bencher<'_, '_>) {
    evaluate(bencher, "${lc:$sender_address}");
}

#[divan::bench]
fn map_of_a_list(bencher: Bencher<'_, '_>) {
    evaluate(bencher, "${map{a:b:c:d}{[$item]}}");
}

#[divan::bench]
fn compile_acl_condition(bencher: Bencher<'_, '_>) {
    let engine = Engine::builder().build();
    bencher.bench_local(|| black_box(engine.compile(black_box(CONDITION))));
}

#[divan::bench]
fn build_an_engine(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| black_box(Engine::builder().build()));
}
