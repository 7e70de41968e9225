//! A router, made ready: its options as they count, its texts compiled once.

use std::sync::OnceLock;
use std::time::Duration;

use eximious_core::{
    DriverDef, DriverKind, DriverOptions, Fail, OptionPlace, OptionValue, Rec, Registry, Str, World,
};
use eximious_stdlib::lists::Names;
use rustc_hash::FxHashMap;

use super::driver::RouterRun;
use crate::config::{Instance, effective};
use crate::{Context, Expansion};

/// A router.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) name: Str,
    pub(super) driver: Rec<DriverDef>,
    /// What its driver does; nothing, where that is not there yet.
    pub(super) run: Option<RouterRun>,
    options: DriverOptions,
    texts: FxHashMap<&'static str, Text>,
    pub(super) pass_router: Option<usize>,
    pub(super) redirect_router: Option<usize>,
    /// What each address asks for, in every router.
    pub(super) filter: Filter,
}

/// The options that decide whether a router sees an address at all.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) verify_sender: bool,
    pub(super) verify_recipient: bool,
    pub(super) verify_only: bool,
    pub(super) address_test: bool,
    pub(super) expn: bool,
    pub(super) caseful: bool,
    pub(super) check_local_user: bool,
    pub(super) repeat_use: bool,
    /// `more` and `unseen`, where they are not expanded.
    pub(super) more: Option<bool>,
    pub(super) unseen: Option<bool>,
    pub(super) domains: Option<(Str, Option<Names>)>,
    pub(super) local_parts: Option<Str>,
    pub(super) senders: Option<Str>,
    pub(super) prefixes: Option<Str>,
    pub(super) prefix_optional: bool,
    pub(super) suffixes: Option<Str>,
    pub(super) suffix_optional: bool,
    pub(super) home: Option<Text>,
    pub(super) debug_print: Option<Text>,
    pub(super) require_files: Option<Text>,
    pub(super) condition: Option<Text>,
    pub(super) set: Option<Text>,
    pub(super) address_data: Option<Text>,
}

impl Filter {
    /// Whether local parts may have something before or behind them.
    pub(super) fn has_affixes(&self) -> bool {
        self.prefixes.is_some() || self.suffixes.is_some()
    }
}

/// An option's text, compiled when it is first needed.
#[derive(Debug)]
pub(crate) struct Text {
    pub(super) written: Str,
    plain: bool,
    compiled: OnceLock<Expansion>,
}

impl Text {
    pub(crate) fn new(written: Str) -> Self {
        let plain = !written.bytes().iter().any(|c| matches!(c, b'$' | b'\\'));
        Self { written, plain, compiled: OnceLock::new() }
    }

    /// What it says now.
    pub(crate) fn expand(&self, cx: &mut Context) -> Result<Str, Fail> {
        if self.plain {
            return Ok(self.written.clone());
        }
        let compile = |cx: &Context| cx.engine().compile(self.written.bytes());
        let compiled = self.compiled.get_or_init(|| compile(cx));
        match compiled.fits(cx) {
            true => compiled.expand(cx),
            // The same routes serve contexts of several engines.
            false => compile(cx).expand(cx),
        }
    }
}

impl Router {
    pub(super) fn new(
        instance: &Instance,
        driver: &Rec<DriverDef>,
        registry: &Registry,
        world: &World,
        place: &dyn Fn(&Str) -> Option<usize>,
    ) -> Self {
        let mut options = DriverOptions::default();
        let own = OptionPlace::Driver(DriverKind::Router, driver.meta.name);
        let records = registry.options_of(OptionPlace::Generic(DriverKind::Router));
        for record in records.chain(registry.options_of(own)) {
            if let Some(value) = effective(record, instance, world) {
                options.set(record, value);
            }
        }
        let named = |option: &str| options.text(option).and_then(place);
        let flag = |option: &str| options.flag(option) == Some(true);
        // To be set to nothing is to be set: nothing is in an empty list.
        let list = |option: &str| match instance.options.get(option) {
            Some(OptionValue::Text(text)) => Some(text.clone().looked_through_for_expansion()),
            _ => None,
        };
        let text = |option: &str| match options.get(option) {
            Some(OptionValue::Text(text)) => Some(Text::new(text.clone())),
            _ => None,
        };
        let some = |option: &str| text(option).filter(|text| !text.written.is_empty());
        let settled = |option: &str| some(option).is_none().then(|| flag(option));
        let filter = Filter {
            verify_sender: flag("verify_sender"),
            verify_recipient: flag("verify_recipient"),
            verify_only: flag("verify_only"),
            address_test: flag("address_test"),
            expn: flag("expn"),
            caseful: flag("caseful_local_part"),
            check_local_user: flag("check_local_user"),
            repeat_use: options.flag("repeat_use") != Some(false),
            more: settled("more"),
            unseen: settled("unseen"),
            domains: list("domains").map(|list| {
                let names = Names::of(&list);
                (list, names)
            }),
            local_parts: list("local_parts"),
            senders: list("senders"),
            prefixes: options.text("local_part_prefix").cloned(),
            prefix_optional: flag("local_part_prefix_optional"),
            suffixes: options.text("local_part_suffix").cloned(),
            suffix_optional: flag("local_part_suffix_optional"),
            home: some("router_home_directory"),
            debug_print: some("debug_print"),
            require_files: some("require_files"),
            condition: text("condition"),
            set: some("set"),
            address_data: text("address_data"),
        };
        let texts = options.iter().filter_map(|(name, value)| match value {
            OptionValue::Text(text) => Some((name, Text::new(text.clone()))),
            _ => None,
        });
        Self {
            name: instance.name.clone().looked_through(),
            driver: driver.clone(),
            run: driver.run.get::<RouterRun>().cloned(),
            texts: texts.collect(),
            pass_router: named("pass_router"),
            redirect_router: named("redirect_router"),
            options,
            filter,
        }
    }

    /// A text that is set, be it empty.
    pub(super) fn text(&self, option: &str) -> Option<&Text> {
        self.texts.get(option)
    }

    /// A text that is set, and not empty.
    pub(super) fn some_text(&self, option: &str) -> Option<&Text> {
        self.text(option).filter(|text| !text.written.is_empty())
    }

    /// Whether a switch is on.
    pub(super) fn on(&self, option: &str) -> bool {
        self.options.flag(option) == Some(true)
    }

    /// A value as it is set, or its default.
    pub(super) fn value(&self, option: &str) -> Option<&OptionValue> {
        self.options.get(option)
    }

    /// A number.
    pub(super) fn number(&self, option: &str) -> Option<i64> {
        self.options.number(option)
    }

    /// A time.
    pub(super) fn time(&self, option: &str) -> Option<Duration> {
        self.options.time(option)
    }

    /// Users or groups by number.
    pub(super) fn ids(&self, option: &str) -> &[u32] {
        match self.options.get(option) {
            Some(OptionValue::Ids(ids)) => ids,
            _ => &[],
        }
    }

    /// An error that ends in the router's name.
    pub(super) fn named(&self, head: &[u8], middle: &[u8], tail: &[u8]) -> Vec<u8> {
        [head, self.name.bytes(), middle, tail].concat()
    }
}
