use eximious_core::AclPhases;

use super::super::driver::Driver;

const ZONE: &str = "$ORIGIN example.\n\
    helo A 192.0.2.2\nother A 192.0.2.99\nhost2 A 192.0.2.2\nbad3 A 192.0.2.77\n\
    x.broken AGAIN\n_client._smtp.broken AGAIN\n\
    _client._smtp.csaok SRV 1 2 0 host2\n_client._smtp.csano SRV 1 1 0 host2\n\
    _client._smtp.csamis SRV 1 2 0 other\n_client._smtp.csaunk SRV 2 2 0 host2\n\
    _client._smtp.csanoaddr SRV 1 2 0 nothing\n_client._smtp.csaexp SRV 1 3 1 host2\n\
    BARE BARE\n_client._smtp.sub.csaexp BARE\n\
    $ORIGIN 2.0.192.in-addr.arpa.\n2 PTR host2.example.\n3 PTR bad3.example.\n\
    $ORIGIN 0.0.10.in-addr.arpa.\n1 AGAIN\n";

const ROUTERS: &str = "begin routers\n\
    r:\n driver = redirect\n allow_fail\n allow_defer\n domains = me.example\n\
    data = ${if eq{$local_part}{fail}{:fail: no such user}{\
    ${if eq{$local_part}{defer}{:defer: later}{\
    ${if eq{$local_part}{bad}{fail@me.example}{}}}}}}\n\
    r2:\n driver = accept\n domains = me.example\n local_parts = good\n\
    address_data = gooddata\n transport = t\n\
    r3:\n driver = accept\n domains = me.example\n local_parts = far\n transport = s\n\
    begin transports\ns:\n driver = smtp\n hosts = x.example\nt:\n driver = appendfile\n file = /dev/null\n";

fn client(address: &str, helo: &str) -> Driver {
    let zone = ZONE.replace("BARE BARE\n", "");
    let driver = Driver::new().zone(&zone).set("sender_host_address", address);
    driver.set("sender_helo_name", helo)
}

fn mail(sender: &str, part: &str) -> Driver {
    let mut driver = Driver::with(ROUTERS).set("sender_host_address", "192.0.2.2");
    driver.cx.set_clean("sender_address", sender);
    driver.set("local_part", part).set("domain", "me.example")
}

fn data(header: &str) -> Driver {
    let mut driver = mail("a@me.example", "x").at(AclPhases::DATA);
    let mut message = eximious_stdlib::message::parse(format!("{header}\n\nhi\n").as_bytes());
    message.recipients = vec!["x@me.example".into(), "Y@me.example".into()];
    driver.cx.set_message(Some(message));
    driver
}

#[test]
fn words() {
    let start = "expected \"sender[=address]\", \"recipient\", \"helo\", \"header_syntax\", \
                 \"header_sender\", \"header_names_ascii\" or \"reverse_host_lookup\" at start of \
                 ACL condition \"verify ";
    for text in ["foo", "", "helo=foo", "recipient=x"] {
        mail("", "x").fails(&format!("warn verify = {text}"), &format!("{start}{text}\""));
    }
    for (text, message) in [
        ("helo/x", "unexpected '/' found in \"helo/x\" (this verify item has no options)"),
        ("helo /x", "unexpected '/' found in \"helo /x\" (this verify item has no options)"),
        (
            "certificate/",
            "unexpected '/' found in \"certificate/\" (this verify item has no options)",
        ),
        ("sender/foo", "unknown option \"foo\" in ACL condition \"verify sender/foo\""),
        (
            "sender/defer_ok=x",
            "unknown option \"defer_ok=x\" in ACL condition \"verify sender/defer_ok=x\"",
        ),
        (
            "recipient/defer_ok/foo=x",
            "unknown option \"foo=x\" in ACL condition \"verify recipient/defer_ok/foo=x\"",
        ),
        ("sender=/x@y", "unknown option \"x@y\" in ACL condition \"verify sender=/x@y\""),
        ("sender/quota", "can only verify quota of recipient"),
        ("header_syntax", "cannot verify header_syntax in ACL for RCPT"),
        ("not_blind", "cannot verify not_blind in ACL for RCPT"),
    ] {
        mail("a@me.example", "x").fails(&format!("warn verify = {text}"), message);
    }
}

#[test]
fn greetings() {
    for (address, helo, verdict) in [
        ("192.0.2.2", "helo.example", "Accept"),
        ("192.0.2.2", "HOST2.example", "Accept"),
        ("192.0.2.2", "other.example", "Deny"),
        ("192.0.2.2", "[192.0.2.2]", "Accept"),
        ("192.0.2.2", "[192.0.2.3]", "Deny"),
        // That is how it is compared: as a text.
        ("2001:db8::1", "[2001:db8::1]", "Accept"),
        ("2001:db8::1", "[IPv6:2001:db8::1]", "Deny"),
        ("192.0.2.2", "x.broken.example", "Deny"),
        ("192.0.2.2", "", "Deny"),
        ("", "x", "Accept"),
        ("", "", "Deny"),
    ] {
        assert_eq!(client(address, helo).run("accept verify = hElO"), verdict, "{helo}");
    }
}

#[test]
fn names_of_clients() {
    let run = |address: &str, text: &str| {
        let result = client(address, "x").check(&format!("require verify = {text}\naccept"));
        let logged = result.log_message.map(|line| line.display().into_owned());
        (format!("{:?}", result.verdict), logged.unwrap_or_default())
    };
    let said = |verdict: &str, logged: &str| (verdict.to_owned(), logged.to_owned());
    assert_eq!(run("192.0.2.2", "reverse_host_lookup"), said("Accept", ""));
    assert_eq!(
        run("192.0.2.3", "reverse_host_lookup"),
        said(
            "Deny",
            "host lookup failed for reverse lookup check \
             (192.0.2.3 does not match any IP address for bad3.example)"
        )
    );
    assert_eq!(
        run("192.0.2.9", "reverse_host_lookup"),
        said(
            "Deny",
            "host lookup failed for reverse lookup check \
             (failed to find host name from IP address)"
        )
    );
    assert_eq!(
        run("10.0.0.1", "reverse_host_lookup/foo"),
        said("Defer", "host lookup deferred for reverse lookup check")
    );
    assert_eq!(run("10.0.0.1", "reverse_host_lookup/defer_ok"), said("Accept", ""));
    assert_eq!(run("", "reverse_host_lookup"), said("Accept", ""));
    assert_eq!(run("192.0.2.2", "certificate"), said("Deny", "no verified certificate"));
}

#[test]
fn client_smtp_authorization() {
    for (helo, text, status, why) in [
        ("csaok.example", "csa", "ok", ""),
        ("csaok.example", "csa/", "ok", ""),
        ("csano.example", "csa/csaok.example", "ok", ""),
        ("csano.example", "csa", "fail", "host name not authorized"),
        ("csamis.example", "csa", "fail", "client address mismatch"),
        ("csanoaddr.example", "csa", "fail", "no authorized addresses"),
        ("csaunk.example", "csa", "unknown", ""),
        ("none.example", "csa", "unknown", ""),
        ("broken.example", "csa", "defer", ""),
        ("sub.csaexp.example", "csa", "fail", "explicit authorization required"),
        ("x", "csa/$sender_host_address", "unknown", ""),
    ] {
        let mut driver = client("192.0.2.2", helo);
        let result = driver.check(&format!("require verify = {text}\naccept"));
        let said = result.user_message.unwrap_or_default().display().into_owned();
        let status_now = driver.cx.get("csa_status").unwrap().unwrap().display().into_owned();
        let wanted = match why {
            "" => String::new(),
            why => format!("client SMTP authorization failed ({why})"),
        };
        assert_eq!((status_now.as_str(), said), (status, wanted), "{helo} {text}");
    }
}

const END: &str = "----------- end verify ------------";

const SHOWN: &str =
    "[$sender_verify_failure] [$acl_verify_message] [$address_data] [$sender_address_data]";

#[test]
fn senders_are_verified_once() {
    let mut driver = mail("fail@me.example", "x");
    let acl = format!("warn !verify = sender\n logwrite = {SHOWN}\nrequire verify = sender");
    let result = driver.check(&acl);
    assert_eq!(driver.logged(), ["[route] [Sender verify failed] [] []"]);
    assert_eq!(result.user_message.unwrap().display(), "Sender verify failed");
    let fault = driver.state.sender_fault.as_mut().unwrap();
    assert_eq!(
        (&fault.said[..], fault.told),
        (&b"Verification failed for <fail@me.example>\nno such user"[..], false)
    );
    fault.told = true;
    assert_eq!(driver.notes(), [END, "using cached sender verify result"]);
    driver.run("warn verify = sender=good@me.example");
    assert!(driver.state.sender_fault.is_none());
    driver.run(&acl);
    assert!(driver.state.sender_fault.as_ref().unwrap().told);
    driver.state.end_message(&mut driver.cx);
    driver.run(&acl);
    assert!(!driver.state.sender_fault.as_ref().unwrap().told);

    let mut driver = mail("good@me.example", "x");
    driver.run(&format!("warn verify = sender\n logwrite = {SHOWN}"));
    assert_eq!(driver.logged(), ["[] [] [] [gooddata]"]);
    assert_eq!(mail("", "x").run("accept verify = sender"), "Accept");
}

#[test]
fn senders_that_fail() {
    let mut quiet = mail("fail@me.example", "x");
    quiet.run("require verify = sender/no_details");
    assert!(quiet.state.sender_fault.unwrap().told);
    let mut driver = mail("fail@me.example", "x");
    let own = driver.check(
        "require message = foo $acl_verify_message\n\
         log_message = bar $acl_verify_message\nverify = sender",
    );
    assert_eq!(own.user_message.unwrap().display(), "foo Sender verify failed");
    let logged = own.log_message.unwrap();
    assert_eq!(logged.display(), "bar Sender verify failed: Sender verify failed");
    let mut driver = mail("x@y.example", "x");
    driver.run("require verify = sender=fail");
    let fault = driver.state.sender_fault.as_ref().unwrap();
    assert_eq!((fault.address.bytes(), fault.said.is_empty()), (&b"fail"[..], true));
    driver.run("warn logwrite = $sender_verify_failure");
    assert_eq!(driver.logged(), ["qualify"]);

    let mut driver = mail("defer@me.example", "x");
    driver.run(&format!("warn verify = sender/defer_ok\n logwrite = {SHOWN}"));
    assert_eq!(driver.logged(), ["[route] [] [] []"]);
    let result = driver.check("require verify = sender");
    assert_eq!(result.log_message.unwrap().display(), "Could not complete sender verify");
    assert!(result.user_message.is_none());
    let fault = driver.state.sender_fault.as_ref().unwrap();
    assert!(fault.deferred && !fault.told);
    assert_eq!(fault.logged.as_deref(), Some(&b"later"[..]));
}

#[test]
fn recipients() {
    for (part, verdict, said) in [
        ("good", "Accept", ""),
        ("fail", "Deny", "no such user"),
        ("defer", "Defer", "later"),
        ("x", "Deny", "Unrouteable address"),
        ("bad", "Deny", "no such user"),
    ] {
        let mut driver = mail("x@y.example", part);
        let result = driver.check("require verify = recipient\naccept");
        let user = result.user_message.unwrap_or_default();
        assert_eq!((format!("{:?}", result.verdict).as_str(), &*user.display()), (verdict, said));
        driver.run("warn logwrite = [$recipient_verify_failure]");
        let word = if verdict == "Accept" { "[]" } else { "[route]" };
        assert_eq!(driver.logged(), [word], "{part}");
    }
    let run = |part: &str, text: &str| mail("x@y", part).run(&format!("accept verify = {text}"));
    assert_eq!(run("defer", "recipient/defer_ok"), "Accept");
    assert_eq!(run("bad", "recipient/success_on_redirect"), "Accept");
    assert_eq!(run("x", "recipient/success_on_redirect"), "Deny");
    // Nobody is to be called where it stays here.
    assert_eq!(run("good", "recipient/callout=3s,defer_ok"), "Accept");
    assert_eq!(run("x", "recipient/callout"), "Deny");
    assert_eq!(run("far", "recipient/callout"), "Defer");
}

#[track_caller]
fn header(header: &str, text: &str, verdict: &str, logged: &str) {
    let result = data(header).check(&format!("require verify = {text}\naccept"));
    let line = result.log_message.unwrap_or_default();
    assert_eq!(
        (format!("{:?}", result.verdict).as_str(), &*line.display()),
        (verdict, logged),
        "{header}"
    );
    assert!(result.user_message.is_none());
}

#[test]
fn syntax_of_headers() {
    header(
        "From: foo <a@b",
        "header_syntax",
        "Deny",
        "'>' missing at end of address: failing address in \"From:\" header is: foo <a@b",
    );
    header(
        "From: a@b\nTo: x",
        "header_syntax",
        "Deny",
        "unqualified address not permitted: failing address in \"To:\" header is: x",
    );
    header(
        "From: \nTo: undisclosed-recipients:;\nBcc: \nReply-To: @",
        "header_syntax",
        "Deny",
        "domain missing or malformed: failing address in \"Reply-To:\" header is: @",
    );
    header("From: a@b\nTo: (comment), a@b,, c@d", "header_syntax", "Accept", "");
    let long = format!("\"{}", "a".repeat(2000));
    let mut driver = data(&format!("To: {long}"));
    let line = driver.check("require verify = header_syntax").log_message.unwrap();
    assert!(line.display().contains("failing address in \"To:\" header begins: \"aaa"));
    assert!(line.bytes().len() < 1200);
}

#[test]
fn senders_in_headers() {
    let none = "there is no valid sender in any header line";
    header("From: good@me.example\nSender: x@nowhere, fail", "header_sender", "Accept", "");
    header("From: x@nowhere.test", "header_sender", "Deny", none);
    header("To: x@nowhere.test", "header_sender", "Deny", none);
    header(
        "From: defer@me.example",
        "header_sender",
        "Defer",
        "all attempts to verify a sender in a header line deferred",
    );
    header("From: defer@me.example", "header_sender/defer_ok", "Accept", "");
    header("Resent-From: good@me.example\nFrom: x@y", "header_sender", "Accept", "");
    header(
        "From: <<bad\nReply-To: x@nowhere.test",
        "header_sender",
        "Deny",
        "syntax error in 'From:' header when scanning for sender: \
         missing or malformed local part in \"<<bad\"",
    );
    let mut driver = data("From: x@nowhere.test, <fail@me.example>");
    driver.run("warn !verify = header_sender\n logwrite = [$sender_verify_failure]");
    assert_eq!(driver.logged(), ["[route]"]);
    assert_eq!(
        driver.notes(),
        [
            "verifying From: header address x@nowhere.test",
            "verifying From: header address <fail@me.example>"
        ]
    );
}

#[test]
fn blind_recipients_and_odd_names() {
    let both = "To: x@me.example, y@me.example";
    header(both, "not_blind/case_insensitive", "Accept", "");
    header(both, "not_blind", "Deny", "bcc recipient detected");
    header("Cc: x@ME.example\nResent-To: Y@me.example", "not_blind", "Accept", "");
    header(
        both,
        "not_blind/foo",
        "Error",
        "unknown option \"foo\" in ACL condition \"verify not_blind/foo\"",
    );
    header(both, "header_names_ascii", "Accept", "");
    header(
        "Fr\u{f6}m: x",
        "header_names_ascii",
        "Deny",
        "Invalid character in header \"Fr\u{f6}m\" found",
    );
}
