//! The Sender Rewriting Scheme in routers, as a host that forwards uses it: the older surface,
//! and the sample of the native one.

use std::sync::Arc;

use eximious::world::{Fixed, Fixture, Moment, World};
use eximious_tests::routed::Routed;

/// The day on which `Mail::SRS` 0.31 made what is compared here.
const DAY: i64 = 20_779;

const ROUTERS: &str = "
domainlist ours = us.example
begin routers
bounces:
  driver = redirect
  domains = +ours
  local_parts = ^(?i)srs
  srs = reverse
  data = $srs_recipient
lists:
  driver = redirect
  domains = lists.example
  srs = reverseandforward
  srs_alias = bounces@us.example
  data = ${if def:srs_recipient{$srs_recipient}{member@far.example}}
some:
  driver = redirect
  domains = some.example
  srs = forward
  srs_condition = ${if eq{$local_part}{yes}}
  data = member@far.example
odd:
  driver = redirect
  domains = odd.example
  srs = sideways
  data = member@far.example
own:
  driver = redirect
  domains = own.example
  srs = forward
  errors_to = owner@own.example
  data = member@far.example
forward:
  driver = redirect
  domains = +ours
  srs = forward
  data = ${if eq{$local_part}{none}{}{there@far.example}}
out:
  driver = accept
  transport = t
begin transports
t:
  driver = smtp
";

fn on_day(day: i64, options: &str) -> Routed {
    let clock = Arc::new(Fixed(Moment { seconds: day * 86_400 + 4711, nanos: 0 }));
    let world = World { clock, ..Fixture::new().world() };
    Routed::new(&format!("qualify_domain = us.example\n{options}{ROUTERS}"), &world)
}

#[test]
fn senders_are_rewritten_and_bounces_come_back() {
    let mut host = on_day(DAY, "srs_secrets = new : old\nsrs_hashlength = 4\n");
    let mut check = |sender: &str, recipient: &str, wanted: &str| {
        assert_eq!(host.deliver(sender, recipient), wanted, "{sender} {recipient}");
    };
    let made = "SRS0=1tgL=JL=host.example=user@us.example";
    check("user@host.example", "a@us.example", &format!("there@far.example from {made}"));
    check("", made, "user@host.example from <>");
    // Another forwarder's is guarded, and its bounce goes to that.
    let first = "SRS0+abcd=AB=orig.example=u@fwd.example";
    let guarded = "SRS1=EJGJ=fwd.example=+abcd=AB=orig.example=u@us.example";
    check(first, "a@us.example", &format!("there@far.example from {guarded}"));
    check("", guarded, &format!("{first} from <>"));
    // A local part with quotes, to which the signature is not bound.
    let quoted = "\"SRS0=Rtgv=JL=c=a b\"@us.example";
    check("\"a b\"@c", "a@us.example", &format!("there@far.example from {quoted}"));
    check("", quoted, "\"a b\"@c from <>");
    // Nobody, and one who is here.
    check("", "a@us.example", "there@far.example from <>");
    check("b@us.example", "a@us.example", "there@far.example from <b@us.example>");
    // An old secret, and case that was lost.
    check("", "srs0=flv+=jl=h=u@us.example", "u@h from <>");
    for (bad, why) in [
        ("SRS0=fLV+=JL=h=v", "wrong hash"),
        ("SRS0=fLV=JL=h=u", "wrong hash"),
        ("SRS0=x", "incomplete"),
        ("SRS1=EJGJ=other.example=+abcd=AB=orig.example=u", "wrong hash"),
    ] {
        let said = format!("failed: invalid SRS address: {why} (Invalid SRS recipient address)");
        check("", &format!("{bad}@us.example"), &said);
    }
    // It declines what is none.
    check("x@y", "srsly@us.example", "there@far.example from SRS0=abN0=JL=y=x@us.example");
}

#[test]
fn options_have_their_effect() {
    let mut host = on_day(DAY, "srs_config = new:5:8\n");
    let made = "SRS0=1tgLLSbB=JL=host.example=user@us.example";
    let sender = "user@host.example";
    let redirected = |from: &str| format!("member@far.example from {from}");
    assert_eq!(host.deliver(sender, "a@lists.example"), redirected(made));
    assert_eq!(host.value("srs_orig_sender"), sender);
    assert_eq!(host.value("srs_status"), "ok");
    let back = made.replace("us.", "lists.");
    assert_eq!(host.deliver("", &back), "user@host.example from <>");
    assert_eq!(host.value("srs_orig_recipient"), back);
    assert_eq!(host.value("srs_recipient"), sender);
    assert_eq!(host.deliver(sender, "no@some.example"), redirected("<user@host.example>"));
    let made = "SRS0=1tgLLSbB=JL=host.example=user@some.example";
    assert_eq!(host.deliver(sender, "yes@some.example"), redirected(made));
    let own = host.deliver(sender, "a@own.example");
    assert!(own.starts_with("member@far.example from "), "{own}");
    assert!(!own.contains("SRS0"), "{own}");
    let odd = "deferred: \"sideways\" is not a valid value for \"srs\" in odd router";
    assert_eq!(host.deliver(sender, "a@odd.example"), odd);
    // Nothing is left of a router that declined.
    assert_eq!(host.deliver(sender, "none@us.example"), "none@us.example from <user@host.example>");
    // Good for five days; shorter hashes where that is allowed.
    let made = "SRS0=1tgLLSbB=JL=host.example=user@us.example";
    let short = "SRS0=1tgL=JL=host.example=user@us.example";
    for (day, options, address, good) in [
        (5, "srs_config = new:5:8\n", made, true),
        (6, "srs_config = new:5:8\n", made, false),
        (6, "srs_config = new:5:8\nsrs_maxage = 6\n", made, true),
        (0, "srs_config = new:5:8\n", short, false),
        (0, "srs_config = new:5:8\nsrs_hashmin = 4\n", short, true),
        (31, "srs_secrets = new\nsrs_hashlength = 4\n", short, true),
        (32, "srs_secrets = new\nsrs_hashlength = 4\n", short, false),
        (0, "srs_secrets = other\nsrs_hashlength = 4\n", short, false),
    ] {
        let found = on_day(DAY + day, options).deliver("", address);
        assert_eq!(found == "user@host.example from <>", good, "{day} {options}: {found}");
    }
    for (options, made) in [
        ("no_srs_usehash\n", "SRS0=JL=h=u@us.example"),
        ("no_srs_usehash\nno_srs_usetimestamp\n", "SRS0=h=u@us.example"),
        ("srs_config = new:5:8:no:no\n", "SRS0=h=u@us.example"),
    ] {
        let mut host = on_day(DAY, options);
        assert_eq!(host.deliver("u@h", "a@us.example"), format!("there@far.example from {made}"));
        assert_eq!(host.deliver("", made), "u@h from <>");
    }
    let without = on_day(DAY, "").deliver("u@h", "a@us.example");
    assert_eq!(without, "deferred: no SRS secret is set for forward router");
}

#[test]
fn a_database_has_the_senders() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("srs.sqlite").display().to_string();
    let lookup = |query: &str| format!("${{lookup sqlite,file={file} {{{query}}}}}");
    let (key, address) = ("${quote_sqlite:$srs_db_key}", "${quote_sqlite:$srs_db_address}");
    // What is not stored must not be sent: a row that comes back tells that it is.
    let insert = format!(
        "${{lookup sqlite,file={file} {{insert into srs values ('{key}', '{address}') \
         returning key}}{{$value}}fail}}"
    );
    let select = lookup(&format!("select address from srs where key = '{key}'"));
    let text = format!(
        "srs_secrets = new
begin routers
bounces:
  driver = redirect
  domains = us.example
  srs = reverse
  srs_dbselect = {select}
  data = $srs_recipient
forward:
  driver = redirect
  domains = us.example
  srs = forward
  srs_dbinsert = {insert}
  data = there@far.example
out:
  driver = accept
  transport = t
begin transports
t:
  driver = smtp
"
    );
    let mut host = Routed::new(&text, &eximious_world::system());
    assert_eq!(host.expand(&lookup("create table srs (key text primary key, address text)")), "");
    let sent = host.deliver("O'Brien@host.example", "a@us.example");
    let made = sent.strip_prefix("there@far.example from ").expect(&sent).to_owned();
    let key = made.strip_prefix("SRS0=").and_then(|rest| rest.strip_suffix("@us.example"));
    assert_eq!(key, Some(&host.value("srs_db_key")[..]));
    assert_eq!(host.expand(&lookup("select address from srs")), "O'Brien@host.example");
    assert_eq!(host.deliver("", &made), "O'Brien@host.example from <>");
    assert_eq!(host.deliver("", &made.to_uppercase()), "O'Brien@host.example from <>");
    let forged = "SRS0=aaaaaaaaaaaaaaaaaaaaaaaaaa@us.example";
    let said = "failed: invalid SRS address: wrong hash (Invalid SRS recipient address)";
    assert_eq!(host.deliver("", forged), said);
    // Without its table, nothing is forwarded.
    assert_eq!(host.expand(&lookup("drop table srs")), "");
    let lost = host.deliver("b@host.example", "a@us.example");
    assert_eq!(lost, "deferred: srs_dbinsert failed in forward router");
}
