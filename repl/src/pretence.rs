//! What a caller says of where a message comes from (`-oMa` and its like, `-p`), which only
//! a trusted one may say (specification 5.2, 5.3).

use eximious::{Var, var};
use eximious_mta::smtp::Submitter;

use crate::refusal::Refusal;

/// Variables and their values.
pub type GivenValues = Vec<(Var, Vec<u8>)>;

/// What was said, before it is known who says it.
#[derive(Clone, Debug, Default)]
pub struct Pretence {
    values: GivenValues,
    /// What is wrong with it.
    mistake: Option<Vec<u8>>,
}

impl Pretence {
    /// A variable has a value, whatever it had before.
    pub fn set(&mut self, variable: Var, value: Vec<u8>) {
        self.values.push((variable, value));
    }

    /// The value of a variable.
    pub fn get(&self, variable: Var) -> Option<&[u8]> {
        let found = self.values.iter().rev().find(|(own, _)| *own == variable);
        found.map(|(_, value)| &value[..])
    }

    /// Something is wrong, which is said where it counts.
    pub fn note(&mut self, mistake: Vec<u8>) {
        self.mistake.get_or_insert(mistake);
    }

    /// What is wrong with it.
    pub fn into_mistake(self) -> Option<Vec<u8>> {
        self.mistake
    }

    /// All of it, whoever says it.
    ///
    /// # Errors
    /// Something is wrong with it.
    pub fn anybodys(self) -> Result<GivenValues, Refusal> {
        match self.mistake {
            Some(mistake) => Err(Refusal::Said(mistake)),
            None => Ok(self.values),
        }
    }

    /// What counts of it where a user hands messages in: all of it or nothing.
    ///
    /// # Errors
    /// Something is wrong with it, and it counts.
    pub fn of(self, user: &Submitter) -> Result<GivenValues, Refusal> {
        match user.trusted {
            true => self.anybodys(),
            false => Ok(vec![(var::RECEIVED_PORT, b"0".to_vec())]),
        }
    }
}
