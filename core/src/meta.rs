//! What every record says of itself.

use crate::Effects;

/// How taint goes through a built-in. The engine applies it to what comes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TaintRule {
    /// The result is as tainted as its arguments together.
    Arguments,
    /// The result is clean, whatever went in.
    Clean,
    /// The result comes from outside, whatever went in.
    Tainted,
    /// The built-in's own result carries its taint: it picks a branch, or
    /// hands a value on.
    Result,
    /// Where an argument is tainted, the result is quoted for the lookup type
    /// that the name ends in (`quote_pgsql`).
    Quoted,
}

/// An example of a page, which runs as a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Example {
    /// What is typed.
    pub input: &'static str,
    /// What is printed; `Failed: …` for an error.
    pub output: &'static str,
}

/// What every record says of itself. Effects and taint have no default.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The name, as it is written.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// The name with parameters that have a meaning of their own
    /// (`listnamed_d`), for lists of names.
    pub forms: &'static [&'static str],
    /// How it is written, for a hint under the cursor.
    pub syntax: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The page.
    pub docs: &'static str,
    /// Examples, which run as tests.
    pub examples: &'static [Example],
    /// What it does besides computing.
    pub effects: Effects,
    /// How taint goes through it.
    pub taint: TaintRule,
    /// The release of Exim that brought it, where that is after 4.90.
    pub since: &'static str,
    /// The release of Exim that no longer has it, where one has taken it out.
    pub until: &'static str,
    /// Why it gives an error in this build, if it does.
    pub needs: &'static str,
    /// Of an operator: it looks for the name of a certificate variable before its
    /// argument is expanded.
    pub certificates: bool,
    /// Where it is specified: a chapter of the specification, an RFC.
    pub source: &'static str,
}

impl Meta {
    /// A record with what has no default.
    pub const fn new(name: &'static str, effects: Effects, taint: TaintRule) -> Self {
        Self {
            name,
            aliases: &[],
            forms: &[],
            syntax: "",
            summary: "",
            docs: "",
            examples: &[],
            effects,
            taint,
            since: "",
            until: "",
            needs: "",
            certificates: false,
            source: "",
        }
    }
    /// Sets other names.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
    /// Sets the name with parameters.
    pub const fn forms(mut self, forms: &'static [&'static str]) -> Self {
        self.forms = forms;
        self
    }
    /// Sets how it is written.
    pub const fn syntax(mut self, syntax: &'static str) -> Self {
        self.syntax = syntax;
        self
    }
    /// Sets the one line.
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }
    /// Sets the page.
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }
    /// Sets the examples.
    pub const fn examples(mut self, examples: &'static [Example]) -> Self {
        self.examples = examples;
        self
    }
    /// Sets the release that brought it.
    pub const fn since(mut self, since: &'static str) -> Self {
        self.since = since;
        self
    }
    /// Sets the release that no longer has it.
    pub const fn until(mut self, until: &'static str) -> Self {
        self.until = until;
        self
    }
    /// Sets why it gives an error in this build.
    pub const fn needs(mut self, needs: &'static str) -> Self {
        self.needs = needs;
        self
    }
    /// Says that it is an operator that looks for certificates.
    pub const fn certificates(mut self) -> Self {
        self.certificates = true;
        self
    }
    /// Sets where it is specified.
    pub const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }
}

impl Example {
    /// An example.
    pub const fn new(input: &'static str, output: &'static str) -> Self {
        Self { input, output }
    }
}
