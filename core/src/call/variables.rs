//! How a built-in reads and sets variables.

use super::Call;
use crate::{Fail, Str, Var};

impl Call<'_> {
    /// The value of a built-in variable.
    ///
    /// # Errors
    /// What finding it out fails with.
    pub fn value_of(&mut self, var: Var) -> Result<Str, Fail> {
        self.machine.value_of(var)
    }

    /// Sets a built-in variable.
    pub fn set_var(&mut self, var: Var, value: impl Into<Str>) {
        self.machine.set_var(var, value.into());
    }

    /// A variable's value; empty where nobody knows the name.
    pub fn variable(&mut self, name: &str) -> Result<Str, Fail> {
        self.machine.variable(name.as_bytes()).unwrap_or(Ok(Str::EMPTY))
    }

    /// A variable's value; `None` where nobody knows the name.
    pub fn known_variable(&mut self, name: &[u8]) -> Option<Result<Str, Fail>> {
        self.machine.variable(name)
    }

    /// Whether anybody knows a variable of this name.
    pub fn knows_variable(&self, name: &[u8]) -> bool {
        self.machine.knows_variable(name)
    }

    /// Sets a variable; false where nobody knows the name.
    pub fn set_variable(&mut self, name: &str, value: Str) -> bool {
        self.machine.set_variable(name.as_bytes(), value)
    }
}
