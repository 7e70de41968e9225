//! `json`: an element of a JSON file.

use std::io;
use std::sync::Arc;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str,
    TaintRule,
};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

use super::files::{View, view};
use crate::lists::elements;

/// `${lookup{selectors}json{/file}}`.
pub static JSON: LookupDef = LookupDef {
    meta: Meta::new("json", Effects::LOOKUP.union(Effects::FILES), TaintRule::Clean)
        .since("4.93")
        .syntax("${lookup{<selector>:<selector>…}json{<file>}}")
        .summary("An element of a JSON file.")
        .docs(
            "The key is a list of selectors, applied one after the other: a number picks an \
             element of an array, the first being 0, anything else a member of an object. A \
             string is given without its quotes and escapes, `true`, `false` and numbers as they \
             are, arrays and objects as JSON with a space behind each comma and colon. `null` \
             counts as not found. The file is kept in memory while it does not change.",
        )
        .source("specification 9.3.7; RFC 8259"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(run),
};

/// A file that was parsed.
struct Document(Value);

impl View for Document {
    // Small members take many times the room of their text.
    const COST: usize = 8;

    fn read(contents: Arc<[u8]>) -> Result<Self, LookupFail> {
        serde_json::from_slice(&contents).map(Document).map_err(|error| {
            let message = format!("json: {error}");
            LookupFail::Open(Fail::error(ErrorKind::Lookup, message))
        })
    }
}

fn run(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let file = query.file.bytes();
    let document: Arc<Document> = view(call, file).map_err(|trouble| {
        trouble.worded(file, "json", |reason| {
            [b"failed to open ", file, b" for json search: ", reason].concat()
        })
    })?;
    Ok(select(&document.0, query.key.bytes()).and_then(written))
}

fn select<'v>(document: &'v Value, selectors: &[u8]) -> Option<&'v Value> {
    elements(selectors).try_fold(document, |value, selector| {
        let selector = std::str::from_utf8(&selector).ok()?;
        if !selector.is_empty() && selector.bytes().all(|c| c.is_ascii_digit()) {
            value.as_array()?.get(selector.parse::<usize>().ok()?)
        } else {
            value.as_object()?.get(selector)
        }
    })
}

fn written(value: &Value) -> Option<Str> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Str::from(text.as_bytes())),
        value => {
            let mut out = Vec::new();
            let mut writer = serde_json::Serializer::with_formatter(&mut out, Spaced);
            value.serialize(&mut writer).ok()?;
            Some(Str::from(out))
        }
    }
}

/// `[1, "two", {"three": 3}]`.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
