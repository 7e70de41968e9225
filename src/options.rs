//! How the reader of the main section reads an option's value.

use eximious_core::{OptionKind, OptionPlace, Registry};

/// How an option's value is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `name`, `no_name`, `name = true`.
    Boolean,
    /// A number, perhaps with K, M or G.
    Integer,
    /// Anything else.
    Other,
}

/// The name of a main option, and how its value is read; `None` where there is
/// none such.
pub(crate) fn main(registry: &Registry, name: &[u8]) -> Option<(&'static str, Kind)> {
    let option = registry.option(OptionPlace::Main, name)?;
    let kind = match option.kind {
        OptionKind::Bool | OptionKind::ExpandedBool => Kind::Boolean,
        OptionKind::Integer | OptionKind::Size | OptionKind::Kilobytes => Kind::Integer,
        _ => Kind::Other,
    };
    Some((option.meta.name, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_options_have_their_types() {
        let registry = eximious_stdlib::registry();
        let kind = |name: &[u8]| main(&registry, name).map(|(_, kind)| kind);
        assert_eq!(kind(b"primary_hostname"), Some(Kind::Other));
        assert_eq!(kind(b"print_topbitchars"), Some(Kind::Boolean));
        assert_eq!(kind(b"message_body_visible"), Some(Kind::Integer));
        assert_eq!(kind(b"drop_cr"), Some(Kind::Boolean));
        assert_eq!(main(&registry, b"transport"), None);
    }
}
