//! Built-in variables, as code of ours names them.

use crate::{Variable, VariableSource};

/// A built-in variable: the number that a registry gives it which begins with the
/// tables it was found in. Made in constants, so that a name that no table has does not
/// compile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Var {
    id: u16,
    name: &'static str,
}

impl Var {
    /// The variable of a name in tables whose records all have other names.
    ///
    /// # Panics
    /// No record has the name, or it is a family's.
    pub const fn named(tables: &[&'static [Variable]], name: &'static str) -> Self {
        let (mut id, mut table) = (0, 0);
        while table < tables.len() {
            let mut row = 0;
            while row < tables[table].len() {
                let record = &tables[table][row];
                if is_same(record.meta.name, name) {
                    assert!(!matches!(record.source, VariableSource::Family(_)));
                    return Self { id, name: record.meta.name };
                }
                (id, row) = (id + 1, row + 1);
            }
            table += 1;
        }
        panic!("no variable has this name");
    }

    /// Its number in the registry.
    pub const fn id(self) -> u16 {
        self.id
    }

    /// Its name, without a dollar.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// Whether two names are the same, for constants.
pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
