//! Reads JSON, and picks elements of it.

use std::io;
use std::sync::Arc;

use eximious_core::{Call, ErrorKind, Fail, LookupFail, LookupQuery, Str};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

use crate::lists::elements;
use crate::lookups::files::{View, view};

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

pub(super) fn find(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let file = query.file.bytes();
    let document: Arc<Document> = view(call, file).map_err(|trouble| {
        trouble.worded(call, file, "json", |reason| {
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
