//! What a statement does to its session.

/// Statements after which a session is what it was before.
const HARMLESS: &[&[u8]] = &[
    b"DELETE",
    b"DESC",
    b"DESCRIBE",
    b"EXPLAIN",
    b"INSERT",
    b"REPLACE",
    b"SELECT",
    b"SHOW",
    b"UPDATE",
    b"VALUES",
    b"WITH",
];

/// Whether a statement may leave its session changed.
pub fn changes_session(statement: &[u8]) -> bool {
    let text = statement.trim_ascii();
    let text = text.strip_suffix(b";").unwrap_or(text);
    let end = text.iter().position(|c| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    text.contains(&b';') || !HARMLESS.iter().any(|word| word.eq_ignore_ascii_case(&text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_session() {
        for statement in ["select 1", " SELECT 1; ", "update t set a=1", "with x as (select 1)"] {
            assert!(!changes_session(statement.as_bytes()), "{statement}");
        }
        for statement in ["set x=1", "begin", "select 1; set x=1", "", "(select 1)", "selection"] {
            assert!(changes_session(statement.as_bytes()), "{statement}");
        }
    }
}
