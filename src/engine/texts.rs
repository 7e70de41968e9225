//! Texts of main options, parsed once for an engine.

use std::sync::OnceLock;

use eximious_core::{Fail, Opt, OptionPlace, Str};

use super::{Context, Engine, Expansion};

/// What main options' texts were parsed to, by the options' numbers: as far as somebody has
/// wanted one. A copy has nothing: its options may be others.
#[derive(Debug, Default)]
pub(super) struct OptionTexts(OnceLock<Box<[OnceLock<Expansion>]>>);

impl Clone for OptionTexts {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Engine {
    /// Expands the text that a main option has, which is parsed the first time alone.
    ///
    /// # Errors
    /// What the expansion fails with.
    pub fn expand_option(&self, option: Opt<Str>, cx: &mut Context) -> Result<Str, Fail> {
        let known = self.0.texts.0.get_or_init(|| {
            let count = self.0.registry.options_of(OptionPlace::Main).count();
            (0..count).map(|_| OnceLock::new()).collect()
        });
        let text = self.0.settings.get(option);
        match known.get(usize::from(option.id())) {
            Some(parsed) => parsed.get_or_init(|| self.compile(text.bytes())).expand(cx),
            None => self.expand_once(text.bytes(), cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::{Settings, Str};
    use eximious_stdlib::options::opt;

    use crate::Engine;

    #[test]
    fn each_engine_has_its_own_texts() {
        let with = |text: &str| {
            let mut settings = Settings::default();
            settings.set(opt::RECEIVED_HEADER_TEXT, Str::from(text));
            settings
        };
        let one = Engine::builder().settings(with("$primary_hostname is one")).build();
        let other = one.with_settings(with("${lc:OTHER}"));
        let said = |engine: &Engine| {
            let mut cx = engine.context();
            let said = engine.expand_option(opt::RECEIVED_HEADER_TEXT, &mut cx);
            said.map(|said| said.bytes().to_vec())
        };
        for _ in 0..2 {
            assert!(said(&one).is_ok_and(|said| said.ends_with(b" is one")));
            assert!(said(&other).is_ok_and(|said| said == b"other"));
        }
        assert!(said(&one.with_settings(with("${nosuch"))).is_err());
    }
}
