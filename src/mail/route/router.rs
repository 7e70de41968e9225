//! A router, made ready: its options as they count, its texts compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eximious_core::trace::TracePlace;
use eximious_core::{
    DriverDef, DriverKind, DriverOpt, DriverOptions, Expanded, Fail, IdsOption, OptionPlace,
    OptionType, OptionValue, Rec, Registry, Str, SwitchOption, TextOption, World,
};
use eximious_stdlib::dns::find::SearchList;
use eximious_stdlib::lists::Names;
use eximious_stdlib::options::opt::router as opt;
use rustc_hash::FxHashMap;

use super::driver::RouterRun;
use crate::config::{ConfigPlaces, Instance, effective};
use crate::engine::refuse_tainted;
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
    /// Where it stands, and where each of its options does.
    pub(super) place: Arc<TracePlace>,
    places: BTreeMap<&'static str, Arc<TracePlace>>,
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
    /// Whether Brightmail's verdict decides.
    pub(super) by_verdict: bool,
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
    place: Option<Arc<TracePlace>>,
}

impl Text {
    pub(crate) fn new(written: Str) -> Self {
        let plain = written.is_plain();
        Self { written, plain, compiled: OnceLock::new(), place: None }
    }

    /// The same, which stands somewhere in the configuration.
    pub(super) fn at(self, place: Option<&Arc<TracePlace>>) -> Self {
        Self { place: place.cloned(), ..self }
    }

    /// What it says now.
    pub(crate) fn expand(&self, cx: &mut Context) -> Result<Str, Fail> {
        if self.plain {
            return Ok(self.written.clone());
        }
        refuse_tainted(&self.written, cx)?;
        let compile = |cx: &Context| cx.engine().compile(self.written.bytes());
        let compiled = self.compiled.get_or_init(|| compile(cx));
        cx.standing_at(self.place.as_ref(), |cx| match compiled.fits(cx) {
            true => compiled.expand(cx),
            // The same routes serve contexts of several engines.
            false => compile(cx).expand(cx),
        })
    }
}

impl Router {
    pub(super) fn new(
        instance: &Instance,
        driver: &Rec<DriverDef>,
        registry: &Registry,
        world: &World,
        place: &dyn Fn(&Str) -> Option<usize>,
        places: &ConfigPlaces<'_>,
    ) -> Self {
        let (begin, places) = (places.of(instance.line, 0), places.of_options(&instance.settings));
        let mut options = DriverOptions::default();
        let own = OptionPlace::Driver(DriverKind::Router, driver.meta.name);
        let records = registry.options_of(OptionPlace::Generic(DriverKind::Router));
        for record in records.chain(registry.options_of(own)) {
            if let Some(value) = effective(record, instance, world) {
                options.set(record, value);
            }
        }
        let named = |option: DriverOpt<Str>| options.some_text(option).and_then(place);
        let flag = |option: DriverOpt<bool>| options.flag(option) == Some(true);
        // To be set to nothing is to be set: nothing is in an empty list.
        let list = |option: DriverOpt<Str>| {
            instance.options.text(option).map(|text| text.clone().looked_through_for_expansion())
        };
        let placed = |option: DriverOpt<Str>, text: &Str| {
            Text::new(text.clone()).at(places.get(option.name()))
        };
        let text = |option: DriverOpt<Str>| Some(placed(option, options.text(option)?));
        let some = |option: DriverOpt<Str>| Some(placed(option, options.some_text(option)?));
        let settled = |option: DriverOpt<Expanded<bool>>| match options.some_text(option) {
            Some(_) => None,
            None => Some(options.flag(option) == Some(true)),
        };
        let filter = Filter {
            verify_sender: flag(opt::VERIFY_SENDER),
            verify_recipient: flag(opt::VERIFY_RECIPIENT),
            verify_only: flag(opt::VERIFY_ONLY),
            address_test: flag(opt::ADDRESS_TEST),
            expn: flag(opt::EXPN),
            caseful: flag(opt::CASEFUL_LOCAL_PART),
            check_local_user: flag(opt::CHECK_LOCAL_USER),
            repeat_use: options.flag(opt::redirect::REPEAT_USE) != Some(false),
            more: settled(opt::MORE),
            unseen: settled(opt::UNSEEN),
            domains: list(opt::DOMAINS).map(|list| {
                let names = Names::of(&list);
                (list, names)
            }),
            local_parts: list(opt::LOCAL_PARTS),
            senders: list(opt::SENDERS),
            prefixes: options.text(opt::LOCAL_PART_PREFIX).cloned(),
            prefix_optional: flag(opt::LOCAL_PART_PREFIX_OPTIONAL),
            suffixes: options.text(opt::LOCAL_PART_SUFFIX).cloned(),
            suffix_optional: flag(opt::LOCAL_PART_SUFFIX_OPTIONAL),
            home: text(opt::ROUTER_HOME_DIRECTORY),
            debug_print: some(opt::DEBUG_PRINT),
            require_files: some(opt::REQUIRE_FILES),
            by_verdict: flag(opt::BMI_DELIVER_DEFAULT)
                || flag(opt::BMI_DELIVER_ALTERNATE)
                || flag(opt::BMI_DONT_DELIVER)
                || options.some_text(opt::BMI_RULE).is_some(),
            condition: text(opt::CONDITION),
            set: some(opt::SET),
            address_data: text(opt::ADDRESS_DATA),
        };
        let texts = options.iter().filter_map(|(name, value)| match value {
            OptionValue::Text(text) => Some((name, Text::new(text.clone()).at(places.get(name)))),
            _ => None,
        });
        Self {
            name: instance.name.clone().looked_through(),
            driver: driver.clone(),
            run: driver.run.get::<RouterRun>().cloned(),
            texts: texts.collect(),
            pass_router: named(opt::PASS_ROUTER),
            redirect_router: named(opt::REDIRECT_ROUTER),
            options,
            filter,
            place: Arc::new(begin),
            places,
        }
    }

    /// Where an option of it is set; where it stands itself, where the option is not.
    pub(super) fn place_of(&self, option: &str) -> Arc<TracePlace> {
        self.places.get(option).unwrap_or(&self.place).clone()
    }

    /// A text that is set, be it empty.
    pub(super) fn text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&Text> {
        self.texts.get(option.name())
    }

    /// A text that is set, and not empty.
    pub(super) fn some_text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&Text> {
        self.text(option).filter(|text| !text.written.is_empty())
    }

    /// Whether a switch is on.
    pub(super) fn on<T: SwitchOption>(&self, option: DriverOpt<T>) -> bool {
        self.options.flag(option) == Some(true)
    }

    /// A value as it is set, or its default.
    pub(super) fn get<T: OptionType>(&self, option: DriverOpt<T>) -> T {
        self.options.get_or_default(option)
    }

    /// How long something may take: none is for ever.
    pub(super) fn timeout(&self, option: DriverOpt<Duration>) -> Duration {
        let time = self.get(option);
        if time.is_zero() { Duration::MAX } else { time }
    }

    /// Users or groups by number.
    pub(super) fn ids<T: IdsOption>(&self, option: DriverOpt<T>) -> &[u32] {
        self.options.ids(option)
    }

    /// An option of an embedder's driver, which has no handle.
    pub(super) fn named_option(&self, option: &str) -> Option<&OptionValue> {
        self.options.named(option)
    }

    /// A text of an embedder's driver.
    pub(super) fn named_text(&self, option: &str) -> Option<&Text> {
        self.texts.get(option)
    }

    /// A list of domains for searches in the DNS, with its place.
    pub(super) fn search_list(&self, option: DriverOpt<Str>) -> Option<SearchList> {
        let text = self.text(option)?;
        Some(SearchList { text: text.written.clone(), place: text.place.clone() })
    }

    /// An error that ends in the router's name.
    pub(super) fn named(&self, head: &[u8], middle: &[u8], tail: &[u8]) -> Vec<u8> {
        [head, self.name.bytes(), middle, tail].concat()
    }
}
