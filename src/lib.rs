//! Exim's configuration and string-expansion language, as a library.
//!
//! ```
//! use eximious::Engine;
//!
//! let engine = Engine::builder().build();
//! let rule = engine.compile("${if eqi{$who}{world}{Hello ${uc:$who}}fail}");
//! let mut cx = engine.context();
//! cx.set("who", "world"); // from outside, so it is tainted
//! assert_eq!(rule.expand(&mut cx)?.display(), "Hello WORLD");
//! # Ok::<(), eximious::Fail>(())
//! ```
//!
//! An [`Engine`] is the language: its words, the outside that it may touch
//! ([`World`], by default one that denies everything) and a policy. It is
//! immutable and shared. A [`Context`] holds the values of one conversation
//! and belongs to one thread at a time. An [`Expansion`] is a string that was
//! parsed once and is evaluated many times.
//!
//! The cargo features say how much of it is there: without any, the language alone;
//! `config` reads configuration files, `mail` runs ACLs, routers and filters, `tools`
//! checks and formats. The others let words of the language do their work that need
//! much to be built; without them, these words are known and say what they need.
#![forbid(unsafe_code)]
// The rooms to the right use what stands left of them.
#![cfg_attr(not(feature = "tools"), allow(dead_code, unused_imports))]

#[cfg(feature = "config")]
pub mod config;
mod engine;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "tools")]
mod tools;

#[cfg(feature = "config")]
pub use config::{Config, ConfigError, MacroError, Macros};
pub use engine::{
    Access, Batch, Builder, Canceller, Context, Engine, Expansion, IntoValue, Limits, RunStop,
    Slot, Snapshot, Stepper,
};
pub use eximious_core::{
    AclAnswer, AclControl, AclOperand, AclOptions, AclPhases, AclTerm, AclTermKind, AclVerb,
    AclVerbDef, AclVerify, Bindings, Body, BodyReader, BodySource, Bounds, BranchOutcome, Buf,
    Call, Captures, Closure, Condition, ConditionRun, DeliveryAttempt, DriverDef, DriverKind,
    DriverOpt, DriverOptions, Effects, ErrorKind, Example, Expanded, Fail, FailClass, Header, Ids,
    IdsOption, Item, ItemRun, ListKind, LogSelector, LogSelectorError, LookupDef, LookupFail,
    LookupFind, LookupOptions, LookupQuery, Message, Meta, NamedList, NamedLists, Operator,
    OperatorRun, Opt, OptionDef, OptionEffect, OptionError, OptionKind, OptionPlace, OptionType,
    OptionValue, Outer, Params, Place, Preset, Rec, Registry, Repeated, Runs, Scope, Settings, Str,
    SwitchOption, Taint, TaintRule, TextOption, Times, Var, Variable, VariableSource, World,
    interned, trace, world,
};
// The rooms to the left, for the programs of this workspace: what an embedder needs of
// them stands here by its name.
#[doc(hidden)]
pub use eximious_core::digits;
#[doc(hidden)]
pub use eximious_grammar as grammar;
#[doc(hidden)]
pub use eximious_stdlib as stdlib;
pub use eximious_stdlib::options::opt;
pub use eximious_stdlib::variables::var;
#[cfg(feature = "mail")]
pub use mail::conversation::{Conversation, DecidedBy, DecidingTerm, Decision};
#[cfg(feature = "mail")]
pub use mail::loaded::{Loaded, LoadedAcl, Routing};
#[cfg(feature = "mail")]
pub use mail::{
    acl, auth, client, debugging, event, filter, hints, launch, mta_sts, report_copies, retry,
    returned, rewrite, route, smtp_client, transport,
};
#[cfg(feature = "tools")]
pub use tools::{check, complete, fmt, outline, symbols, words};

/// How expansions and configurations are written, as far as the rest of the library names it:
/// shapes of words, places in a text, and the trees that texts are read into.
pub mod syntax {
    #[cfg(feature = "tools")]
    pub use eximious_grammar::config::Statement;
    pub use eximious_grammar::expansion::{
        Arg, ArgKind, ArgSpec, CallId, CallNode, Closing, CondId, CondNode, ConditionShape, Fault,
        HeaderView, ItemShape, LookupId, LookupNode, LookupStyle, OpId, OpNode, ParseLimits, Part,
        Piece, Seq, Tree, Trees, VariableName, View, Vocabulary, Wrapper, WrapperText, parse,
    };
    #[cfg(feature = "mail")]
    pub use eximious_grammar::sieve::{Dialect, SieveLimits};
    pub use eximious_grammar::{Span, stack::TooDeep};
}

/// All words: the standard library, and what ACLs and drivers add to it.
pub fn registry() -> Registry {
    #[cfg_attr(not(feature = "mail"), expect(unused_mut, reason = "nothing adds to it"))]
    let mut registry = eximious_stdlib::registry();
    #[cfg(feature = "mail")]
    mail::register(&mut registry);
    registry
}

impl Engine {
    /// Begins with all words, a world that denies everything, and no policy.
    pub fn builder() -> Builder {
        Builder::of(registry())
    }
}
