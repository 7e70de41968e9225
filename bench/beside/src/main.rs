//! One predicate over values that change with each evaluation, in eximious and in other
//! languages that programs embed: rates as ratios to minijinja's.
//!
//! `cargo run --release [-- --smoke]`. Each of them compiles the predicate once. With a
//! context that is kept, the variables are set in it each time; a new one is made and
//! filled each time. Where a language has no regular expressions, it gets one that is
//! compiled already, as a function.

use std::hint::black_box;
use std::time::Instant;

use eximious::Engine;
use regex::Regex;

const PATTERN: &str = "^bounce[-+]";
const HOST: &str = "mail.example.edu";

/// What the variables are in turn, and what the predicate says of them.
const VALUES: [([&str; 3], bool); 4] = [
    (["bounce-1234@mail.example.edu", "mail.example.edu", "192.0.2.1"], true),
    (["someone@example.com", "mail.example.edu", "192.0.2.2"], false),
    (["bounce+x@list.example.org", "mail.example.edu", "192.0.2.3"], true),
    (["bounce-1@mail.example.edu", "relay.example.net", "192.0.2.4"], false),
];
const NAMES: [&str; 3] = ["sender_address", "sender_host_name", "sender_host_address"];

type Predicate = Box<dyn FnMut(&[&str; 3]) -> bool>;

/// A language, with a context that is kept, and with a new one each time.
struct Language {
    name: &'static str,
    kept: Predicate,
    new: Predicate,
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let rounds = if smoke { 100 } else { 10_000 };
    let mut languages = [minijinja(), eximious(), cel(), rhai()];
    // In turn, so that whatever else the machine does strikes all of them.
    let mut rates = [[0.0_f64; 2]; 4];
    for _ in 0..if smoke { 1 } else { 9 } {
        for (language, [kept, new]) in languages.iter_mut().zip(&mut rates) {
            *kept = kept.max(rate(&mut language.kept, rounds));
            *new = new.max(rate(&mut language.new, rounds));
        }
    }
    println!("evaluations per second, as ratios to minijinja's ({:.0} ns, {:.0} ns)",
        1e9 / rates[0][0], 1e9 / rates[0][1]);
    for (language, [kept, new]) in languages.iter().zip(&rates) {
        let (kept, new) = (kept / rates[0][0], new / rates[0][1]);
        println!("{:10} context kept {kept:6.2}   new {new:6.2}", language.name);
    }
}

/// How often it is evaluated in a second.
fn rate(predicate: &mut Predicate, rounds: usize) -> f64 {
    let start = Instant::now();
    for (values, expected) in VALUES.iter().cycle().take(rounds) {
        assert_eq!(predicate(black_box(values)), *expected);
    }
    rounds as f64 / start.elapsed().as_secs_f64()
}

fn eximious() -> Language {
    let engine = Engine::builder().declare(NAMES).build();
    let slots = NAMES.map(|name| engine.slot(name).expect("it is declared"));
    let rule = engine.compile(format!(
        "${{if and{{{{match{{$sender_address}}{{\\N{PATTERN}\\N}}}}\
         {{eq{{$sender_host_name}}{{{HOST}}}}}\
         {{!eq{{$sender_host_address}}{{}}}}}}{{yes}}{{no}}}}"
    ));
    let run = move |cx: &mut eximious::Context, values: &[&str; 3]| {
        for (slot, value) in slots.iter().zip(values) {
            cx.set_slot(*slot, *value);
        }
        rule.expand(cx).expect("it can be evaluated").bytes() == b"yes"
    };
    let mut cx = engine.context();
    let again = run.clone();
    Language {
        name: "eximious",
        kept: Box::new(move |values| run(&mut cx, values)),
        new: Box::new(move |values| again(&mut engine.context(), values)),
    }
}

fn minijinja() -> Language {
    use minijinja::{Environment, context};
    fn made() -> Environment<'static> {
        let regex = Regex::new(PATTERN).expect("a pattern");
        let mut environment = Environment::new();
        environment.add_test("bounce", move |text: &str| regex.is_match(text));
        environment
    }
    const SOURCE: &str = "sender_address is bounce and \
        sender_host_name == 'mail.example.edu' and sender_host_address != ''";
    // It has no contexts that could be kept.
    let run = || {
        let environment: &'static Environment<'static> = Box::leak(Box::new(made()));
        let rule = environment.compile_expression(SOURCE).expect("an expression");
        move |values: &[&str; 3]| {
            let [sender_address, sender_host_name, sender_host_address] = *values;
            let values = context! { sender_address, sender_host_name, sender_host_address };
            rule.eval(values).expect("it can be evaluated").is_true()
        }
    };
    Language { name: "minijinja", kept: Box::new(run()), new: Box::new(run()) }
}

fn cel() -> Language {
    use cel::{Context, Program, Value};
    let source = format!(
        "sender_address.matches('{PATTERN}') && sender_host_name == '{HOST}' \
         && sender_host_address != ''"
    );
    let run = move |rule: &Program, cx: &mut Context<'_, '_>, values: &[&str; 3]| {
        for (name, value) in NAMES.iter().zip(values) {
            cx.add_variable_from_value(*name, *value);
        }
        matches!(rule.execute(cx), Ok(Value::Bool(true)))
    };
    let compile = || Program::compile(&source).expect("an expression");
    let (one, other) = (compile(), compile());
    let mut kept = Context::default();
    Language {
        name: "CEL",
        kept: Box::new(move |values| run(&one, &mut kept, values)),
        new: Box::new(move |values| run(&other, &mut Context::default(), values)),
    }
}

fn rhai() -> Language {
    use rhai::{Engine, Scope};
    fn made() -> (Engine, rhai::AST) {
        let regex = Regex::new(PATTERN).expect("a pattern");
        let mut engine = Engine::new();
        engine.register_fn("bounce", move |text: &str| regex.is_match(text));
        let rule = engine
            .compile_expression(
                "bounce(sender_address) && sender_host_name == \"mail.example.edu\" \
                 && sender_host_address != \"\"",
            )
            .expect("an expression");
        (engine, rule)
    }
    let (engine, rule) = made();
    let mut scope = Scope::new();
    let (again, again_rule) = made();
    Language {
        name: "Rhai",
        kept: Box::new(move |values| {
            for (name, value) in NAMES.iter().zip(values) {
                scope.set_value(*name, (*value).to_owned());
            }
            engine.eval_ast_with_scope(&mut scope, &rule).expect("it can be evaluated")
        }),
        new: Box::new(move |values| {
            let mut scope = Scope::new();
            for (name, value) in NAMES.iter().zip(values) {
                scope.push(*name, (*value).to_owned());
            }
            again.eval_ast_with_scope(&mut scope, &again_rule).expect("it can be evaluated")
        }),
    }
}
