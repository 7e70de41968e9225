//! The conditions of ACLs, and who evaluates each (specification 44.17).

use eximious_core::{FailClass, Str, Var};
use eximious_stdlib::lists::{Matcher, Outcome};
use eximious_stdlib::variables::var;

use super::machine::{Answer, MOST_ARGUMENTS, Run};
use super::{AclVerdict, controls, dnslists, lists, modifiers, ratelimit, seen, udpsend, verify};
use crate::config::{AclLineTerm, first_word};

impl Run<'_> {
    /// Evaluates a condition, or does what a modifier says, with its text expanded
    /// where its record says so.
    pub(super) fn evaluate(&mut self, term: &AclLineTerm, text: &Str) -> Answer {
        match term.term.meta.name {
            "acl" => self.nested(text),
            "add_header" => {
                self.add_header(text);
                Answer::Yes
            }
            "remove_header" => {
                self.state.headers_remove.push(text.clone());
                Answer::Yes
            }
            "authenticated" => self.in_words(var::SENDER_HOST_AUTHENTICATED, text),
            "encrypted" => self.in_words(var::TLS_IN_CIPHER, text),
            "condition" => self.condition(text),
            "continue" => Answer::Yes,
            "control" => controls::control(self, text),
            "delay" => modifiers::delay(self, text),
            "log_reject_target" => modifiers::log_reject_target(self, text),
            "logwrite" => modifiers::logwrite(self, text),
            "queue" => modifiers::queue(self, text),
            "set" => modifiers::set(self, term.variable.as_ref(), text),
            "domains" => lists::domains(self, text),
            "local_parts" => lists::local_parts(self, text),
            "recipients" => lists::recipients(self, text),
            "senders" => lists::senders(self, text),
            "sender_domains" => lists::sender_domains(self, text),
            "hosts" => lists::hosts(self, text),
            "dnslists" => dnslists::dnslists(self, text),
            "ratelimit" => ratelimit::ratelimit(self, text),
            "seen" => seen::seen(self, text),
            "udpsend" => udpsend::udpsend(self, text),
            "verify" => verify::verify(self, text),
            name => {
                let message = format!("ACL condition \"{name}\" is not there yet");
                self.logged = Some(Str::from(message));
                Answer::Error
            }
        }
    }

    /// `acl = name argument…`: each word is expanded by itself.
    fn nested(&mut self, text: &Str) -> Answer {
        let mut rest = text.bytes().trim_ascii();
        let (mut first, mut words) = (Vec::new(), Vec::new());
        loop {
            let (word, behind) = first_word(rest);
            if words.is_empty() {
                first.clone_from(&word);
            }
            match self.expanded(&Str::from(word)) {
                Ok(word) => words.push(word),
                // As if it were not there.
                Err(fail) if fail.class() == FailClass::Forced => return Answer::Yes,
                Err(fail) => {
                    let head = [b"failed to expand ACL string \"".as_slice(), &first, b"\": "];
                    self.logged = Some(Str::from([&head.concat(), fail.message()].concat()));
                    let later = fail.class() == FailClass::Defer;
                    return if later { Answer::Later } else { Answer::Error };
                }
            }
            rest = behind.trim_ascii_start();
            if rest.is_empty() || words.len() > MOST_ARGUMENTS {
                break;
            }
        }
        let arguments = words.split_off(1);
        let name = words.swap_remove(0);
        // The arguments are what the ACL is called with, and not what was before.
        self.deepen();
        match self.call(&name, &arguments) {
            AclVerdict::Accept => Answer::Yes,
            AclVerdict::Discard => Answer::Discard,
            AclVerdict::Deny => Answer::No,
            AclVerdict::Drop => Answer::Drop,
            AclVerdict::Defer => Answer::Later,
            AclVerdict::Error => Answer::Error,
        }
    }

    fn condition(&mut self, text: &Str) -> Answer {
        let value = text.bytes().trim_ascii();
        let is =
            |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
        let digits = value.strip_prefix(b"-").unwrap_or(value);
        if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
            return Answer::from(digits.iter().any(|digit| *digit != b'0'));
        }
        match (is(&["yes", "true"]), is(&["no", "false", ""])) {
            (true, _) => Answer::Yes,
            (_, true) => Answer::No,
            _ => {
                let parts = [b"invalid \"condition\" value \"", value, b"\""];
                self.logged = Some(Str::from(parts.concat()));
                Answer::Later
            }
        }
    }

    /// Whether a variable has a value, which is in a list.
    fn in_words(&mut self, variable: Var, list: &Str) -> Answer {
        let value = self.cx.value_of(variable);
        if value.is_empty() {
            return Answer::No;
        }
        self.matched(list, &mut Matcher::local_part(&value)).0
    }

    /// What a list says of a subject, and the data that it leaves.
    pub(super) fn matched(
        &mut self,
        list: &Str,
        matcher: &mut Matcher<'_>,
    ) -> (Answer, Option<Str>) {
        match self.cx.is_in(list, matcher) {
            Ok(Outcome::Matched(data)) => (Answer::Yes, data),
            Ok(Outcome::Unmatched(_)) => (Answer::No, None),
            Ok(Outcome::Deferred(why)) => {
                self.logged = why.map(Str::from);
                (Answer::Later, None)
            }
            Err(fail) if fail.class() == FailClass::Forced => (Answer::No, None),
            Err(fail) => {
                self.logged = Some(Str::from(fail.message()));
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
