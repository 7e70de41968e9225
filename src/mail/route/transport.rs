//! A transport, as far as others than deliveries have to know it.

use std::time::Duration;

use eximious_core::{
    DriverDef, DriverKind, DriverOptions, OptionPlace, OptionValue, Registry, Runs, Str, World,
};

use crate::config::{Instance, effective};

const fn driver(name: &'static str, summary: &'static str, source: &'static str) -> DriverDef {
    DriverDef::new(DriverKind::Transport, name, summary, source, Runs::NotYet)
}

/// All drivers of transports. None delivers yet: their options are read, and what others
/// than deliveries have to know of them is known.
pub(super) static DRIVERS: &[DriverDef] = &[
    driver("appendfile", "Writes to a mailbox in a file or directory.", "26"),
    driver("autoreply", "Answers with a message of its own.", "27"),
    driver("lmtp", "Speaks LMTP with a command or a socket.", "28"),
    driver("pipe", "Writes to a command.", "29"),
    driver("queuefile", "Copies the spool files to a directory.", "seed")
        .needs("an experimental build"),
    driver("smtp", "Speaks SMTP or LMTP with other hosts.", "30"),
];

/// A transport: its options as they count.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) name: Str,
    pub(crate) driver: &'static str,
    options: DriverOptions,
}

impl Transport {
    pub(super) fn new(instance: &Instance, registry: &Registry, world: &World) -> Self {
        let driver = instance.driver_name();
        let mut options = DriverOptions::default();
        let own = OptionPlace::Driver(DriverKind::Transport, driver);
        let records = registry.options_of(OptionPlace::Generic(DriverKind::Transport));
        for record in records.chain(registry.options_of(own)) {
            if let Some(value) = effective(record, instance, world) {
                options.set(record, value);
            }
        }
        Self { name: instance.name.clone(), driver, options }
    }

    /// Whether it speaks with other hosts.
    pub(super) fn is_remote(&self) -> bool {
        self.driver == "smtp"
    }

    /// A text that is set, be it empty.
    pub(crate) fn text(&self, option: &str) -> Option<&Str> {
        match self.options.get(option) {
            Some(OptionValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// An interval, if it is set.
    pub(crate) fn time(&self, option: &str) -> Option<Duration> {
        self.options.time(option)
    }

    /// Whether a switch is on.
    pub(crate) fn on(&self, option: &str) -> bool {
        self.options.flag(option) == Some(true)
    }
}
