//! What `eval` and `eval10` compute (specification 11.6): integers of 64 bits.

use crate::number::suffix;

/// The value of an expression.
///
/// # Errors
/// What is wrong, and how many bytes were read until then.
pub fn evaluate(text: &[u8], decimal_only: bool) -> Result<i64, (&'static str, usize)> {
    let mut reader = Reader { text, at: 0, decimal_only, depth: 0 };
    let result = reader.binary(0).and_then(|value| {
        if reader.at < text.len() { Err("expecting operator") } else { Ok(value) }
    });
    result.map_err(|what| (what, reader.at))
}

/// How deep parentheses may stand in each other.
const DEEPEST: u32 = 500;

const OPERAND: &str = "expecting number or opening parenthesis";

type Result<T, E = &'static str> = std::result::Result<T, E>;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    decimal_only: bool,
    depth: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Binary {
    Or,
    Xor,
    And,
    ShiftLeft,
    ShiftRight,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

impl Binary {
    /// How tightly it binds.
    fn priority(self) -> u8 {
        match self {
            Self::Or => 0,
            Self::Xor => 1,
            Self::And => 2,
            Self::ShiftLeft | Self::ShiftRight => 3,
            Self::Plus | Self::Minus => 4,
            Self::Times | Self::Divide | Self::Modulo => 5,
        }
    }

    /// What the program computes. Sums and differences are refused by the size
    /// of their sides alone; everything else wraps round, and shifts count
    /// modulo 64.
    fn apply(self, x: i64, y: i64) -> Result<i64> {
        Ok(match self {
            Self::Or => x | y,
            Self::Xor => x ^ y,
            Self::And => x & y,
            Self::ShiftLeft => x.wrapping_shl(y as u32),
            Self::ShiftRight => x.wrapping_shr(y as u32),
            Self::Plus if too_large(x, y) => return Err("overflow in sum"),
            Self::Plus => x.wrapping_add(y),
            Self::Minus if too_large(x, y) => return Err("overflow in difference"),
            Self::Minus => x.wrapping_sub(y),
            Self::Times => x.wrapping_mul(y),
            Self::Divide if y == 0 => return Err("divide by zero"),
            Self::Modulo if y == 0 => return Err("modulo by zero"),
            // The one quotient that does not fit; the program gives it for the
            // remainder too.
            Self::Divide | Self::Modulo if x == i64::MIN && y == -1 => i64::MAX,
            Self::Divide => x / y,
            Self::Modulo => x % y,
        })
    }
}

/// Whether a sum or difference is refused, even one that would fit: the left
/// side is at least half of the largest number, or both are as far below zero.
fn too_large(x: i64, y: i64) -> bool {
    const HALF: i64 = i64::MAX / 2;
    x >= HALF || (x <= -HALF && y <= -HALF)
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | 9..=13)) {
            self.at += 1;
        }
    }

    /// Operands and the operators between them that bind at least so tightly.
    fn binary(&mut self, least: u8) -> Result<i64> {
        let mut value = self.operand()?;
        while let Some((operator, length)) = self.operator()
            && operator.priority() >= least
        {
            self.at += length;
            let right = self.binary(operator.priority() + 1)?;
            value = operator.apply(value, right)?;
        }
        Ok(value)
    }

    fn operator(&self) -> Option<(Binary, usize)> {
        Some(match self.text.get(self.at..)? {
            [b'|', ..] => (Binary::Or, 1),
            [b'^', ..] => (Binary::Xor, 1),
            [b'&', ..] => (Binary::And, 1),
            [b'<', b'<', ..] => (Binary::ShiftLeft, 2),
            [b'>', b'>', ..] => (Binary::ShiftRight, 2),
            [b'+', ..] => (Binary::Plus, 1),
            [b'-', ..] => (Binary::Minus, 1),
            [b'*', ..] => (Binary::Times, 1),
            [b'/', ..] => (Binary::Divide, 1),
            [b'%', ..] => (Binary::Modulo, 1),
            _ => return None,
        })
    }

    /// A number or an expression in parentheses, with any signs before it and
    /// white space around it.
    fn operand(&mut self) -> Result<i64> {
        // All signs together are x → factor * x + offset: no stack is needed,
        // however many there are.
        let (mut factor, mut offset) = (1i64, 0i64);
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'+') => {}
                Some(b'-') => factor = -factor,
                Some(b'~') => {
                    factor = -factor;
                    offset = offset.wrapping_add(factor);
                }
                _ => break,
            }
            self.at += 1;
        }
        let value = match self.peek() {
            Some(b'(') => self.parenthesis()?,
            Some(c) if c.is_ascii_digit() => self.number(),
            _ => return Err(OPERAND),
        };
        self.skip_space();
        Ok(factor.wrapping_mul(value).wrapping_add(offset))
    }

    fn parenthesis(&mut self) -> Result<i64> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("too many parentheses in each other");
        }
        let value = self.binary(0)?;
        if self.peek() != Some(b')') {
            return Err("expecting closing parenthesis");
        }
        self.at += 1;
        self.depth -= 1;
        Ok(value)
    }

    /// A number, and what it is multiplied by. One that is too large is the
    /// largest there is.
    fn number(&mut self) -> i64 {
        let base = match self.text.get(self.at..) {
            _ if self.decimal_only => 10,
            // The prefix may stand alone, and is zero.
            Some([b'0', b'x' | b'X', ..]) => {
                self.at += 2;
                16
            }
            Some([b'0', ..]) => 8,
            _ => 10,
        };
        let mut value = 0i64;
        while let Some(digit) = self.peek().and_then(|c| char::from(c).to_digit(base)) {
            value = value.saturating_mul(i64::from(base)).saturating_add(i64::from(digit));
            self.at += 1;
        }
        match self.peek().and_then(suffix) {
            Some(multiplier) => {
                self.at += 1;
                value.wrapping_mul(multiplier)
            }
            None => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_signs_nor_parentheses_can_use_the_stack_up() {
        let signs = [b"-~".repeat(1_000_000), b"1".to_vec()].concat();
        assert_eq!(evaluate(&signs, false), Ok(1_000_001));
        let open = b"(".repeat(1_000_000);
        let limit = DEEPEST as usize + 1;
        assert_eq!(evaluate(&open, false), Err(("too many parentheses in each other", limit)));
        let balanced = [b"(".repeat(400), b"7".to_vec(), b")".repeat(400)].concat();
        assert_eq!(evaluate(&balanced, false), Ok(7));
    }
}
