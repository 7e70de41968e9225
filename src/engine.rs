//! The room of meaning: the language, put together; strings compiled with it; contexts
//! and their evaluation.

mod access;
mod batch;
pub(crate) mod context;
pub(crate) mod debugging;
pub(crate) mod eval;
mod limits;
pub(crate) mod patterns;
mod stepping;
mod texts;
mod value;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use eximious_core::{
    AclControl, AclTerm, AclVerify, Condition, DriverDef, Effects, ErrorKind, Fail, Item,
    LookupDef, Meta, Operator, Rec, Registry, Settings, SharedMemory, Str, TaintRule, Variable,
    VariableSource, World, interned,
};
use eximious_grammar::Fault;
use eximious_grammar::expansion::{
    ParseLimits, Part, Tree, VariableName, Vocabulary, parse, parse_into,
};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables;

use eval::{Eval, literal};
use texts::OptionTexts;

pub use access::Access;
pub use batch::Batch;
pub use context::Context;
pub(crate) use limits::{Budget, too_much};
pub use limits::{Canceller, Limits};
pub use stepping::{RunStop, Snapshot, Stepper};
pub use value::IntoValue;

/// The language: its words, the outside, a policy. Immutable; a clone is cheap.
#[derive(Clone, Debug)]
pub struct Engine(pub(crate) Arc<Inner>);

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    /// Which engine it is: those that are made of one by another world or other options
    /// have the same words, and its number.
    pub(crate) number: u64,
    pub(crate) registry: Registry,
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) forbidden: Effects,
    /// Where only some are allowed: all others are forbidden.
    allowed: Option<Effects>,
    pub(crate) limits: Limits,
    /// As whom a server runs, once somebody has asked.
    server_ids: OnceLock<(u32, u32)>,
    /// What built-ins keep for all contexts: what they know of this world.
    pub(crate) shared: SharedMemory,
    /// What options' texts were parsed to.
    texts: OptionTexts,
}

/// Puts an [`Engine`] together.
#[derive(Clone, Debug)]
pub struct Builder(Inner);

impl Engine {
    /// Parses a string once. This does not fail: what is wrong with the text
    /// is raised when an evaluation reaches it ([`Expansion::faults`] lists it
    /// beforehand).
    pub fn compile(&self, source: impl AsRef<[u8]>) -> Expansion {
        let source = source.as_ref();
        Expansion(Arc::new(self.compiled(source)))
    }

    pub(crate) fn compiled(&self, source: &[u8]) -> Compiled {
        let tree = parse(source, &self.0.registry, self.parse_limits());
        let view = tree.view();
        let literals = tree.all_pieces().iter().map(|piece| match piece.part {
            Part::Text(span) => Some(literal(&view, span)),
            _ => None,
        });
        Compiled { engine: self.0.number, literals: literals.collect(), tree }
    }

    pub(crate) fn parse_limits(&self) -> ParseLimits {
        ParseLimits { depth: self.0.limits.nesting, length: self.0.limits.length as u32 }
    }

    /// The same with another world.
    pub fn with_world(&self, world: World) -> Self {
        let (server_ids, shared) = (OnceLock::new(), SharedMemory::default());
        Self(Arc::new(Inner { world, server_ids, shared, ..(*self.0).clone() }))
    }

    /// The same with other options.
    pub fn with_settings(&self, settings: Settings) -> Self {
        let mut inner = Inner { settings, server_ids: OnceLock::new(), ..(*self.0).clone() };
        inner.registry.set_strict(inner.settings.get(opt::STRICT_ACL_VARS));
        Self(Arc::new(inner))
    }

    /// The user and the group that a server runs as (`exim_user`, `exim_group`), as numbers;
    /// the database of users is asked once.
    pub fn server_ids(&self) -> (u32, u32) {
        let Inner { settings, world, server_ids, .. } = &*self.0;
        *server_ids.get_or_init(|| {
            eximious_stdlib::options::server_ids(settings, &*world.users, &*world.host)
        })
    }

    /// A context with no values yet.
    pub fn context(&self) -> Context {
        Context::new(self.clone())
    }

    /// Parses and evaluates a string that is used once, with memory that the
    /// context keeps for the next one. As in a test of expansions line by line,
    /// a failure leaves `$0`…, `$value` and `$item` as they were bound.
    ///
    /// # Errors
    /// What the expansion fails with.
    pub fn expand_once(&self, source: &[u8], cx: &mut Context) -> Result<Str, Fail> {
        let mut tree = cx.evaluation.tree.take().unwrap_or_default();
        parse_into(&mut tree, source, &self.0.registry, self.parse_limits());
        cx.begin(true);
        let result =
            cx.level().and_then(|_level| cx.deeper(|cx| Eval::new(cx, &tree.view(), &[]).whole()));
        cx.evaluation.tree = Some(tree);
        result
    }

    /// Expands text that was made at run time, once more. What holds anything from outside is
    /// refused, and the panic log hears of it: whoever runs the server has to, whatever becomes
    /// of the expansion.
    ///
    /// # Errors
    /// The text is tainted, or what the expansion fails with.
    pub fn expand_again(&self, source: &Str, cx: &mut Context) -> Result<Str, Fail> {
        refuse_tainted(source, cx)?;
        self.expand_once(source.bytes(), cx)
    }

    /// The place of a variable that has a value of its own: a built-in one, or one that was
    /// declared ([`Builder::declare`]). `None` for a name that the engine does not know,
    /// and for one of an open family (`acl_m_…`).
    pub fn slot(&self, name: &str) -> Option<Slot> {
        match self.0.registry.variable(name.as_bytes()) {
            VariableName::Known(id) => Some(Slot {
                engine: self.0.number,
                id,
                name: self.0.registry.variable_at(id).meta.name,
            }),
            _ => None,
        }
    }

    /// All words.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The configuration's options.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The outside.
    pub fn world(&self) -> &World {
        &self.0.world
    }
}

impl Builder {
    /// Begins with words that are there already, and otherwise as
    /// [`Engine::builder`] does. The built-in variables are known in any case: code
    /// names them by number.
    pub fn of(mut registry: Registry) -> Self {
        registry.begin_with_variables(variables::ALL);
        Self(Inner {
            number: 0,
            registry,
            world: World::hermetic(),
            settings: Settings::default(),
            forbidden: Effects::NONE,
            allowed: None,
            limits: Limits::default(),
            server_ids: OnceLock::new(),
            shared: SharedMemory::default(),
            texts: OptionTexts::default(),
        })
    }
    /// Adds an item, or replaces one.
    pub fn item(mut self, item: impl Into<Rec<Item>>) -> Self {
        self.0.registry.items([item]);
        self
    }
    /// Adds an operator, or replaces one.
    pub fn operator(mut self, operator: impl Into<Rec<Operator>>) -> Self {
        self.0.registry.operators([operator]);
        self
    }
    /// Adds a condition, or replaces one.
    pub fn condition(mut self, condition: impl Into<Rec<Condition>>) -> Self {
        self.0.registry.conditions([condition]);
        self
    }
    /// Adds variables, or replaces some.
    pub fn variables<R: Into<Rec<Variable>>>(
        mut self,
        variables: impl IntoIterator<Item = R>,
    ) -> Self {
        self.0.registry.variables(variables);
        self
    }
    /// Makes variables known that your program will set: they are no faults of a text
    /// ([`Expansion::faults`]), have no value until they are set, and with their [`Slot`]
    /// are set without a search. Names that are known already stay what they are.
    ///
    /// Each name is kept for as long as the program runs: they are to come from who runs it.
    ///
    /// ```
    /// use eximious::Engine;
    ///
    /// let engine = Engine::builder().declare(["score", "country"]).build();
    /// let [score, country] = ["score", "country"].map(|name| engine.slot(name).unwrap());
    /// let rule = engine.compile("${if >{$score}{5}{no thanks to $country}{welcome}}");
    /// assert_eq!(rule.faults().count(), 0);
    ///
    /// let mut cx = engine.context();
    /// cx.set_slot(score, "7");
    /// cx.set_slot(country, "Utopia");
    /// assert_eq!(rule.expand(&mut cx)?.display(), "no thanks to Utopia");
    /// # Ok::<(), eximious::Fail>(())
    /// ```
    pub fn declare(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        for name in names {
            let name = name.as_ref();
            if self.0.registry.variable_id(name.as_bytes()).is_none() {
                let meta = Meta::new(interned(name), Effects::NONE, TaintRule::Result)
                    .summary("A variable that the program sets.");
                let source = VariableSource::Slot;
                self.0.registry.variables([Variable { meta, source }]);
            }
        }
        self
    }
    /// Adds a lookup type, or replaces one.
    pub fn lookup(mut self, lookup: impl Into<Rec<LookupDef>>) -> Self {
        self.0.registry.lookups([lookup]);
        self
    }
    /// Adds a condition or modifier of ACLs, or replaces one.
    pub fn acl_term(mut self, term: impl Into<Rec<AclTerm>>) -> Self {
        self.0.registry.acl_terms([term]);
        self
    }
    /// Adds something that `control` may name, or replaces it.
    pub fn acl_control(mut self, control: impl Into<Rec<AclControl>>) -> Self {
        self.0.registry.acl_controls([control]);
        self
    }
    /// Adds something that `verify` may name, or replaces it.
    pub fn acl_verify(mut self, verify: impl Into<Rec<AclVerify>>) -> Self {
        self.0.registry.acl_verifies([verify]);
        self
    }
    /// Adds a driver of routers, transports or authenticators with its options, or
    /// replaces one.
    pub fn driver(mut self, driver: impl Into<Rec<DriverDef>>) -> Self {
        self.0.registry.drivers([driver]);
        self
    }
    /// Sets the outside.
    pub fn world(mut self, world: World) -> Self {
        self.0.world = world;
        self
    }
    /// Sets the configuration's options.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.0.settings = settings;
        self
    }
    /// Forbids effects: a word that has one of them fails.
    pub fn forbid(mut self, effects: Effects) -> Self {
        self.0.forbidden |= effects;
        self
    }
    /// Allows nothing but these effects: a word that has any other fails, as do those of
    /// effects that come to be known later. Said twice, both are allowed.
    ///
    /// ```
    /// use eximious::{Effects, Engine, ErrorKind};
    ///
    /// let engine = Engine::builder().allow(Effects::CLOCK).allow(Effects::EXPAND).build();
    /// let mut cx = engine.context();
    /// assert!(engine.compile("$tod_epoch").expand(&mut cx).is_ok());
    /// let fail = engine.compile("${readfile{/etc/passwd}}").expand(&mut cx).unwrap_err();
    /// assert_eq!(fail.kind(), ErrorKind::Forbidden);
    /// ```
    pub fn allow(mut self, effects: Effects) -> Self {
        *self.0.allowed.get_or_insert(Effects::NONE) |= effects;
        self
    }
    /// Sets how much an evaluation may ask for.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.0.limits = limits;
        self
    }
    /// The words so far.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }
    /// The engine.
    pub fn build(mut self) -> Engine {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.0.number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.shared = SharedMemory::default();
        self.0.registry.set_strict(self.0.settings.get(opt::STRICT_ACL_VARS));
        if let Some(allowed) = self.0.allowed {
            self.0.forbidden |= !allowed;
        }
        Engine(Arc::new(self.0))
    }
}

/// Where the value of a variable stands: setting it by this needs no search for the name
/// ([`Engine::slot`], [`Context::set_slot`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slot {
    /// The number of the engine that it counts for.
    engine: u64,
    id: u16,
    name: &'static str,
}

impl Slot {
    /// The variable's name, without a dollar.
    pub fn name(self) -> &'static str {
        self.name
    }
}

/// A string that was parsed once. Shared by threads, a clone is cheap.
#[derive(Clone, Debug)]
pub struct Expansion(pub(crate) Arc<Compiled>);

#[derive(Debug)]
pub(crate) struct Compiled {
    /// The number of the engine whose words it is made of.
    pub(crate) engine: u64,
    pub(crate) tree: Tree,
    /// What literal parts of the tree are, so that they need no copy; one for
    /// each part.
    pub(crate) literals: Box<[Option<Str>]>,
}

impl Expansion {
    /// Evaluates the string with a context of the engine that compiled it.
    ///
    /// # Errors
    /// What the expansion fails with, in Exim's words, with its place; or that the
    /// context is of another engine ([`eximious_core::ErrorKind::OtherEngine`]).
    pub fn expand(&self, cx: &mut Context) -> Result<Str, Fail> {
        cx.begin(false);
        cx.belongs_to(self.0.engine)?;
        let _level = cx.level()?;
        let compiled = &self.0;
        cx.deeper(|cx| Eval::new(cx, &compiled.tree.view(), &compiled.literals).whole())
    }

    /// Whether a context is of the engine that compiled it, or of one made of that by
    /// another world: others can't evaluate it.
    pub fn fits(&self, cx: &Context) -> bool {
        cx.belongs_to(self.0.engine).is_ok()
    }

    /// What is wrong with the text, without evaluating it.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.0.tree.view().faults()
    }

    /// The text.
    pub fn source(&self) -> &[u8] {
        self.0.tree.source()
    }
}

/// That text from outside is not expanded.
pub(crate) fn refuse_tainted(text: &Str, cx: &mut Context) -> Result<(), Fail> {
    if !text.taint().is_tainted() {
        return Ok(());
    }
    let message = [b"attempt to expand tainted string '", text.bytes(), b"'"].concat();
    cx.log().panic(&message);
    Err(Fail::error(ErrorKind::Taint, message))
}

#[cfg(test)]
mod tests {
    use eximious_stdlib::variables::var;

    use super::*;

    #[test]
    fn built_in_variables_are_known_to_each_engine() {
        static OWN: &[Variable] = &[Variable {
            meta: Meta::new("own", Effects::NONE, TaintRule::Result),
            source: VariableSource::SlotWith("mine"),
        }];
        let mut words = Registry::new();
        words.variables(OWN);
        let engine = Builder::of(words).build();
        let mut cx = engine.context();
        cx.set_var(var::ACL_ARG1, "a");
        cx.set_var(var::DOMAIN, "b");
        let shown = engine.expand_once(b"$own $acl_arg1 $domain", &mut cx).unwrap();
        assert_eq!(shown.bytes(), b"mine a b");
    }
}
