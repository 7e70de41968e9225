//! All words that an engine knows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use eximious_grammar::expansion::{
    ConditionShape, ItemShape, LookupStyle, VariableName, Vocabulary,
};
use rustc_hash::FxHashMap;

use crate::names::Names;
use crate::{
    AclControl, AclTerm, AclVerify, Condition, DriverDef, DriverKind, Item, LookupDef, Meta,
    Operator, OptionDef, OptionPlace, Rec, Variable, VariableSource,
};

/// All words that an engine knows. A later record replaces an earlier one of
/// the same kind and name.
#[derive(Clone, Default, Debug)]
pub struct Registry {
    items: Table<Item>,
    operators: Table<Operator>,
    conditions: Table<Condition>,
    variables: Table<Variable>,
    lookups: Table<LookupDef>,
    options: Vec<&'static [OptionDef]>,
    /// The options by place and name. There are many, and an engine that reads
    /// no configuration looks for none: they are put in order at the first look.
    option_tables: OnceLock<Vec<(OptionPlace, OptionTable)>>,
    drivers: BTreeMap<DriverKind, BTreeMap<&'static [u8], Rec<DriverDef>>>,
    acl_terms: Table<AclTerm>,
    acl_controls: Table<AclControl>,
    acl_verifies: Table<AclVerify>,
    families: Vec<u16>,
    strict: bool,
}

#[derive(Debug)]
struct Table<T: 'static> {
    records: Vec<Rec<T>>,
    names: Names,
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self { records: self.records.clone(), names: self.names.clone() }
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { records: Vec::new(), names: Names::default() }
    }
}

/// A record that stands in a table under its names.
trait Described {
    fn meta(&self) -> Meta;
}

macro_rules! described {
    ($($record:ty),*) => {$(
        impl Described for $record {
            fn meta(&self) -> Meta {
                self.meta
            }
        }
    )*};
}

described!(Item, Operator, Condition, Variable, LookupDef, AclTerm, AclControl, AclVerify);

impl<T: Described> Table<T> {
    fn add_all<R: Into<Rec<T>>>(&mut self, records: impl IntoIterator<Item = R>) {
        for record in records {
            self.add(record.into());
        }
    }

    fn add(&mut self, record: Rec<T>) -> u16 {
        let meta = record.meta();
        let id = match self.names.find(meta.name.as_bytes()) {
            Some(id) => {
                self.records[usize::from(id)] = record;
                id
            }
            None => {
                self.records.push(record);
                (self.records.len() - 1) as u16
            }
        };
        self.names.insert(meta.name.as_bytes(), id);
        for alias in meta.aliases {
            self.names.insert(alias.as_bytes(), id);
        }
        id
    }
}

impl<T> Table<T> {
    fn find(&self, name: &[u8]) -> Option<u16> {
        self.names.find(name)
    }

    fn named(&self, name: &[u8]) -> Option<&Rec<T>> {
        self.find(name).map(|id| &self.records[usize::from(id)])
    }

    fn all(&self) -> impl Iterator<Item = &T> {
        self.records.iter().map(|record| &**record)
    }
}

/// The options of one place.
#[derive(Clone, Default, Debug)]
struct OptionTable {
    /// By name, each with its number: a record stands under its aliases too.
    named: FxHashMap<&'static [u8], (u16, &'static OptionDef)>,
    /// By number.
    all: Vec<&'static OptionDef>,
    /// In the order of their own names, as soon as somebody wants them so.
    sorted: OnceLock<Vec<&'static OptionDef>>,
}

impl OptionTable {
    fn get(&self, name: &[u8]) -> Option<(u16, &'static OptionDef)> {
        self.named.get(name).copied()
    }

    fn add(&mut self, option: &'static OptionDef) {
        let own = option.meta.name;
        // Under an alias stands another one.
        let earlier = self.get(own.as_bytes()).filter(|(_, earlier)| earlier.meta.name == own);
        let number = match earlier {
            Some((number, _)) => {
                self.all[usize::from(number)] = option;
                number
            }
            None => {
                self.all.push(option);
                self.all.len() as u16 - 1
            }
        };
        let names = std::iter::once(&option.meta.name).chain(option.meta.aliases);
        self.named.extend(names.map(|name| (name.as_bytes(), (number, option))));
    }

    fn sorted(&self) -> &[&'static OptionDef] {
        self.sorted.get_or_init(|| {
            // Most of them stand so already.
            let mut all = self.all.clone();
            all.sort_by_key(|option| option.meta.name);
            all
        })
    }
}

impl Registry {
    /// No words at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds items.
    pub fn items<R: Into<Rec<Item>>>(&mut self, items: impl IntoIterator<Item = R>) -> &mut Self {
        self.items.add_all(items);
        self
    }
    /// Adds operators.
    pub fn operators<R: Into<Rec<Operator>>>(
        &mut self,
        operators: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        self.operators.add_all(operators);
        self
    }
    /// Adds conditions.
    pub fn conditions<R: Into<Rec<Condition>>>(
        &mut self,
        conditions: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        self.conditions.add_all(conditions);
        self
    }
    /// Adds variables.
    pub fn variables<R: Into<Rec<Variable>>>(
        &mut self,
        variables: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        for variable in variables {
            let variable = variable.into();
            let opens = matches!(variable.source, VariableSource::Family(_));
            let id = self.variables.add(variable);
            if opens {
                self.families.push(id);
            }
        }
        self
    }
    /// Sees to it that the variables of some tables come first, as [`crate::Var`] counts
    /// them; those that are there already with the same names stay.
    pub fn begin_with_variables(&mut self, tables: &[&'static [Variable]]) {
        let first = tables.iter().copied().flatten();
        let own = &self.variables.records;
        if own.len() >= first.clone().count()
            && first.zip(own).all(|(one, own)| one.meta.name == own.meta.name)
        {
            return;
        }
        let own = std::mem::take(&mut self.variables);
        self.families.clear();
        tables.iter().for_each(|table| _ = self.variables(*table));
        own.records.into_iter().for_each(|record| _ = self.variables([record]));
    }
    /// Adds lookup types.
    pub fn lookups<R: Into<Rec<LookupDef>>>(
        &mut self,
        lookups: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        self.lookups.add_all(lookups);
        self
    }

    /// Adds options.
    pub fn options(&mut self, options: &'static [OptionDef]) -> &mut Self {
        self.options.push(options);
        self.option_tables = OnceLock::new();
        self
    }
    /// Adds drivers, and the options that each has to itself.
    pub fn drivers<R: Into<Rec<DriverDef>>>(
        &mut self,
        drivers: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        for driver in drivers {
            let driver = driver.into();
            if !driver.options.is_empty() {
                self.options(driver.options);
            }
            let drivers = self.drivers.entry(driver.kind).or_default();
            drivers.insert(driver.meta.name.as_bytes(), driver);
        }
        self
    }
    /// Adds conditions and modifiers of ACLs.
    pub fn acl_terms<R: Into<Rec<AclTerm>>>(
        &mut self,
        all: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        self.acl_terms.add_all(all);
        self
    }
    /// Adds what `control` may name.
    pub fn acl_controls<R: Into<Rec<AclControl>>>(
        &mut self,
        all: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        self.acl_controls.add_all(all);
        self
    }
    /// Adds what `verify` may name.
    pub fn acl_verifies<R: Into<Rec<AclVerify>>>(
        &mut self,
        all: impl IntoIterator<Item = R>,
    ) -> &mut Self {
        self.acl_verifies.add_all(all);
        self
    }

    /// The item with an id that the vocabulary gave.
    pub fn item_at(&self, id: u16) -> &Rec<Item> {
        &self.items.records[usize::from(id)]
    }
    /// The operator with an id that the vocabulary gave.
    pub fn operator_at(&self, id: u16) -> &Rec<Operator> {
        &self.operators.records[usize::from(id)]
    }
    /// The condition with an id that the vocabulary gave.
    pub fn condition_at(&self, id: u16) -> &Rec<Condition> {
        &self.conditions.records[usize::from(id)]
    }
    /// The variable with an id that the vocabulary gave.
    pub fn variable_at(&self, id: u16) -> &Rec<Variable> {
        &self.variables.records[usize::from(id)]
    }
    /// The lookup type with an id that the vocabulary gave.
    pub fn lookup_at(&self, id: u16) -> &Rec<LookupDef> {
        &self.lookups.records[usize::from(id)]
    }

    /// Says whether a name of an open family is unknown as long as nothing
    /// sets it (the option `strict_acl_vars`).
    pub fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }
    /// Whether a name belongs to an open family (`acl_m_count`).
    pub fn in_family(&self, name: &[u8]) -> bool {
        matches!(self.family(name), Some((_, Ok(()))))
    }
    fn family(&self, name: &[u8]) -> Option<(u16, Result<(), &'static str>)> {
        self.families.iter().find_map(|id| match &self.variable_at(*id).source {
            VariableSource::Family(member) => member(name).map(|answer| (*id, answer)),
            _ => None,
        })
    }

    /// The id of a variable, by name.
    pub fn variable_id(&self, name: &[u8]) -> Option<u16> {
        self.variables.find(name)
    }
    /// The id of a lookup type, by name.
    pub fn lookup_id(&self, name: &[u8]) -> Option<u16> {
        self.lookups.find(name)
    }
    /// The id of the lookup type that `quote_NAME` and `quote_NAME_OPTION` quote for.
    pub fn quoted_lookup(&self, parameters: &[u8]) -> Option<u16> {
        let base = || parameters.split(|c| *c == b'_').next().unwrap_or_default();
        self.lookup_id(parameters).or_else(|| self.lookup_id(base()))
    }
    /// Whether what is quoted for a lookup type is quoted for another: those of a family quote
    /// alike, and stand in for each other.
    pub fn quotes_alike(&self, by: u16, wanted: u16) -> bool {
        let quote = |id: u16| self.lookups.records.get(usize::from(id))?.quote;
        by == wanted
            || matches!(
                (quote(by), quote(wanted)),
                (Some(one), Some(other)) if std::ptr::fn_addr_eq(one, other)
            )
    }
    /// The id of a condition, by name.
    pub fn condition_id(&self, name: &[u8]) -> Option<u16> {
        self.conditions.find(name)
    }

    /// An option of a place, by its name or an older one.
    pub fn option(&self, place: OptionPlace, name: &[u8]) -> Option<&'static OptionDef> {
        self.option_table(place)?.get(name).map(|(_, option)| option)
    }
    /// A main option by its name or an older one, with its number among all, which
    /// another record of its name keeps.
    pub fn main_option(&self, name: &[u8]) -> Option<(u16, &'static OptionDef)> {
        self.option_table(OptionPlace::Main)?.get(name)
    }
    /// An option of an instance: one that all drivers of the kind have, or one
    /// of its driver's own, as soon as that is known.
    pub fn driver_option(
        &self,
        kind: DriverKind,
        driver: Option<&'static str>,
        name: &[u8],
    ) -> Option<&'static OptionDef> {
        self.option(OptionPlace::Generic(kind), name)
            .or_else(|| self.option(OptionPlace::Driver(kind, driver?), name))
    }
    /// The options of a place, in the order of their names.
    pub fn options_of(&self, place: OptionPlace) -> impl Iterator<Item = &'static OptionDef> {
        self.option_table(place).into_iter().flat_map(OptionTable::sorted).copied()
    }
    /// The options of all places, place after place, each in the order of
    /// their names.
    pub fn all_options(&self) -> impl Iterator<Item = &'static OptionDef> {
        let mut places: Vec<&(OptionPlace, OptionTable)> = self.option_tables().iter().collect();
        places.sort_unstable_by_key(|(place, _)| *place);
        places.into_iter().flat_map(|(_, table)| table.sorted()).copied()
    }
    fn option_table(&self, place: OptionPlace) -> Option<&OptionTable> {
        self.option_tables().iter().find(|(own, _)| *own == place).map(|(_, table)| table)
    }
    fn option_tables(&self) -> &[(OptionPlace, OptionTable)] {
        self.option_tables.get_or_init(|| option_tables(&self.options))
    }
    /// A driver, by kind and name.
    pub fn driver(&self, kind: DriverKind, name: &[u8]) -> Option<&Rec<DriverDef>> {
        self.drivers.get(&kind)?.get(name)
    }
    /// All drivers, sorted by kind and name.
    pub fn all_drivers(&self) -> impl Iterator<Item = &DriverDef> {
        self.drivers.values().flat_map(BTreeMap::values).map(|driver| &**driver)
    }
    /// A condition or modifier of ACLs, by name.
    pub fn acl_term(&self, name: &[u8]) -> Option<&Rec<AclTerm>> {
        self.acl_terms.named(name)
    }
    /// What `control` may name, by name.
    pub fn acl_control(&self, name: &[u8]) -> Option<&Rec<AclControl>> {
        self.acl_controls.named(name)
    }
    /// What `verify` may name, by name.
    pub fn acl_verify(&self, name: &[u8]) -> Option<&Rec<AclVerify>> {
        self.acl_verifies.named(name)
    }
    /// All conditions and modifiers of ACLs.
    pub fn all_acl_terms(&self) -> impl Iterator<Item = &AclTerm> {
        self.acl_terms.all()
    }
    /// All that `control` may name.
    pub fn all_acl_controls(&self) -> impl Iterator<Item = &AclControl> {
        self.acl_controls.all()
    }
    /// All that `verify` may name.
    pub fn all_acl_verifies(&self) -> impl Iterator<Item = &AclVerify> {
        self.acl_verifies.all()
    }

    /// All items.
    pub fn all_items(&self) -> impl Iterator<Item = &Item> {
        self.items.all()
    }
    /// All operators.
    pub fn all_operators(&self) -> impl Iterator<Item = &Operator> {
        self.operators.all()
    }
    /// All conditions.
    pub fn all_conditions(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.all()
    }
    /// All variables.
    pub fn all_variables(&self) -> impl Iterator<Item = &Variable> {
        self.variables.all()
    }
    /// All lookup types.
    pub fn all_lookups(&self) -> impl Iterator<Item = &LookupDef> {
        self.lookups.all()
    }
    /// How many variables there are; ids are below it.
    pub fn variable_count(&self) -> usize {
        self.variables.records.len()
    }
}

/// Options by place and name; the last one of a name counts, under the number of the
/// first.
fn option_tables(families: &[&'static [OptionDef]]) -> Vec<(OptionPlace, OptionTable)> {
    let mut tables: Vec<(OptionPlace, OptionTable)> = Vec::new();
    // Those of a place stand together.
    let mut last = 0;
    for option in families.iter().copied().flatten() {
        if tables.get(last).is_none_or(|(place, _)| *place != option.place) {
            let at = tables.iter().position(|(place, _)| *place == option.place);
            last = at.unwrap_or_else(|| {
                tables.push((option.place, OptionTable::default()));
                tables.len() - 1
            });
        }
        tables[last].1.add(option);
    }
    tables
}

impl Vocabulary for Registry {
    fn item(&self, name: &[u8]) -> Option<(u16, ItemShape)> {
        let id = self.items.find(name)?;
        Some((id, self.item_at(id).shape))
    }

    fn operator(&self, name: &[u8]) -> Option<(u16, usize)> {
        if let Some(id) = self.operators.find(name) {
            return Some((id, name.len()));
        }
        // `quote_NAME` is another operator than `quote`: its record's name ends
        // in the underscore.
        let base = name.iter().position(|c| *c == b'_')?;
        let found = self.operators.find(&name[..=base]);
        Some((found.or_else(|| self.operators.find(&name[..base]))?, base))
    }

    fn operator_has_certificates(&self, id: u16) -> bool {
        self.operator_at(id).meta.certificates
    }

    fn condition(&self, name: &[u8]) -> Option<(u16, ConditionShape)> {
        let id = self.conditions.find(name)?;
        Some((id, self.condition_at(id).shape))
    }

    fn variable(&self, name: &[u8]) -> VariableName {
        if let Some(id) = self.variables.find(name)
            // A family's record stands under its prefix, which is no name.
            && !self.families.contains(&id)
        {
            return VariableName::Known(id);
        }
        match self.family(name) {
            Some((_, Ok(()))) if self.strict && name.starts_with(b"acl_") => {
                VariableName::Unknown(" (strict_acl_vars is set)")
            }
            Some((_, Ok(()))) if self.strict => VariableName::Unknown(""),
            Some((id, Ok(()))) => VariableName::Family(id),
            Some((_, Err(why))) => VariableName::Unknown(why),
            None => VariableName::Unknown(""),
        }
    }

    fn lookup(&self, name: &[u8]) -> Option<(u16, LookupStyle)> {
        let id = self.lookups.find(name)?;
        Some((id, self.lookup_at(id).style))
    }

    fn lookup_has_file(&self, id: u16) -> bool {
        self.lookup_at(id).wants_file
    }
}
