//! The names that a configuration gives.

use eximious::Config;
use eximious::complete::KnownNames;
use eximious::symbols::SymbolKind;

/// Those of a configuration.
pub(crate) struct ConfigNames<'c>(pub(crate) &'c Config);

impl KnownNames for ConfigNames<'_> {
    fn names(&self, kind: SymbolKind) -> Vec<String> {
        let show = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let config = self.0;
        match kind {
            SymbolKind::Macro => config.macros.iter().map(|(name, _)| show(name)).collect(),
            SymbolKind::Acl => config.acls.iter().map(|acl| show(acl.name.bytes())).collect(),
            SymbolKind::List(kind) => {
                let lists = config.list_uses.iter().filter(|list| list.kind == kind);
                lists.map(|list| show(&list.name)).collect()
            }
            SymbolKind::Instance(kind) => {
                config.instances(kind).iter().map(|one| show(one.name.bytes())).collect()
            }
            SymbolKind::Variable => {
                let statements = config.acls.iter().flat_map(|acl| &acl.statements);
                let terms = statements.flat_map(|statement| &statement.terms);
                terms.filter_map(|term| term.variable.as_ref()).map(|n| show(n.bytes())).collect()
            }
        }
    }
}
