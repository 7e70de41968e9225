//! The records: one for each word of the language.

use eximious_grammar::expansion::{ConditionShape, ItemShape, LookupStyle};

use crate::{Call, Fail, Meta, Str};

/// An expansion item: `${name{…}…}` (specification 11.5).
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// What it says of itself.
    pub meta: Meta,
    /// What may follow its name.
    pub shape: ItemShape,
    /// What it does.
    pub run: ItemRun,
}

/// How an item wants its arguments.
#[derive(Clone, Copy, Debug)]
pub enum ItemRun {
    /// Evaluated, in order.
    Strict(fn(&mut Call<'_>, &[Str]) -> Result<Str, Fail>),
    /// Not evaluated: it does so itself, or skims them.
    Lazy(fn(&mut Call<'_>) -> Result<Str, Fail>),
}

/// What follows an operator's name after an underscore; `None` where there is
/// no underscore.
pub type Params<'a> = Option<&'a [u8]>;

/// An operator: `${name:…}`, `${name_params:…}` (specification 11.6).
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// What it says of itself.
    pub meta: Meta,
    /// What it does with its argument.
    pub run: fn(&mut Call<'_>, &Str, Params<'_>) -> Result<Str, Fail>,
}

/// A condition, as `if` and others test it (specification 11.7).
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// What it says of itself.
    pub meta: Meta,
    /// What may follow its name.
    pub shape: ConditionShape,
    /// What it does.
    pub run: ConditionRun,
}

/// How a condition wants its arguments.
#[derive(Clone, Copy, Debug)]
pub enum ConditionRun {
    /// Evaluated, in order.
    Strict(fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>),
    /// Not evaluated: it does so itself, or skims them.
    Lazy(fn(&mut Call<'_>) -> Result<bool, Fail>),
}

/// A variable: `$name` (specification 11.9).
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// What it says of itself.
    pub meta: Meta,
    /// Where its value comes from.
    pub source: VariableSource,
}

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug)]
pub enum VariableSource {
    /// The context holds it; empty until something sets it.
    Slot,
    /// As [`VariableSource::Slot`], with a value from the start.
    SlotWith(&'static str),
    /// As [`VariableSource::Slot`], but as long as nothing sets it, to reach it
    /// is an error as if nobody knew the name (`$n0` outside a filter).
    Absent,
    /// The context holds a certificate, as PEM.
    Certificate,
    /// It is computed each time.
    Computed(fn(&mut Call<'_>) -> Result<Str, Fail>),
    /// It stands for many names, which the context holds. Given a name, the
    /// function says whether it belongs, or what to add to the complaint.
    Family(fn(&[u8]) -> Option<Result<(), &'static str>>),
}

/// How text is quoted for a query.
pub type Quote = fn(&[u8]) -> Vec<u8>;

/// A type of lookup (specification, chapter 9).
#[derive(Clone, Copy, Debug)]
pub struct LookupDef {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether it takes a key and a file, or a query.
    pub style: LookupStyle,
    /// Whether a query begins with the name of a file (`sqlite`).
    pub wants_file: bool,
    /// What `${quote_NAME:…}` does; `None` for a type that needs no quoting.
    pub quote: Option<Quote>,
    /// Finds the data for a key or a query.
    pub find: fn(&mut Call<'_>, &LookupQuery) -> Result<Option<Str>, LookupFail>,
}

/// What is asked of a lookup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookupQuery {
    /// The key, or the query.
    pub key: Str,
    /// The file; empty where the type has none.
    pub file: Str,
    /// What follows the type after a comma.
    pub options: LookupOptions,
}

/// `ret=full,filter=dir`: read on demand, because most lookups have none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LookupOptions(pub Vec<u8>);

impl LookupOptions {
    /// The value of an option, where it is given.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.split(|c| *c == b',').find_map(|option| {
            option.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
        })
    }
    /// Whether an option has a value, if only in one of the places where it
    /// stands.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.0.split(|c| *c == b',').any(|option| {
            let rest =
                option.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            rest == Some(value.as_bytes())
        })
    }
}

/// Why a lookup gave no answer.
#[derive(Clone, PartialEq, Debug)]
pub enum LookupFail {
    /// The file could not be opened, or the query is unusable: the expansion
    /// fails with this, as it is.
    Open(Fail),
    /// No answer now: Exim says `lookup of "…" gave DEFER: ` and this.
    Defer(Vec<u8>),
}

impl From<Fail> for LookupFail {
    fn from(fail: Fail) -> Self {
        Self::Open(fail)
    }
}
