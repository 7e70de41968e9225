//! The records: one for each word of the language.

use std::sync::Arc;

use eximious_grammar::expansion::{ConditionShape, ItemShape, LookupStyle};

use crate::{Call, Closure, Fail, Meta, Str};

/// An expansion item: `${name{…}…}` (specification 11.5).
#[derive(Clone, Debug)]
pub struct Item {
    /// What it says of itself.
    pub meta: Meta,
    /// What may follow its name.
    pub shape: ItemShape,
    /// What it does.
    pub run: ItemRun,
}

/// How an item wants its arguments.
#[derive(Clone, Debug)]
pub enum ItemRun {
    /// Evaluated, in order.
    Strict(fn(&mut Call<'_>, &[Str]) -> Result<Str, Fail>),
    /// Not evaluated: it does so itself, or parses them only.
    Lazy(fn(&mut Call<'_>) -> Result<Str, Fail>),
    /// As [`ItemRun::Strict`], with state ([`ItemRun::strict`]).
    StrictClosure(Closure<StrictItem>),
    /// As [`ItemRun::Lazy`], with state ([`ItemRun::lazy`]).
    LazyClosure(Closure<LazyItem>),
}

/// What an item with state does with its evaluated arguments.
pub type StrictItem = dyn Fn(&mut Call<'_>, &[Str]) -> Result<Str, Fail> + Send + Sync;
/// What an item with state does that evaluates its arguments itself.
pub type LazyItem = dyn Fn(&mut Call<'_>) -> Result<Str, Fail> + Send + Sync;

impl ItemRun {
    /// A closure that takes its arguments evaluated, in order.
    pub fn strict(
        run: impl Fn(&mut Call<'_>, &[Str]) -> Result<Str, Fail> + Send + Sync + 'static,
    ) -> Self {
        Self::StrictClosure(Closure(Arc::new(run)))
    }

    /// A closure that evaluates its arguments itself, or parses them only.
    pub fn lazy(run: impl Fn(&mut Call<'_>) -> Result<Str, Fail> + Send + Sync + 'static) -> Self {
        Self::LazyClosure(Closure(Arc::new(run)))
    }
}

/// What follows an operator's name after an underscore; `None` where there is
/// no underscore.
pub type Params<'a> = Option<&'a [u8]>;

/// An operator: `${name:…}`, `${name_params:…}` (specification 11.6).
#[derive(Clone, Debug)]
pub struct Operator {
    /// What it says of itself.
    pub meta: Meta,
    /// What it does with its argument.
    pub run: OperatorRun,
}

/// What an operator does with its argument, and with what follows its name.
#[derive(Clone, Debug)]
pub enum OperatorRun {
    /// A function.
    Plain(fn(&mut Call<'_>, &Str, Params<'_>) -> Result<Str, Fail>),
    /// A closure ([`OperatorRun::closure`]).
    Closure(Closure<StatefulOperator>),
}

/// What an operator with state does.
pub type StatefulOperator =
    dyn Fn(&mut Call<'_>, &Str, Params<'_>) -> Result<Str, Fail> + Send + Sync;

impl OperatorRun {
    /// A closure.
    pub fn closure(
        run: impl Fn(&mut Call<'_>, &Str, Params<'_>) -> Result<Str, Fail> + Send + Sync + 'static,
    ) -> Self {
        Self::Closure(Closure(Arc::new(run)))
    }
}

/// A condition, as `if` and others test it (specification 11.7).
#[derive(Clone, Debug)]
pub struct Condition {
    /// What it says of itself.
    pub meta: Meta,
    /// What may follow its name.
    pub shape: ConditionShape,
    /// What it does.
    pub run: ConditionRun,
}

/// How a condition wants its arguments.
#[derive(Clone, Debug)]
pub enum ConditionRun {
    /// Evaluated, in order.
    Strict(fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>),
    /// Not evaluated: it does so itself, or parses them only.
    Lazy(fn(&mut Call<'_>) -> Result<bool, Fail>),
    /// As [`ConditionRun::Strict`], with state ([`ConditionRun::strict`]).
    StrictClosure(Closure<StrictCondition>),
    /// As [`ConditionRun::Lazy`], with state ([`ConditionRun::lazy`]).
    LazyClosure(Closure<LazyCondition>),
}

/// What a condition with state does with its evaluated arguments.
pub type StrictCondition = dyn Fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail> + Send + Sync;
/// What a condition with state does that evaluates its arguments itself.
pub type LazyCondition = dyn Fn(&mut Call<'_>) -> Result<bool, Fail> + Send + Sync;

impl ConditionRun {
    /// A closure that takes its arguments evaluated, in order.
    pub fn strict(
        run: impl Fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail> + Send + Sync + 'static,
    ) -> Self {
        Self::StrictClosure(Closure(Arc::new(run)))
    }

    /// A closure that evaluates its arguments itself, or parses them only.
    pub fn lazy(run: impl Fn(&mut Call<'_>) -> Result<bool, Fail> + Send + Sync + 'static) -> Self {
        Self::LazyClosure(Closure(Arc::new(run)))
    }
}

/// A variable: `$name` (specification 11.9).
#[derive(Clone, Debug)]
pub struct Variable {
    /// What it says of itself.
    pub meta: Meta,
    /// Where its value comes from.
    pub source: VariableSource,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug)]
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
    /// The same, by a closure ([`VariableSource::computed`]).
    ComputedClosure(Closure<LazyItem>),
    /// It stands for many names, which the context holds. Given a name, the
    /// function says whether it belongs, or what to add to the complaint.
    Family(fn(&[u8]) -> Option<Result<(), &'static str>>),
}

impl VariableSource {
    /// A closure that computes it each time.
    pub fn computed(
        run: impl Fn(&mut Call<'_>) -> Result<Str, Fail> + Send + Sync + 'static,
    ) -> Self {
        Self::ComputedClosure(Closure(Arc::new(run)))
    }
}

/// How text is quoted for a query.
pub type Quote = fn(&[u8]) -> Vec<u8>;

/// A type of lookup (specification, chapter 9).
#[derive(Clone, Debug)]
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
    pub find: LookupFind,
}

/// How a type of lookup finds the data for a key or a query.
#[derive(Clone, Debug)]
pub enum LookupFind {
    /// By a function.
    Plain(fn(&mut Call<'_>, &LookupQuery) -> Result<Option<Str>, LookupFail>),
    /// By a closure ([`LookupFind::closure`]).
    Closure(Closure<StatefulLookup>),
}

/// How a type of lookup with state finds data.
pub type StatefulLookup =
    dyn Fn(&mut Call<'_>, &LookupQuery) -> Result<Option<Str>, LookupFail> + Send + Sync;

impl LookupFind {
    /// A closure.
    pub fn closure(
        find: impl Fn(&mut Call<'_>, &LookupQuery) -> Result<Option<Str>, LookupFail>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::Closure(Closure(Arc::new(find)))
    }

    /// Finds the data.
    ///
    /// # Errors
    /// There is no answer, now or ever.
    pub fn find(
        &self,
        call: &mut Call<'_>,
        query: &LookupQuery,
    ) -> Result<Option<Str>, LookupFail> {
        match self {
            Self::Plain(find) => find(call, query),
            Self::Closure(find) => find(call, query),
        }
    }
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
pub struct LookupOptions(pub Str);

impl LookupOptions {
    /// The options as they stand: a list that commas part, in which a doubled comma is one of
    /// the option at hand. White space around each is left out.
    pub fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(self.0.bytes());
        std::iter::from_fn(move || {
            let text = rest?;
            let mut end = 0;
            while end < text.len() {
                match (text[end], text.get(end + 1)) {
                    (b',', Some(b',')) => end += 2,
                    (b',', _) => break,
                    _ => end += 1,
                }
            }
            rest = text.get(end + 1..);
            Some(text[..end].trim_ascii())
        })
    }
    /// The value of an option as it is written, where it is given.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }
    /// The value as it is meant, a comma where two are written, with where it comes from: in a
    /// list that text from outside has a part in, that is from outside, too.
    pub fn text(&self, name: &str) -> Option<Str> {
        let mut value = self.get(name)?.to_vec();
        let mut after_comma = false;
        value.retain(|byte| {
            after_comma = *byte == b',' && !after_comma;
            *byte != b',' || after_comma
        });
        Some(Str::from(value).stamped(self.0.taint()))
    }
    /// Whether an option has a value, if only in one of the places where it
    /// stands.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|one| one == value.as_bytes())
    }
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.each()
            .filter_map(move |option| option.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
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
