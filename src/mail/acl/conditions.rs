//! Conditions on other ACLs, on expanded text and on the connection (specification 44.17).

use eximious_core::{AclPhases, AclTerm, Effects, FailClass, Meta, Str, TaintRule, Var};
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::lookups;
use eximious_stdlib::options::yes_or_no;
use eximious_stdlib::variables::var;

use super::AclVerdict;
use super::machine::{Answer, MOST_ARGUMENTS, Run};
use super::words::{self, TermRun};
use crate::config::first_word;

/// Asking what a look-up complained of touches nothing.
static REASON: Meta = Meta::new("lists", Effects::empty(), TaintRule::Result);

/// `acl`.
pub(super) static ACL: AclTerm = words::condition(
    &TermRun::Text(nested),
    words::meta(
        "acl",
        "acl = <name or text or /file> <arguments>",
        words::CONDITIONS,
        "Another ACL, with arguments perhaps, accepts.",
        "The other ACL runs in place, as a subroutine: it is one of the configuration, a file \
         whose name begins with a slash, or statements written out. What follows a name is split \
         at spaces into `$acl_arg1` to `$acl_arg9`, and `$acl_narg` counts them. Its \"defer\" is \
         that of the caller, except under `warn`; they may be 20 deep.",
    ),
)
.unexpanded();

/// `acl = name argument…`: each word is expanded by itself.
fn nested(run: &mut Run<'_>, text: &Str) -> Answer {
    let mut rest = text.bytes().trim_ascii();
    let (mut first, mut words) = (Vec::new(), Vec::new());
    loop {
        let (word, behind) = first_word(rest);
        if words.is_empty() {
            first.clone_from(&word);
        }
        match run.expanded(&Str::from(word)) {
            Ok(word) => words.push(word),
            // As if it were not there.
            Err(fail) if fail.class() == FailClass::Forced => return Answer::Yes,
            Err(fail) => return run.unexpanded(&first, &fail),
        }
        rest = behind.trim_ascii_start();
        if rest.is_empty() || words.len() > MOST_ARGUMENTS {
            break;
        }
    }
    let arguments = words.split_off(1);
    let name = words.swap_remove(0);
    // The arguments are what the ACL is called with, and not what was before.
    run.deepen();
    match run.call(&name, &arguments) {
        AclVerdict::Accept => Answer::Yes,
        AclVerdict::Discard => Answer::Discard,
        AclVerdict::Deny => Answer::No,
        AclVerdict::Drop => Answer::Drop,
        AclVerdict::Defer => Answer::Later,
        AclVerdict::Error => Answer::Error,
    }
}

/// `condition`.
pub(super) static CONDITION: AclTerm = words::condition(
    &TermRun::Text(condition),
    words::meta(
        "condition",
        "condition = <text>",
        words::CONDITIONS,
        "A string expands to true.",
        "Nothing, `0`, `no` and `false` are false; a number other than zero, `yes` and `true` are \
         true. Anything else defers. Where the expansion is forced to fail, the condition counts \
         as if it were not there, with or without `!`.",
    ),
);

fn condition(run: &mut Run<'_>, text: &Str) -> Answer {
    let value = text.bytes();
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if !value.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return Answer::from(digits.iter().any(|digit| *digit != b'0'));
    }
    match yes_or_no(value) {
        Some(says) => Answer::from(says),
        None if value.is_empty() => Answer::No,
        None => {
            let parts = [b"invalid \"condition\" value \"", value, b"\""];
            run.logged = Some(Str::from(parts.concat()));
            Answer::Later
        }
    }
}

/// `authenticated`.
pub(super) static AUTHENTICATED: AclTerm = words::condition(
    &TermRun::Text(authenticated),
    words::meta(
        "authenticated",
        "authenticated = <string list>",
        words::CONDITIONS,
        "The client has authenticated itself, with one of the names listed.",
        "The names are those of the authenticators' sections, not of users; `*` stands for any. \
         Whoever has not authenticated never matches, not even `!name`.",
    ),
)
.phases(
    words::ALL
        .difference(words::NO_CLIENT)
        .difference(AclPhases::CONNECT)
        .difference(AclPhases::HELO),
)
.unexpanded();

fn authenticated(run: &mut Run<'_>, list: &Str) -> Answer {
    in_words(run, var::SENDER_HOST_AUTHENTICATED, list)
}

/// `encrypted`.
pub(super) static ENCRYPTED: AclTerm = words::condition(
    &TermRun::Text(encrypted),
    words::meta(
        "encrypted",
        "encrypted = <string list>",
        words::CONDITIONS,
        "The connection is encrypted, with a cipher in the list.",
        "`*` stands for any cipher; other names are those of the TLS library. A connection in the \
         clear never matches.",
    ),
)
.phases(words::ALL.difference(words::NO_CLIENT).difference(AclPhases::CONNECT))
.unexpanded();

fn encrypted(run: &mut Run<'_>, list: &Str) -> Answer {
    in_words(run, var::TLS_IN_CIPHER, list)
}

/// Whether a variable has a value, which is in a list.
fn in_words(run: &mut Run<'_>, variable: Var, list: &Str) -> Answer {
    let value = run.cx.value_of(variable);
    if value.is_empty() {
        return Answer::No;
    }
    // Where anything will do, nothing is matched that `$1` could be.
    let kept = (list.bytes() == b"*").then(|| run.cx.numeric());
    let (answer, _) = run.matched(list, &mut Matcher::local_part(&value));
    if let Some(before) = kept {
        run.cx.set_numeric(&before);
    }
    answer
}

impl Run<'_> {
    /// What a list says of a subject, and the data that it leaves: a negative element that
    /// matches leaves some, too.
    pub(super) fn matched(
        &mut self,
        list: &Str,
        matcher: &mut Matcher<'_>,
    ) -> (Answer, Option<Str>) {
        self.matched_of(list, matcher, false)
    }

    /// The same; where no answer has a reason that says nothing, a line about hosts has a
    /// colon for it.
    pub(super) fn matched_of(
        &mut self,
        list: &Str,
        matcher: &mut Matcher<'_>,
        is_of_hosts: bool,
    ) -> (Answer, Option<Str>) {
        match self.cx.is_in(list, matcher) {
            Ok(ListOutcome::Matched(data)) => (Answer::Yes, data),
            Ok(ListOutcome::Unmatched(data)) => (Answer::No, data),
            Ok(ListOutcome::Deferred(why)) => {
                let why = self.cx.call(&REASON, |call| lookups::known_reason(call, why));
                self.logged = why.filter(|why| is_of_hosts || !why.is_empty()).map(Str::from);
                (Answer::Later, None)
            }
            Err(fail) if fail.class() == FailClass::Forced => (Answer::No, None),
            Err(fail) => {
                self.logged = Some(Str::from(fail.message())).filter(|why| !why.is_empty());
                (Answer::Later, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;

    #[test]
    fn names_of_authenticators_and_ciphers() {
        for (list, verdict) in [
            ("*", "Accept"),
            ("MyPlain", "Accept"),
            ("myplain", "Accept"),
            ("plain", "Deny"),
            ("!MyPlain", "Deny"),
            ("!other", "Accept"),
            ("^My", "Accept"),
            ("*Plain", "Accept"),
            ("", "Deny"),
        ] {
            for (variable, condition) in
                [("sender_host_authenticated", "authenticated"), ("tls_in_cipher", "encrypted")]
            {
                let mut driver = Driver::new().set(variable, "MyPlain");
                assert_eq!(driver.run(&format!("accept {condition} = {list}")), verdict, "{list}");
                // In the clear nothing matches, which may be asked for.
                let mut clear = Driver::new();
                assert_eq!(clear.run(&format!("accept {condition} = {list}")), "Deny", "{list}");
                assert_eq!(clear.run(&format!("accept !{condition} = {list}")), "Accept");
            }
        }
    }

    #[test]
    fn a_condition_of_an_odd_value_defers() {
        let mut driver = Driver::new();
        assert_eq!(driver.run("deny condition = foo"), "Defer");
        driver.fails("deny condition = foo", "invalid \"condition\" value \"foo\"");
        assert_eq!(driver.run("warn condition = foo\naccept"), "Accept");
    }

    #[test]
    fn odd_arguments_do_no_harm() {
        let odd = [
            "",
            "/",
            "//",
            "=",
            "!",
            "&",
            ",",
            ":",
            "<",
            "<;",
            "<;;;",
            "-",
            "+",
            "\\x00",
            "\\xff",
            "%s%n",
            "1/1h/",
            "1e999g/9999999999w",
            "1/1s/count=1e308/strict",
            "-1w/refresh=1w",
            "9999999999999w",
            "a/b/c=d,e",
            "x=/=&!==/<,",
            "sender=",
            "sender=@",
            "sender=<@>//",
            "helo=",
            "csa/[",
            "csa/[]",
            "not_blind/",
            "submission/name",
            "dscp/",
            "freeze/",
            "::1 : 65536",
            "<; ::1 ; 1",
            "*@",
            "@@",
            "^(",
            "\\\\",
        ];
        let long = "a/:=,".repeat(3000);
        for word in [
            "dnslists",
            "ratelimit",
            "seen",
            "verify",
            "udpsend",
            "control",
            "encrypted",
            "authenticated",
            "delay",
            "logwrite",
            "add_header",
            "remove_header",
            "queue",
        ] {
            let mut driver = Driver::new().set("sender_host_address", "192.0.2.1");
            for text in odd.iter().copied().chain([long.as_str()]) {
                driver.run(&format!("warn {word} = {text}\n log_message = $acl_verify_message"));
            }
        }
    }
}
