//! ACLs, as they are written (specification 44.8).

use eximious_core::{AclOperand, AclTerm, AclTermKind, AclVerb, Rec, Registry, Str};
use eximious_grammar::Span;
use eximious_grammar::config::{Statement, statement};
use eximious_grammar::is_space;

use crate::config::macros::{trim, trim_start};

/// An access control list.
#[derive(Clone, Debug)]
pub struct Acl {
    /// Its name.
    pub name: Str,
    /// Its statements, in order.
    pub statements: Vec<AclStatement>,
    /// The number of the logical line that names it.
    pub line: usize,
}

/// A verb with its conditions and modifiers.
#[derive(Clone, Debug)]
pub struct AclStatement {
    /// The verb.
    pub verb: AclVerb,
    /// Conditions and modifiers, in order.
    pub terms: Vec<AclLineTerm>,
    /// The number of the logical line with the verb.
    pub line: usize,
}

/// A condition or modifier of a statement.
#[derive(Clone, Debug)]
pub struct AclLineTerm {
    /// What it is.
    pub term: Rec<AclTerm>,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The variable that `set` sets: `acl_m_count`.
    pub variable: Option<Str>,
    /// What stands behind the equals sign, before expansion.
    pub text: Str,
    /// The number of its logical line.
    pub line: usize,
    /// Where the text stands in that line.
    pub span: Span,
}

/// The statements of an ACL that stands alone, in a file or in an option. Their
/// lines are counted from 1, those that are continued included.
pub(crate) fn statements(text: &[u8], registry: &Registry) -> Result<Vec<AclStatement>, Vec<u8>> {
    let mut statements = Vec::new();
    let mut pending: Vec<u8> = Vec::new();
    let mut lines = text.split(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let (mut line, is_last) = (trim_start(line), lines.peek().is_none());
        if line.starts_with(b"#") {
            line = b"";
            if !is_last && !pending.is_empty() {
                continue;
            }
        }
        if line.is_empty() && pending.is_empty() {
            continue;
        }
        if let Some(head) = trim(line).strip_suffix(b"\\").filter(|_| !is_last) {
            pending.extend_from_slice(head);
            continue;
        }
        pending.extend_from_slice(line);
        let whole = std::mem::take(&mut pending);
        let form = statement(&whole);
        // Where the next ACL would begin in a configuration, this one ends.
        let is_name = verb_of(&form, &whole) == form.word.of(&whole);
        if is_name && form.rest.of(&whole).starts_with(b":") {
            break;
        }
        add(&mut statements, form, &whole, index + 1, registry)?;
    }
    Ok(statements)
}

/// The first word of a line, which is a name only if it begins with a letter.
fn verb_of<'t>(form: &Statement, line: &'t [u8]) -> &'t [u8] {
    let word = form.word.of(line);
    if word.first().is_some_and(u8::is_ascii_alphabetic) { word } else { b"" }
}

/// Adds a line that is no label to an ACL's statements.
pub(super) fn add(
    statements: &mut Vec<AclStatement>,
    form: Statement,
    line: &[u8],
    number: usize,
    registry: &Registry,
) -> Result<(), Vec<u8>> {
    let word = verb_of(&form, line);
    if let Some(verb) = AclVerb::of(word) {
        if form.negated {
            return Err([b"malformed ACL line \"", line, b"\""].concat());
        }
        let mut terms = Vec::new();
        let rest = form.rest.of(line);
        if !rest.is_empty() {
            let inner = statement(rest);
            let at = form.rest.start as usize;
            terms.push(term(verb, inner, rest, at, line, number, registry)?);
        }
        statements.push(AclStatement { verb, terms, line: number });
        return Ok(());
    }
    let Some(current) = statements.last_mut() else {
        return Err([b"unknown ACL verb \"", word, b"\" in \"", line, b"\""].concat());
    };
    let found = term(current.verb, form, line, 0, line, number, registry)?;
    current.terms.push(found);
    Ok(())
}

/// A condition or modifier, which stands at an offset of its line.
fn term(
    verb: AclVerb,
    form: Statement,
    text: &[u8],
    at: usize,
    line: &[u8],
    number: usize,
    registry: &Registry,
) -> Result<AclLineTerm, Vec<u8>> {
    let name = form.word.of(text);
    let Some(term) = registry.acl_term(name) else {
        return Err([b"unknown ACL condition/modifier in \"", line, b"\""].concat());
    };
    let name = term.meta.name.as_bytes();
    if form.negated && term.kind == AclTermKind::Modifier {
        return Err([b"ACL error: negation is not allowed with \"", name, b"\""].concat());
    }
    if name == b"endpass" && !matches!(verb, AclVerb::Accept | AclVerb::Discard) {
        let verb = verb.name().as_bytes();
        return Err([b"ACL error: \"", name, b"\" is not allowed with \"", verb, b"\""].concat());
    }
    let mut rest = form.rest.of(text);
    let mut variable = None;
    match term.operand {
        AclOperand::None => rest = b"",
        AclOperand::Variable => {
            let (name, after) = set_variable(rest)?;
            variable = Some(Str::from(name));
            rest = after;
        }
        AclOperand::Text => {}
    }
    if term.operand != AclOperand::None {
        let Some(value) = rest.strip_prefix(b"=") else {
            let kind: &[u8] = match term.kind {
                AclTermKind::Condition => b"condition",
                AclTermKind::Modifier => b"modifier",
            };
            return Err([b"\"=\" missing after ACL \"", name, b"\" ", kind].concat());
        };
        rest = trim_start(value);
    }
    // What is left reaches to the end of the line.
    let end = at + text.len();
    let span = Span::new(end - rest.len(), end);
    Ok(AclLineTerm {
        term: term.clone(),
        negated: form.negated,
        variable,
        text: Str::from(rest.to_vec()),
        line: number,
        span,
    })
}

/// The variable after `set`, and what follows it.
fn set_variable(rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Vec<u8>> {
    let wrong = |why: &[u8]| {
        let head = b"invalid variable name after \"set\" in ACL modifier \"set ".as_slice();
        Err([head, rest, b"\" (", why, b")"].concat())
    };
    // What is said of a signature may be mended (58.1.2).
    for name in [b"dkim_verify_status", b"dkim_verify_reason"] {
        let Some(after) = rest.strip_prefix(name) else { continue };
        if after.first().is_some_and(u8::is_ascii_alphanumeric) {
            return wrong(b"only \"dkim_verify_status\" or \"dkim_verify_reason\" permitted");
        }
        return Ok((name.to_vec(), trim_start(after)));
    }
    if !rest.starts_with(b"acl_c") && !rest.starts_with(b"acl_m") {
        return wrong(b"must start \"acl_c\" or \"acl_m\"");
    }
    let end = rest.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
    if !name.get(5).is_some_and(|c| c.is_ascii_digit() || *c == b'_') {
        return wrong(b"digit or underscore must follow acl_c or acl_m");
    }
    if let Some(odd) = after.first().filter(|c| !is_space(**c) && **c != b'=') {
        let head = [b"invalid character \"".as_slice(), &[*odd], b"\" in variable name"].concat();
        return Err([&head, b" in ACL modifier \"set ".as_slice(), rest, b"\""].concat());
    }
    Ok((name.to_vec(), trim_start(after)))
}
