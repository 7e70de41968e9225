//! The words that the built-ins and the engine both speak.
//!
//! The built-ins must not know the engine, and the engine ships with the
//! built-ins; so what they say to each other stands here: strings with their
//! taint ([`Str`]), failures ([`Fail`]), the outside ([`World`]), the records
//! that define each word of the language ([`Item`], [`Operator`],
//! [`Condition`], [`Variable`], [`LookupDef`]), the [`Registry`] of them, and
//! what a built-in is handed when it runs ([`Call`]).
#![forbid(unsafe_code)]

mod acl;
mod body;
mod call;
pub mod digits;
mod effects;
mod fail;
mod interned;
mod log_selector;
mod memory;
mod message;
mod meta;
mod names;
mod opt;
mod option;
mod page_place;
mod record;
mod registry;
mod repr;
mod scope;
mod settings;
mod shared;
mod str;
pub mod trace;
mod var;
pub mod world;

pub use acl::{
    AclControl, AclOperand, AclOptions, AclPhases, AclTerm, AclTermKind, AclVerb, AclVerbDef,
    AclVerify,
};
pub use body::{Body, BodyReader, BodySource};
pub use call::{AclAnswer, Bounds, BranchOutcome, Call, Machine, UserData};
pub use effects::Effects;
pub use eximious_grammar as grammar;
pub use eximious_grammar::stack;
pub use fail::{ErrorKind, Fail, FailClass, Place};
pub use interned::interned;
pub use log_selector::{LogSelector, LogSelectorError};
pub use memory::{Memory, SharedMemory};
pub use message::{DeliveryAttempt, Header, Message};
pub use meta::{Example, Meta, TaintRule};
pub use opt::{
    DriverOpt, Expanded, Ids, IdsOption, Opt, OptionType, Preset, SwitchOption, TextOption, Times,
};
pub use option::{
    DriverDef, DriverKind, DriverOptions, OptionDef, OptionEffect, OptionKind, OptionPlace,
    OptionValue, Repeated,
};
pub use page_place::{BadPagePlace, PagePlace};
pub use record::{
    Condition, ConditionRun, Item, ItemRun, LazyCondition, LazyItem, LookupDef, LookupFail,
    LookupFind, LookupOptions, LookupQuery, Operator, OperatorRun, Params, Quote, StatefulLookup,
    StatefulOperator, StrictCondition, StrictItem, Variable, VariableSource,
};
pub use registry::Registry;
pub use scope::{Bindings, Captures, Outer, Scope};
pub use settings::{ListKind, NamedList, NamedLists, OptionError, Settings};
pub use shared::{Closure, Rec, Runs};
pub use str::{Buf, Str, Taint};
pub use trace::Trace;
pub use var::Var;
pub use world::World;
