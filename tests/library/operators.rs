//! What lines of text can't say of operators: certificates, options, taint.

use eximious::grammar::expansion::LookupStyle;
use eximious::stdlib::lookups::quoting;
use eximious::{
    Context, Effects, Engine, ErrorKind, Fail, ListKind, LookupDef, LookupFind, Meta, NamedList,
    Settings, Str, Taint, TaintRule, opt,
};

fn expand(cx: &mut Context, text: &str) -> Result<Str, Fail> {
    cx.engine().compile(text).expand(cx)
}

fn check(cx: &mut Context, pairs: &[(&str, &str)]) {
    for (text, wanted) in pairs {
        let value = match expand(cx, text) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => format!("Failed: {fail}"),
        };
        assert_eq!(value, *wanted, "{text}");
    }
}

/// A certificate with an elliptic curve, for `eximious.example`.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBijCCATGgAwIBAgIUdpkoosjHsJgO9YbXWBehryu9sowwCgYIKoZIzj0EAwIw\n\
GzEZMBcGA1UEAwwQZXhpbWlvdXMuZXhhbXBsZTAeFw0yNjExMjAwOTAzMDlaFw0z\n\
NjExMTcwOTAzMDlaMBsxGTAXBgNVBAMMEGV4aW1pb3VzLmV4YW1wbGUwWTATBgcq\n\
hkjOPQIBBggqhkjOPQMBBwNCAATKp/OrCJFWrz8l2Cnv4gsCFPLK2khauKhBm5JI\n\
+wWMdnydeAT+xiUFyRyh+gQzygOM7vauPw9qkJrhWMsWAyzPo1MwUTAdBgNVHQ4E\n\
FgQUIxMQNB4PLOtUHCbDnn5Xm4hZKg4wHwYDVR0jBBgwFoAUIxMQNB4PLOtUHCbD\n\
nn5Xm4hZKg4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiB2jU/a\n\
qJtFUL9q9Tghtim8cTddz2d7A17won1hMAQk+QIgAxyoAAKi51U4tWLErefXcERG\n\
pQyR7wPhyuFO1ki7N6A=\n\
-----END CERTIFICATE-----\n";

/// The answers are those of the program's server, asked for `$tls_in_ourcert`.
#[test]
fn only_a_bare_variable_is_a_certificate() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("tls_in_peercert", Str::tainted(CERTIFICATE.as_bytes()));
    check(
        &mut cx,
        &[
            ("${md5:$tls_in_peercert}", "5DA2FE49E8C0A35429BD38FAA99E448E"),
            ("${sha1:$tls_in_peercert}", "3C15B2FAAF8600E0A97D7285B6DADDCD5827D82A"),
            (
                "${sha256:$tls_in_peercert}",
                "025730610B6ABB761C36367445AC4897A2E2618CB8C3E34A90917974F0CE9E17",
            ),
            (
                "${sha256_512:$tls_in_peercert}",
                "025730610B6ABB761C36367445AC4897A2E2618CB8C3E34A90917974F0CE9E17",
            ),
            (
                "${sha2:$tls_in_peercert}",
                "6B9F26466C6D021338352B7F97670E356F5FD4A0D47434CE9622BDFE4CC3E118",
            ),
            ("${length_24:${base64:$tls_in_peercert}}", "MIIBijCCATGgAwIBAgIUdpko"),
            ("${str2b64:$tls_in_peercert}", "PGNlcnQ+"),
            ("[$tls_in_peercert]", "[<cert>]"),
            ("${strlen:$tls_in_peercert}", "6"),
            ("${md5:${tls_in_peercert}}", "2ae3e6bcc8747d90da5c0f061811b67e"),
            ("${md5:$tls_in_peercert x}", "d48c5585e0581ec10691e04f616cd98a"),
            ("${if def:tls_in_peercert{yes}{no}}", "yes"),
            ("${if def:tls_in_ourcert{yes}{no}}", "no"),
        ],
    );
    let stored = cx.get("tls_in_peercert").unwrap().unwrap();
    assert_eq!(stored.display(), CERTIFICATE);
}

#[test]
fn what_comes_from_outside_is_not_computed_or_expanded() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("who", Str::tainted(b"1+1"));
    check(
        &mut cx,
        &[
            ("${eval:$who}", "Failed: attempt to eval tainted string '1+1'"),
            ("${eval10:1+$who}", "Failed: attempt to eval tainted string '1+1+1'"),
            (
                "${expand:$who}",
                "Failed: internal expansion of \"1+1\" failed: attempt to expand tainted string \
                 '1+1'",
            ),
        ],
    );
    assert_eq!(expand(&mut cx, "${eval:$who}").unwrap_err().kind(), ErrorKind::Taint);
    let taint = |cx: &mut Context, text: &str| expand(cx, text).unwrap().taint();
    for clean in ["md5", "sha1", "strlen", "listcount", "nhash_7", "mask"] {
        let text = format!("${{{clean}:${{if eq{{{clean}}}{{mask}}{{1.2.3.4/8}}{{$who}}}}}}");
        assert_eq!(taint(&mut cx, &text), Taint::Clean, "{text}");
    }
    for kept in ["base64", "escape", "quote", "rxquote", "hexquote", "hash_2", "utf8clean"] {
        let text = format!("${{{kept}:$who}}");
        assert_eq!(taint(&mut cx, &text), Taint::Tainted, "{text}");
    }
}

#[test]
fn a_second_expansion_can_be_forbidden() {
    let engine = Engine::builder().forbid(Effects::EXPAND).build();
    let fail = expand(&mut engine.context(), "${expand:\\$1}").unwrap_err();
    assert_eq!(fail.kind(), ErrorKind::Forbidden);
}

static LDAP: LookupDef = LookupDef {
    meta: Meta::new("ldap", Effects::NONE, TaintRule::Tainted).summary("For the test."),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: LookupFind::Plain(|_, _| Ok(None)),
};

static KEYED: LookupDef = LookupDef {
    meta: Meta::new("keyed", Effects::NONE, TaintRule::Tainted).summary("For the test."),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|_, _| Ok(None)),
};

#[test]
fn quoting_is_for_one_lookup_type() {
    let engine = Engine::builder().lookup(&LDAP).lookup(&KEYED).build();
    let mut cx = engine.context();
    cx.set("who", Str::tainted(b"two * two,"));
    check(
        &mut cx,
        &[
            ("${quote_ldap:$who}", "two%20%5C2A%20two%2C"),
            ("${quote_ldap_dn:$who}", "two%20*%20two%5C%2C"),
            ("${quote_ldap_x:$who}", "Failed: \"x\" unrecognized after \"${quote_ldap\""),
            ("${quote_ldap_dn_x:$who}", "Failed: \"dn_x\" unrecognized after \"${quote_ldap\""),
            ("${quote_ldap_:$who}", "Failed: \"\" unrecognized after \"${quote_ldap\""),
            ("${quote_keyed:$who}", "two * two,"),
            ("${quote_keyed_dn:$who}", "Failed: \"dn\" unrecognized after \"${quote_keyed\""),
            ("${quote_LDAP:$who}", "Failed: unknown lookup type \"LDAP\""),
            ("${quote_:$who}", "Failed: unknown lookup type \"\""),
            ("${quote_local_part_x:$who}", "Failed: unknown lookup type \"local\""),
            ("${quote:$who}", "\"two * two,\""),
        ],
    );
    let taint = |cx: &mut Context, text: &str| expand(cx, text).unwrap().taint();
    let ldap = engine.registry().lookup_id(b"ldap").unwrap();
    assert_eq!(taint(&mut cx, "${quote_ldap:$who}"), Taint::Quoted(ldap));
    assert_eq!(taint(&mut cx, "${quote_ldap_dn:$who}"), Taint::Quoted(ldap));
    assert_eq!(taint(&mut cx, "${quote_ldap:x}"), Taint::Clean);
    assert_eq!(taint(&mut cx, "${quote_ldap:x}$who"), Taint::Tainted);
    assert_eq!(taint(&mut cx, "${quote:$who}"), Taint::Tainted);
}

#[test]
fn options_have_their_say() {
    let mut settings = Settings::default();
    settings.set(opt::PRINT_TOPBITCHARS, true);
    let list = NamedList::new(Str::from("a : +c"));
    settings.lists.insert(ListKind::Domain, "d", list);
    let list = NamedList::new(Str::from("<; ::1; x"));
    settings.lists.insert(ListKind::Domain, "c", list);
    let engine = Engine::builder().settings(settings).build();
    check(
        &mut engine.context(),
        &[
            ("${escape:é\\x01}", "é\\001"),
            ("${escape8bit:é}", "\\303\\251"),
            (
                "${utf8_localpart_from_alabel:é}",
                "Failed: error converting alabel (é) to utf8: bad alabel prefix",
            ),
            ("${listnamed:d}", "a : ::::1 : x"),
            ("${listnamed_d:+d}", "a : ::::1 : x"),
            ("${listnamed_h:d}", "Failed: \"d\" is not a host named list"),
            ("${listcount:${listnamed:d}}", "3"),
        ],
    );
}
