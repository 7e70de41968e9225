//! Routers that go by the verdicts of what plays Brightmail AntiSpam (`docs/brightmail.md`).

use eximious::world::Fixture;
use eximious_tests::routed::Routed;

const ROUTERS: &str = "
qualify_domain = us.test
begin routers
ruled:
  driver = redirect
  bmi_rule = 7 : 12
  data = rule@ruled.test
elsewhere:
  driver = redirect
  domains = us.test
  bmi_deliver_alternate
  data = $bmi_alt_location
dropped:
  driver = redirect
  domains = us.test
  bmi_dont_deliver
  allow_fail
  data = :fail: dropped <$bmi_deliver> <$bmi_base64_verdict> <$bmi_base64_tracker_verdict>
usual:
  driver = redirect
  domains = us.test
  bmi_deliver_default
  data = ${quote_local_part:$local_part}@kept.test
some:
  driver = redirect
  domains = either.test
  bmi_deliver_default
  bmi_deliver_alternate
  data = either@kept.test
out:
  driver = accept
  domains = ! us.test : ! either.test
  transport = t
begin transports
t:
  driver = smtp
";

#[test]
fn routers_go_by_verdicts() {
    let mut routed = Routed::new(ROUTERS, &Fixture::new().world());
    let mut check = |verdicts: &str, recipient: &str, wanted: &str| {
        routed.set("acl_m_bmi_verdicts", verdicts);
        assert_eq!(routed.deliver("", recipient), wanted, "{verdicts:?} {recipient}");
    };
    let unrouteable = "failed: Unrouteable address ()";
    // Nobody looked at it.
    check("", "a@us.test", "a@kept.test from <>");
    check("", "a@either.test", "either@kept.test from <>");
    let verdicts = "a@us.test\talternate\t-\t-\t-\tspam@far.test\nb@us.test\tdrop\tAA==\tBB==\n\
                    c@us.test\tdefault\tCC==\nd@us.test\tdefault\t-\t-\t3,12\n\
                    d@either.test\tdrop\ne@either.test\talternate\n";
    check(verdicts, "A@us.test", "spam@far.test from <>");
    let dropped = "dropped <0> <AA==> <BB==>";
    check(verdicts, "b@us.test", &format!("failed: {dropped} ({dropped})"));
    check(verdicts, "c@us.test", "c@kept.test from <>");
    check(verdicts, "d@us.test", "rule@ruled.test from <>");
    check(verdicts, "x@us.test", "x@kept.test from <>");
    check(verdicts, "d@either.test", unrouteable);
    check(verdicts, "e@either.test", "either@kept.test from <>");
    // What makes no sense is no verdict.
    check("a@us.test\tdrop\tnot base64\n", "a@us.test", "a@kept.test from <>");
}
