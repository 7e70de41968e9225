//! Alias files, and routers that redirect by them.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const NAMES: &[&str] = &["ann", "bob", "carl", "dora", "list", "loop", "owner-list", "Ann", "a+b"];

const OPTIONS: &[&str] = &[
    "allow_fail",
    "allow_defer",
    "skip_syntax_errors",
    "forbid_include",
    "forbid_file",
    "forbid_pipe",
    "forbid_blackhole",
    "forbid_special",
    "one_time",
    "repeat_use = false",
    "check_ancestor",
    "rewrite = false",
    "qualify_preserve_domain",
    "unseen",
    "pass_on_timeout",
    "no_more",
    "hide_child_in_errmsg",
    "errors_to = err@a.test",
    "check_local_user = false",
    "no_verify",
    "caseful_local_part",
    "self = pass",
    "syntax_errors_to = s@a.test",
    "forbid_filter_run",
    "local_part_suffix = -*",
    "local_part_suffix_optional",
    "forbid_smtp_code",
];

const TAIL: &str = "local:
  driver = accept
  domains = a.test : b.test
  local_parts = ann : bob : carl : err : s
  transport = t
away:
  driver = manualroute
  domains = far.test
  route_list = * 192.0.2.10
  transport = t
begin transports
t:
  driver = appendfile
  file = /dev/null
begin rewrite
*@old.test $1@a.test";

/// A file of aliases, routers, and questions.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed(
        "+++ exim.conf\nspool_directory = DIR/spool\nprimary_hostname = me.test\n\
         qualify_domain = a.test\nkeep_environment =\nlog_file_path = DIR/%slog\nbegin routers",
    );
    for router in 0..rng.usize(1..3) {
        quarry.fixed(format!(
            "r{router}:\n  driver = redirect\n  domains = a.test : b.test\n  file_transport = t\n  \
             pipe_transport = t\n  directory_transport = t\n  reply_transport = t"
        ));
        quarry.fixed(match rng.chance(3) {
            true => format!("  file = DIR/list{router}"),
            false => {
                let key = rng.pick(&["$local_part", "$local_part@$domain", "${lc:$local_part}"]);
                format!("  data = ${{lookup{{{key}}}lsearch*@{{DIR/aliases{router}}}}}")
            }
        });
        let mut set = Vec::new();
        for _ in 0..rng.usize(..5) {
            let option = rng.pick(OPTIONS);
            if !set.contains(&option) {
                set.push(option);
                quarry.loose(format!("  {option}"));
            }
        }
    }
    quarry.fixed(TAIL);
    for router in 0..2 {
        quarry.fixed(format!("+++ aliases{router}"));
        for name in NAMES {
            if !rng.chance(3) {
                let key = if rng.chance(8) { format!("{name}@b.test") } else { name.to_string() };
                quarry.loose(format!("{key}: {}", items(rng, ", ")));
            }
        }
        quarry.fixed(format!("+++ list{router}"));
        for _ in 0..rng.usize(..4) {
            quarry.loose(items(rng, "\n"));
        }
    }
    quarry.fixed("+++ within");
    quarry.loose(items(rng, "\n"));
    let option = rng.pick(&["-bt", "-bt", "-bv", "-bvs", "-v -bv"]);
    quarry.fixed(format!("? {option}"));
    for name in NAMES {
        let domain = rng.pick(&["@a.test", "", "@b.test", "@old.test", "@far.test"]);
        quarry.loose(format!("> {name}{domain}"));
    }
    quarry
}

fn items(rng: &mut Rng, between: &str) -> String {
    rng.some(0, 3, between, item)
}

fn item(rng: &mut Rng) -> String {
    let all = [
        "ann",
        "bob",
        "carl",
        "dora",
        "list",
        "loop",
        "nobody",
        "bob@a.test",
        "x@far.test",
        "x@b.test",
        "\\ann",
        "\\loop",
        "/tmp/file",
        "/tmp/dir/",
        "|/bin/pipe",
        "\"|/bin/pipe with args\"",
        ":fail: no such",
        ":defer: later",
        ":blackhole:",
        ":unknown:",
        ":include:DIR/within",
        ":include:/nosuch",
        ":include:",
        "a;b",
        "<bob>",
        "Bob <bob@a.test>",
        "bob (comment)",
        "\"a b\"",
        "\"bob\"@a.test",
        "bob@old.test",
        "@a.test",
        "bob@",
        "#comment",
        "ann bob",
        "\"",
        "/dev/null",
        ":fail: 550 5.1.1 gone",
        "carl@[192.0.2.1]",
        "list: bob, carl;",
        "loop@b.test",
        "(",
        "|",
        "/",
        "\"/tmp/a b\"",
        "bob@@a.test",
        ":defer:",
        "DORA",
        "\"\\|x\"@a.test",
        "<|/bin/x>",
        "a@b@c",
    ];
    rng.pick(&all).to_owned()
}
