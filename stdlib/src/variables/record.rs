//! How the families write their records: one line each, where a line is
//! enough.

/// A record of a variable whose value the context holds: its name, where the
/// value is before anything sets it, its taint, one line, and further fields.
macro_rules! variable {
    ($name:literal, $source:ident $(($value:literal))?, $taint:ident, $summary:literal
     $(, $field:ident($($text:tt)*))* $(,)?) => {
        eximious_core::Variable {
            meta: $crate::variables::record::meta!($name, NONE, $taint, $summary
                $(, $field($($text)*))*),
            source: eximious_core::VariableSource::$source $(($value))?,
        }
    };
}

/// A record of a variable that is computed each time: its name, its effect,
/// its taint, one line, the function, and further fields.
macro_rules! computed {
    ($name:literal, $effect:ident, $taint:ident, $summary:literal, $run:expr
     $(, $field:ident($($text:tt)*))* $(,)?) => {
        eximious_core::Variable {
            meta: $crate::variables::record::meta!($name, $effect, $taint, $summary
                $(, $field($($text)*))*),
            source: eximious_core::VariableSource::Computed($run),
        }
    };
}

macro_rules! meta {
    ($name:literal, $effect:ident, $taint:ident, $summary:literal
     $(, $field:ident($($text:tt)*))*) => {
        eximious_core::Meta::new(
            $name,
            eximious_core::Effects::$effect,
            eximious_core::TaintRule::$taint,
        )
        .syntax(concat!("$", $name))
        .summary($summary)
        .source("specification 11.9")
        $(.$field($($text)*))*
    };
}

pub(super) use {computed, meta, variable};
