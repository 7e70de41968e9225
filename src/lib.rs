//! Exim's configuration and string-expansion language, as a library.
//!
//! ```
//! use eximious::{Engine, Str};
//!
//! let engine = Engine::builder().build();
//! let rule = engine.compile("${if eqi{$who}{world}{Hello ${uc:$who}}fail}");
//! let mut cx = engine.context();
//! cx.set("who", Str::tainted(b"world"));
//! assert_eq!(rule.expand(&mut cx)?.display(), "Hello WORLD");
//! # Ok::<(), eximious::Fail>(())
//! ```
//!
//! An [`Engine`] is the language: its words, the outside that it may touch
//! ([`World`], by default one that denies everything) and a policy. It is
//! immutable and shared. A [`Context`] holds the values of one conversation
//! and belongs to one thread at a time. An [`Expansion`] is a string that was
//! parsed once and is evaluated many times.
#![forbid(unsafe_code)]

pub mod config;
mod engine;
mod mail;
mod tools;

pub use config::{Config, ConfigError, MacroError, Macros};
pub use engine::{Batch, Builder, Canceller, Context, Engine, Expansion, Limits, debugging};
pub use eximious_core::{
    AclAnswer, AclControl, AclOptions, AclPhases, AclTerm, AclTermKind, AclVerb, AclVerbDef,
    AclVerify, Buf, Call, Captures, Condition, ConditionRun, DriverDef, DriverKind, Effects,
    ErrorKind, Example, Expanded, Fail, FailClass, Header, Ids, Item, ItemRun, ListKind,
    LogSelector, LogSelectorError, LookupDef, LookupFail, LookupOptions, LookupQuery, Message,
    Meta, NamedList, Operator, Opt, OptionDef, OptionError, OptionKind, OptionPlace, OptionType,
    OptionValue, Options, Outcome, Params, Place, Registry, Repeated, Settings, Str, Taint,
    TaintRule, Times, Var, Variable, VariableSource, World, world,
};
pub use eximious_grammar as grammar;
pub use eximious_stdlib as stdlib;
pub use eximious_stdlib::options::opt;
pub use eximious_stdlib::variables::var;
pub use mail::{
    acl, auth, client, event, filter, hints, launch, retry, rewrite, route, smtp_client,
};
pub use tools::{check, fmt};
