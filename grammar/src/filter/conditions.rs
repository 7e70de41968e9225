//! Conditions of a filter file.

use super::chain::Chain;
use super::commands::Parser;
use super::reader::Ends;
use super::{Comparison, FilterCondition, FilterFault, FilterTest, Verb};

/// What surrounds a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Around {
    /// `if` and `then`.
    Command,
    /// Round brackets.
    Brackets,
}

impl Parser<'_> {
    /// A condition up to its `then`.
    pub(super) fn whole_condition(&mut self) -> Result<FilterCondition, FilterFault> {
        self.condition(Around::Command)
    }

    /// A condition with all that is joined to it. A closing bracket is left where
    /// it is, and `then` too where it belongs to nobody here.
    fn condition(&mut self, around: Around) -> Result<FilterCondition, FilterFault> {
        let mut chain = Chain::new(self.room());
        loop {
            let levels = chain.levels();
            self.sink(levels);
            let one = self.one()?;
            self.rise(levels);
            let before = self.reader;
            match self.reader.peek() {
                Some(b')') if around == Around::Brackets => return Ok(chain.close(one)),
                Some(bracket @ (b'(' | b')')) => return Err(self.unexpected(bracket)),
                _ => {}
            }
            // Brackets end no word here.
            let word = self.reader.word(Ends::Space)?;
            let fits = match word {
                b"and" => chain.and(one),
                b"or" => chain.or(one),
                b"then" => {
                    if around == Around::Brackets {
                        self.reader.back(before);
                    }
                    return Ok(chain.close(one));
                }
                _ => {
                    let end = if around == Around::Command { "\"then\"" } else { "\")\"" };
                    let head = format!("\"and\" or \"or\" or {end} expected near line ");
                    let tail = [b" of filter file, but found \"", word, b"\""].concat();
                    let mut fault = self.reader.fault(head, "");
                    fault.message.extend_from_slice(&tail);
                    return Err(fault);
                }
            };
            if !fits {
                return Err(self.near("conditions stand in each other too deep"));
            }
        }
    }

    fn unexpected(&self, bracket: u8) -> FilterFault {
        let head = format!("unexpected \"{}\" in line ", char::from(bracket));
        self.reader.fault(head, " of filter file")
    }

    /// One condition, with `not` before it.
    fn one(&mut self) -> Result<FilterCondition, FilterFault> {
        let mut negated = false;
        loop {
            match self.reader.peek() {
                None => {
                    return Err(self.reader.plain_fault("\"then\" missing at end of filter file"));
                }
                Some(b'(') => {
                    let mut inner = self.bracketed()?;
                    inner.negated ^= negated;
                    return Ok(inner);
                }
                Some(b')') => return Err(self.unexpected(b')')),
                _ => {}
            }
            let first = self.reader.value(Ends::Brackets)?;
            let test = match first.text.as_slice() {
                b"not" => {
                    negated = !negated;
                    continue;
                }
                b"then" => return Err(self.near("unexpected \"then\"")),
                b"personal" => self.personal()?,
                b"delivered" => FilterTest::Delivered,
                b"error_message" => FilterTest::ErrorMessage,
                b"first_delivery" => FilterTest::FirstDelivery,
                b"manually_thawed" => FilterTest::ManuallyThawed,
                b"foranyaddress" => {
                    let list = self.reader.value(Ends::Brackets)?;
                    if self.reader.peek() != Some(b'(') {
                        return Err(self.near("\"(\" expected after \"foranyaddress\""));
                    }
                    FilterTest::AnyAddress { list, condition: Box::new(self.bracketed()?) }
                }
                _ => {
                    let (verb, opposite) = self.verb()?;
                    negated ^= opposite;
                    let right = self.reader.value(Ends::Brackets)?;
                    FilterTest::Compare { verb, left: first, right }
                }
            };
            return Ok(FilterCondition { negated, test });
        }
    }

    /// A condition in brackets.
    fn bracketed(&mut self) -> Result<FilterCondition, FilterFault> {
        self.enter()?;
        self.reader.pass();
        let inner = self.condition(Around::Brackets)?;
        if self.reader.peek() != Some(b')') {
            return Err(self.near("missing \")\" at end of condition"));
        }
        self.reader.pass();
        self.leave();
        Ok(inner)
    }

    fn personal(&mut self) -> Result<FilterTest, FilterFault> {
        let mut aliases = Vec::new();
        loop {
            let before = self.reader;
            if self.reader.word(Ends::Brackets)? != b"alias" {
                self.reader.back(before);
                return Ok(FilterTest::Personal { aliases });
            }
            aliases.push(self.reader.value(Ends::Brackets)?);
        }
    }

    /// `is not`, `does not contain`, `above`: and whether there is a `not`.
    fn verb(&mut self) -> Result<(Verb, bool), FilterFault> {
        let first = self.reader.word(Ends::Brackets)?;
        let is = first.eq_ignore_ascii_case(b"is");
        if !is && !first.eq_ignore_ascii_case(b"does") {
            return match verb(first) {
                Some(verb) => Ok((verb, false)),
                None => Err(self.unrecognized(first)),
            };
        }
        let mut before = self.reader;
        let mut word = self.reader.word(Ends::Brackets)?;
        let negated = word.eq_ignore_ascii_case(b"not");
        if negated {
            before = self.reader;
            word = self.reader.word(Ends::Brackets)?;
        }
        match verb(word) {
            Some(verb) => Ok((verb, negated)),
            None if is => {
                self.reader.back(before);
                let caseful = first.first() == Some(&b'I');
                Ok((Verb::Text { how: Comparison::Is, caseful }, negated))
            }
            None => Err(self.unrecognized(word)),
        }
    }

    fn unrecognized(&self, word: &[u8]) -> FilterFault {
        self.near([b"unrecognized condition word \"", word, b"\""].concat())
    }
}

/// What a word says of two values.
fn verb(word: &[u8]) -> Option<Verb> {
    let text = |how| Verb::Text { how, caseful: word[0].is_ascii_uppercase() };
    Some(match word {
        b"above" => Verb::Above,
        b"below" => Verb::Below,
        b"begins" | b"begin" | b"BEGINS" | b"BEGIN" => text(Comparison::Begins),
        b"contains" | b"contain" | b"CONTAINS" | b"CONTAIN" => text(Comparison::Contains),
        b"ends" | b"end" | b"ENDS" | b"END" => text(Comparison::Ends),
        b"is" | b"IS" => text(Comparison::Is),
        b"matches" | b"match" | b"MATCHES" | b"MATCH" => text(Comparison::Matches),
        _ => return None,
    })
}
