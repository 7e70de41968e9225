//! What there is to be run in a configuration.

use std::collections::BTreeSet;

use eximious::check::{Survey, Use};
use eximious::config::ConfigPlaces;
use eximious::grammar::expansion::Arg;
use eximious::{AclTermKind, Config, Registry, World};

use super::{BranchKey, Key, key};

/// What there is to be run in a configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Universe {
    pub(super) statements: Vec<(Key, String)>,
    pub(super) terms: Vec<(Key, String)>,
    pub(super) branches: Vec<(BranchKey, String)>,
    pub(super) routers: Vec<(Key, String)>,
    /// Files and what is in them.
    pub(super) files: Vec<(String, String)>,
}

impl Universe {
    /// Of a configuration.
    pub fn of(config: &Config, registry: &Registry, world: &World) -> Self {
        let places = ConfigPlaces::new(config);
        let mut all = Self::default();
        for acl in &config.acls {
            for statement in &acl.statements {
                let place = key(&places.of(statement.line, 0));
                all.statements.push((place, statement.verb.name().to_owned()));
                for term in &statement.terms {
                    if term.term.kind != AclTermKind::Condition {
                        continue;
                    }
                    let place = places.of(term.line, term.span.start as usize);
                    let negated = if term.negated { "!" } else { "" };
                    let name = term.term.meta.name;
                    let text = crate::trace::on_one_line(&term.text);
                    all.terms.push((key(&place), format!("{negated}{name} = {text}")));
                }
            }
        }
        for router in &config.routers {
            let place = places.of(router.line, 0);
            all.routers.push((key(&place), router.name.display().into_owned()));
        }
        all.branches(config, registry, world, &places);
        for file in config.sources.files() {
            let name = String::from_utf8_lossy(&file.name).into_owned();
            let text = String::from_utf8_lossy(&file.text).into_owned();
            if !all.files.iter().any(|(own, _)| *own == name) {
                all.files.push((name, text));
            }
        }
        all
    }

    /// Conditions of `${if}`, in whatever text they stand.
    fn branches(
        &mut self,
        config: &Config,
        registry: &Registry,
        world: &World,
        places: &ConfigPlaces<'_>,
    ) {
        let survey = Survey::of(config, registry, world);
        let mut seen = BTreeSet::new();
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            let place = match text.of {
                Use::Acl(_, term) => places.of(term.line, term.span.start as usize),
                Use::Main(setting) | Use::Driver(_, setting) => {
                    places.of(setting.line, setting.name.start as usize)
                }
                _ => continue,
            };
            let view = tree.view();
            for node in tree.calls() {
                if registry.item_at(node.def).meta.name != "if" {
                    continue;
                }
                for arg in view.call_args(node) {
                    let Arg::Condition(id) = arg else { continue };
                    let span = view.cond(*id).span;
                    let file = place.file.bytes().to_vec();
                    let key = (file, place.line, span.start, text.text.clone());
                    let shown = String::from_utf8_lossy(span.of(&text.text)).trim().to_owned();
                    if seen.insert(key.clone()) {
                        self.branches.push((key, shown));
                    }
                }
            }
        }
    }
}
