//! Drivers of transports: the record of each, and instances with their options.

use std::collections::BTreeMap;
use std::sync::Arc;

use eximious_core::trace::TracePlace;
use eximious_core::{
    Closure, DriverDef, DriverKind, DriverOpt, DriverOptions, Fail, OptionPlace, OptionType,
    OptionValue, Rec, Registry, Runs, Str, SwitchOption, TextOption, World,
};
use eximious_stdlib::at_work::ConfigWorker;
use eximious_stdlib::dns::find::SearchList;
use eximious_stdlib::options::opt::transport::{self as opt, appendfile, pipe};

use super::embedded::EmbeddedTransport;
use super::{Outcome, TransportCall};
use crate::Context;
use crate::config::{ConfigPlaces, Instance, TransportRules, effective, user_has_group};
use crate::mail::route::Text;

/// What the record of a transport's driver says of it.
#[derive(Debug)]
pub(crate) struct TransportRun {
    /// Whether it speaks with other hosts: it wants their addresses, and callouts can ask
    /// them.
    pub(super) remote: bool,
    /// By which options it keeps a mailbox within bounds, where it writes to one.
    pub(super) quota: Option<QuotaOptions>,
    /// Whether it takes the message's files in the spool as they are, so that options that
    /// change messages, and say as whom, are nothing to it.
    pub(super) takes_files: bool,
    /// Whether events hear why it could not deliver: somebody says so to it, or it is wrong itself.
    pub(super) is_answered: bool,
    /// By which option it writes what SMTP says, where it can do without.
    pub(super) batched: Option<DriverOpt<bool>>,
    /// What delivers.
    pub(super) run: Deliver,
}

impl TransportRun {
    /// One that is not remote, has no mailbox, and makes its own bytes of a message.
    const fn new(is_answered: bool, run: fn(&mut TransportCall<'_>) -> Vec<Outcome>) -> Self {
        let run = Deliver::Own(run);
        Self { remote: false, quota: None, takes_files: false, is_answered, batched: None, run }
    }
}

/// What delivers: an outcome for each of the call's addresses, in their order.
#[derive(Clone, Debug)]
pub(crate) enum Deliver {
    /// One of ours.
    Own(fn(&mut TransportCall<'_>) -> Vec<Outcome>),
    /// An embedder's.
    Embedded(Closure<EmbeddedTransport>),
}

/// The options of a driver that say how much a mailbox may hold.
#[derive(Debug)]
pub(crate) struct QuotaOptions {
    /// Where the mailbox is; the first one that is set counts.
    pub(crate) directories: [DriverOpt<Str>; 2],
    /// Where it is, if it is a single file.
    pub(crate) file: DriverOpt<Str>,
    /// How many bytes are there already, if the configuration knows.
    pub(crate) known: DriverOpt<Str>,
    /// How many bytes.
    pub(crate) bytes: DriverOpt<Str>,
    /// How many files.
    pub(crate) files: DriverOpt<Str>,
    /// Whether the message that comes is counted.
    pub(crate) inclusive: DriverOpt<bool>,
}

static LMTP: TransportRun = TransportRun::new(true, super::lmtp::run);
static REPLY: TransportRun = TransportRun::new(true, super::autoreply::run);

static COMMAND: TransportRun = TransportRun {
    remote: false,
    quota: None,
    takes_files: false,
    is_answered: false,
    batched: Some(pipe::USE_BSMTP),
    run: Deliver::Own(super::pipe::run),
};

static SPOOL: TransportRun = TransportRun {
    remote: false,
    quota: None,
    takes_files: true,
    is_answered: false,
    batched: None,
    run: Deliver::Own(super::queuefile::run),
};

static REMOTE: TransportRun = TransportRun {
    remote: true,
    quota: None,
    takes_files: false,
    is_answered: true,
    batched: None,
    run: Deliver::Own(super::smtp::run),
};

static MAILBOX: TransportRun = TransportRun {
    remote: false,
    quota: Some(QuotaOptions {
        directories: [appendfile::QUOTA_DIRECTORY, appendfile::DIRECTORY],
        file: appendfile::FILE,
        known: appendfile::MAILBOX_SIZE,
        bytes: appendfile::QUOTA,
        files: appendfile::QUOTA_FILECOUNT,
        inclusive: appendfile::QUOTA_IS_INCLUSIVE,
    }),
    takes_files: false,
    is_answered: false,
    batched: Some(appendfile::USE_BSMTP),
    run: Deliver::Own(super::appendfile::run),
};

/// All drivers of transports.
pub(super) static DRIVERS: &[DriverDef] = &[
    DriverDef::new(
        DriverKind::Transport,
        "appendfile",
        "Writes to a mailbox in a file or directory.",
        "26",
        Runs::of(&MAILBOX),
    )
    .rules(&super::appendfile::RULES),
    DriverDef::new(
        DriverKind::Transport,
        "autoreply",
        "Answers with a message of its own.",
        "27",
        Runs::of(&REPLY),
    )
    .rules(&USER_HAS_GROUP),
    DriverDef::new(
        DriverKind::Transport,
        "lmtp",
        "Speaks LMTP with a command or a socket.",
        "28",
        Runs::of(&LMTP),
    )
    .rules(&super::lmtp::RULES),
    DriverDef::new(DriverKind::Transport, "pipe", "Writes to a command.", "29", Runs::of(&COMMAND))
        .rules(&super::pipe::RULES),
    DriverDef::new(
        DriverKind::Transport,
        "queuefile",
        "Puts the message's files of the spool into another directory.",
        "experimental features",
        Runs::of(&SPOOL),
    ),
    DriverDef::new(
        DriverKind::Transport,
        "smtp",
        "Speaks SMTP or LMTP with other hosts.",
        "30",
        Runs::of(&REMOTE),
    )
    .rules(&super::smtp::RULES),
];

static USER_HAS_GROUP: TransportRules =
    TransportRules { check: user_has_group, ..TransportRules::DEFAULT };

/// A transport: its options as they count.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) name: Str,
    pub(super) driver: Option<Rec<DriverDef>>,
    options: DriverOptions,
    /// Where it stands, and where each of its options does.
    place: Arc<TracePlace>,
    places: BTreeMap<&'static str, Arc<TracePlace>>,
}

impl Transport {
    pub(crate) fn new(
        instance: &Instance,
        registry: &Registry,
        world: &World,
        places: &ConfigPlaces<'_>,
    ) -> Self {
        let mut options = DriverOptions::default();
        let own = OptionPlace::Driver(DriverKind::Transport, instance.driver_name());
        let records = registry.options_of(OptionPlace::Generic(DriverKind::Transport));
        let driver = &instance.driver;
        let facts = driver.as_ref().and_then(|driver| driver.run.get::<TransportRun>());
        let bare = facts.filter(|run| run.takes_files).map(|_| instance.unset());
        let generic = records.map(|record| (record, bare.as_ref().unwrap_or(instance)));
        for (record, of) in generic.chain(registry.options_of(own).map(|own| (own, instance))) {
            if let Some(value) = effective(record, of, world) {
                options.set(record, value);
            }
        }
        Self {
            name: instance.name.clone(),
            driver: instance.driver.clone(),
            options,
            place: Arc::new(places.of(instance.line, 0)),
            places: places.of_options(&instance.settings),
        }
    }

    /// The transport as what is at work.
    pub(super) fn worker(&self) -> ConfigWorker {
        let (place, line) = (self.place.clone(), self.place.line);
        ConfigWorker { role: "transport", name: self.name.clone(), place, line }
    }

    /// Does something on behalf of an option: what happens stands where that is set, or,
    /// where it is not, where the transport does.
    pub(crate) fn on_behalf_of<T>(
        &self,
        cx: &mut Context,
        option: &str,
        work: impl FnOnce(&mut Context) -> T,
    ) -> T {
        cx.standing_at(Some(self.places.get(option).unwrap_or(&self.place)), work)
    }

    /// What a text that is set, be it empty, says now.
    pub(crate) fn expand<T: TextOption>(
        &self,
        cx: &mut Context,
        option: DriverOpt<T>,
    ) -> Option<Result<Str, Fail>> {
        let text = Text::new(self.options.text(option)?.clone());
        Some(self.on_behalf_of(cx, option.name(), |cx| text.expand(cx)))
    }

    /// What a text that is set, and not empty, says now.
    pub(crate) fn expand_some<T: TextOption>(
        &self,
        cx: &mut Context,
        option: DriverOpt<T>,
    ) -> Option<Result<Str, Fail>> {
        self.options.some_text(option)?;
        self.expand(cx, option)
    }

    /// A list of domains for searches in the DNS, with its place.
    pub(crate) fn search_list(&self, option: DriverOpt<Str>) -> Option<SearchList> {
        let place = self.places.get(option.name()).cloned();
        Some(SearchList { text: self.text(option)?.clone(), place })
    }

    /// What its driver's record says of it.
    fn run(&self) -> Option<&TransportRun> {
        self.driver.as_ref()?.run.get()
    }

    /// Whether it speaks with other hosts.
    pub(crate) fn is_remote(&self) -> bool {
        self.run().is_some_and(|run| run.remote)
    }

    /// Whether events hear why it could not deliver.
    pub(super) fn is_answered(&self) -> bool {
        self.run().is_some_and(|run| run.is_answered)
    }

    /// Whether what it writes tells of addresses as SMTP has it.
    pub(super) fn writes_smtp(&self) -> bool {
        self.run().and_then(|run| run.batched).is_some_and(|option| self.on(option))
    }

    /// Whether it takes the message's files in the spool as they are.
    pub(super) fn takes_files(&self) -> bool {
        self.run().is_some_and(|run| run.takes_files)
    }

    /// What delivers by it; `None` where its driver does not, yet.
    pub(super) fn delivers(&self) -> Option<(&DriverDef, &Deliver)> {
        let driver = self.driver.as_deref()?;
        Some((driver, &driver.run.get::<TransportRun>()?.run))
    }

    /// What a text of an embedder's driver says now; none where it is not set, or empty.
    pub(super) fn expand_named(&self, cx: &mut Context, option: &str) -> Option<Result<Str, Fail>> {
        let Some(OptionValue::Text(text)) = self.named(option) else { return None };
        let text = Text::new(Some(text).filter(|text| !text.is_empty())?.clone());
        Some(self.on_behalf_of(cx, option, |cx| text.expand(cx)))
    }

    /// A value of an embedder's driver.
    pub(super) fn named(&self, option: &str) -> Option<&OptionValue> {
        self.options.named(option)
    }

    /// Whether it writes to mailboxes.
    pub(super) fn is_mailbox(&self) -> bool {
        self.quota().is_some()
    }

    /// Whether it writes to mailboxes, and nothing else is done about it: no command sees
    /// what is written, and no other transport is asked.
    pub(crate) fn only_writes(&self) -> bool {
        self.is_mailbox() && self.acts_alone()
    }

    /// The same of one that speaks with other hosts.
    pub(crate) fn only_sends(&self) -> bool {
        self.is_remote() && self.acts_alone()
    }

    fn acts_alone(&self) -> bool {
        self.some_text(opt::TRANSPORT_FILTER).is_none()
            && self.some_text(opt::SHADOW_TRANSPORT).is_none()
    }

    /// By which options it keeps a mailbox within bounds.
    pub(crate) fn quota(&self) -> Option<&QuotaOptions> {
        self.run()?.quota.as_ref()
    }

    /// A text that is set, be it empty.
    pub(crate) fn text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&Str> {
        self.options.text(option)
    }

    /// A text that is set, and not empty.
    pub(crate) fn some_text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&Str> {
        self.options.some_text(option)
    }

    /// A value, if the driver has it and it is set or has a default.
    pub(crate) fn set<T: OptionType>(&self, option: DriverOpt<T>) -> Option<T> {
        self.options.get(option)
    }

    /// A value as it is set, or its default.
    pub(crate) fn get<T: OptionType>(&self, option: DriverOpt<T>) -> T {
        self.options.get_or_default(option)
    }

    /// Whether a switch is on.
    pub(crate) fn on<T: SwitchOption>(&self, option: DriverOpt<T>) -> bool {
        self.options.flag(option) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use eximious_core::trace::{ExpansionEvent, Happening, TraceEvent};
    use eximious_core::world::Fixture;
    use eximious_stdlib::options::opt::transport::smtp;

    use crate::mail::route::Routes;
    use crate::{Config, Engine, Macros};

    #[test]
    fn texts_stand_where_they_are_set() {
        let text = "NAME = ${lc:A}\nbegin transports\nt:\n  driver = smtp\n  \
            helo_data = NAME\n  hosts = ${lc:B}\n";
        let world = Fixture::new().file("/c", text).world();
        let builder = Engine::builder().world(world.clone());
        let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).unwrap();
        let engine = config.build(builder);
        let routes = Routes::new(&config, engine.registry(), &world);
        let mut cx = engine.context();
        let told = std::sync::Arc::new(Mutex::new(Vec::new()));
        let keeps = told.clone();
        cx.observe(std::sync::Arc::new(move |event: &TraceEvent<'_>| {
            if let Happening::Expansion(ExpansionEvent::Begin { span, .. }) = event.what
                && span.start == 0
            {
                keeps.lock().unwrap().extend(event.place.map(ToString::to_string));
            }
        }));
        let transport = routes.transport_at(0);
        assert_eq!(transport.expand(&mut cx, smtp::HELO_DATA).unwrap().unwrap().bytes(), b"a");
        assert_eq!(transport.expand_some(&mut cx, smtp::HOSTS).unwrap().unwrap().bytes(), b"b");
        assert!(transport.expand_some(&mut cx, smtp::INTERFACE).is_none());
        assert_eq!(*told.lock().unwrap(), ["/c:5:3", "/c:6:3"]);
    }
}
