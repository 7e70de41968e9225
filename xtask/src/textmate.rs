//! The grammar by which editors colour a file before they ask a server: TextMate's form, with
//! the words of the registry.

use eximious::words::{self, Kind};
use eximious::{AclVerb, DriverKind, ListKind, Registry};
use serde_json::{Value, json};

/// The text of the grammar.
pub fn grammar(registry: &Registry) -> String {
    let verbs = any(AclVerb::ALL.iter().map(|verb| verb.name()));
    let terms = of(registry, &[Kind::AclCondition, Kind::AclModifier]);
    let options = of(registry, &Kind::OPTIONS);
    let lists = any(ListKind::ALL.iter().map(|kind| kind.word()));
    let kinds = [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator];
    let drivers = registry.all_drivers().filter(|driver| kinds.contains(&driver.kind));
    let drivers = any(drivers.map(|driver| driver.meta.name));
    let statement =
        format!(r"^\s*(?:({verbs})\b)?\s*(?:(!)?\s*({terms})\b(?=\s*(?:=|acl_|dkim_|$)))?");
    let patterns = json!([
        { "name": "comment.line.number-sign.exim", "match": r"^\s*#.*$" },
        {
            "match": r"^\s*(\.(?:ifdef|ifndef|elifdef|elifndef|else|endif|include_if_exists|include))\b\s*(.*)$",
            "captures": {
                "1": { "name": "keyword.control.directive.exim" },
                "2": { "patterns": [{ "include": "#macro" }] },
            },
        },
        {
            "match": r"^\s*(begin)\s+(\w+)",
            "captures": {
                "1": { "name": "keyword.control.section.exim" },
                "2": { "name": "entity.name.section.exim" },
            },
        },
        {
            "match": r"^\s*([A-Z]\w*)\s*(==?)",
            "captures": {
                "1": { "name": "entity.name.constant.macro.exim" },
                "2": { "name": "keyword.operator.assignment.exim" },
            },
        },
        {
            "match": format!(r"^\s*(?:(hide)\s+)?((?:{lists})(?:_cache)?)\s+(\w+)\s*(=)"),
            "captures": {
                "1": { "name": "storage.modifier.exim" },
                "2": { "name": "storage.type.list.exim" },
                "3": { "name": "entity.name.variable.list.exim" },
                "4": { "name": "keyword.operator.assignment.exim" },
            },
        },
        {
            "match": r"^\s*([A-Za-z]\w*)\s*(:)\s*$",
            "captures": {
                "1": { "name": "entity.name.function.exim" },
                "2": { "name": "punctuation.separator.exim" },
            },
        },
        {
            "match": format!(r"^\s*(driver)\s*(=)\s*({drivers})\b"),
            "captures": {
                "1": { "name": "support.type.property-name.exim" },
                "2": { "name": "keyword.operator.assignment.exim" },
                "3": { "name": "support.class.driver.exim" },
            },
        },
        {
            "match": format!(r"^\s*(?:(hide)\s+)?((?:no_|not_)?(?:{options}))\s*(?:(=)|$)"),
            "captures": {
                "1": { "name": "storage.modifier.exim" },
                "2": { "name": "support.type.property-name.exim" },
                "3": { "name": "keyword.operator.assignment.exim" },
            },
        },
        {
            "match": statement,
            "captures": {
                "1": { "name": "keyword.control.verb.exim" },
                "2": { "name": "keyword.operator.negation.exim" },
                "3": { "name": "support.function.acl.exim" },
            },
        },
        { "include": "#text" },
    ]);
    let grammar = json!({
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "comment": "Made from the registry: cargo xtask pages",
        "name": "Exim",
        "scopeName": "source.exim",
        "fileTypes": ["exim"],
        "patterns": patterns,
        "repository": repository(registry),
    });
    format!("{grammar:#}\n")
}

/// What stands in values.
fn repository(registry: &Registry) -> Value {
    let items = of(registry, &[Kind::Item]);
    let operators = of(registry, &[Kind::Operator]);
    let conditions = of(registry, &[Kind::Condition]);
    let variables = of(registry, &[Kind::Variable]);
    let lookups = of(registry, &[Kind::Lookup]);
    json!({
        "text": { "patterns": [
            { "include": "#escape" },
            { "include": "#item" },
            { "include": "#operator" },
            { "include": "#variable" },
            {
                "name": "variable.other.list.exim",
                "match": r"(?<=^|[\s:;!@=])\+[A-Za-z]\w*",
            },
            {
                "match": format!(r"(?<=[\s:=!])((?:partial\d*(?:\([^)]*\))?-)?(?:{lookups})(?:\*@?)?)(?=;)"),
                "captures": { "1": { "name": "support.class.lookup.exim" } },
            },
            { "include": "#macro" },
        ]},
        "escape": { "name": "constant.character.escape.exim", "match": r"\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.|$)" },
        "macro": { "name": "variable.other.constant.macro.exim", "match": r"\b[A-Z][A-Z0-9_]+\b" },
        // A construct ends with its brace, or where a line does not go on.
        "item": {
            "begin": format!(r"(\$\{{)({items})\b(?=[\s{{}}])"),
            "beginCaptures": {
                "1": { "name": "punctuation.section.begin.exim" },
                "2": { "name": "support.function.item.exim" },
            },
            "end": r"\}|(?<!\\)$",
            "endCaptures": { "0": { "name": "punctuation.section.end.exim" } },
            "patterns": [
                { "include": "#braces" },
                { "include": "#condition" },
                { "include": "#lookup" },
                { "include": "#text" },
            ],
        },
        "operator": {
            "begin": format!(r"(\$\{{)((?:{operators})(?:_[0-9a-z_-]*)?)(:)"),
            "beginCaptures": {
                "1": { "name": "punctuation.section.begin.exim" },
                "2": { "name": "support.function.operator.exim" },
                "3": { "name": "punctuation.separator.exim" },
            },
            "end": r"\}|(?<!\\)$",
            "endCaptures": { "0": { "name": "punctuation.section.end.exim" } },
            "patterns": [{ "include": "#braces" }, { "include": "#text" }],
        },
        "braces": {
            "begin": r"\{",
            "end": r"\}|(?<!\\)$",
            "patterns": [
                { "include": "#braces" },
                { "include": "#condition" },
                { "include": "#text" },
            ],
        },
        "condition": {
            "match": format!(r"(!)?\s*\b(?:(def)(:)|({conditions})(?=\s*\{{))|(!)?((?:[<>]=?|=)(?=\s*\{{))"),
            "captures": {
                "1": { "name": "keyword.operator.negation.exim" },
                "2": { "name": "support.function.condition.exim" },
                "4": { "name": "support.function.condition.exim" },
                "5": { "name": "keyword.operator.negation.exim" },
                "6": { "name": "keyword.operator.comparison.exim" },
            },
        },
        "lookup": {
            "match": format!(r"(?<=[\s}}])((?:partial\d*(?:\([^)]*\))?-)?(?:{lookups})(?:\*@?)?)(?=\s*[{{,]|$)"),
            "captures": { "1": { "name": "support.class.lookup.exim" } },
        },
        "variable": { "patterns": [
            {
                "name": "variable.other.header.exim",
                "match": r"\$\{?(?:[rbl]?h|[rbl]?header)_[!-9;-z|~]*:?\}?",
            },
            {
                "name": "variable.language.exim",
                "match": format!(r"\$(?:\{{(?:{variables})\}}|(?:{variables})\b)"),
            },
            {
                "name": "variable.other.exim",
                "match": r"\$(?:\{(?:acl_[cm]\w+|r_\w+|auth\d+|\d+)\}|(?:acl_[cm]\w+|r_\w+|auth\d+|\d+))",
            },
        ]},
    })
}

/// A pattern for any of the words of some kinds.
fn of(registry: &Registry, kinds: &[Kind]) -> String {
    let words: Vec<_> = kinds.iter().flat_map(|kind| words::of(registry, *kind)).collect();
    any(words
        .iter()
        .flat_map(|word| std::iter::once(word.meta.name).chain(word.meta.aliases.iter().copied())))
}

/// A pattern for any of these words; what is no word is left out. Longer ones come first.
fn any<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let is_word = |word: &&str| {
        !word.is_empty()
            && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
    };
    let mut all: Vec<&str> = words.filter(is_word).collect();
    all.sort_by_key(|word| (std::cmp::Reverse(word.len()), *word));
    all.dedup();
    all.join("|")
}
