//! Lists: `listcount`, `listnamed`.

use eximious_core::{
    Call, Effects, ErrorKind, Example, Fail, ListKind, Meta, Operator, OperatorRun, Params,
    Settings, Str, TaintRule,
};

use crate::lists::elements;

/// How deep named lists may stand in each other.
const DEEPEST: u32 = 50;

/// `${listcount:…}`.
pub static LISTCOUNT: Operator = Operator {
    meta: Meta::new("listcount", Effects::NONE, TaintRule::Clean)
        .syntax("${listcount:<list>}")
        .summary("How many elements a list has.")
        .examples(&[
            Example::new("${listcount:a:b:c}", "3"),
            Example::new("${listcount:<, a,b}", "2"),
            Example::new("${listcount:}", "0"),
        ])
        .source("specification 11.6"),
    run: OperatorRun::Plain(|_, arg, _| Ok(Str::from(elements(arg.bytes()).count().to_string()))),
};

/// `${listnamed:…}`, `${listnamed_TYPE:…}`.
pub static LISTNAMED: Operator = Operator {
    meta: Meta::new("listnamed", Effects::NONE, TaintRule::Clean)
        .forms(&["listnamed_a", "listnamed_d", "listnamed_h", "listnamed_l"])
        .syntax("${listnamed_<type>:<name>}")
        .summary("What a named list holds, with the lists that it refers to.")
        .docs(
            "The type is `a`, `d`, `h` or `l`, for lists of addresses, domains, hosts and local \
             parts; without one, they are searched in this order. Nothing in the list is expanded \
             or looked up.",
        )
        .examples(&[
            Example::new("${listnamed:nosuch}", "Failed: \"nosuch\" is not a named list"),
            Example::new("${listnamed_x:a}", "Failed: bad suffix on \"list\" operator"),
        ])
        .source("specification 11.6, 10.5"),
    run: OperatorRun::Plain(listnamed),
};

fn listnamed(call: &mut Call<'_>, arg: &Str, params: Params<'_>) -> Result<Str, Fail> {
    let kinds: &[(ListKind, &str)] = match params.map(<[u8]>::first) {
        None => &KINDS,
        Some(Some(b'a')) => &KINDS[..1],
        Some(Some(b'd')) => &KINDS[1..2],
        Some(Some(b'h')) => &KINDS[2..3],
        Some(Some(b'l')) => &KINDS[3..],
        Some(_) => return Err(Fail::argument("bad suffix on \"list\" operator")),
    };
    let mut out = Vec::new();
    flatten(call.settings(), arg.bytes(), kinds, DEEPEST, &mut out)?;
    Ok(Str::from(out))
}

const KINDS: [(ListKind, &str); 4] = [
    (ListKind::Address, "address "),
    (ListKind::Domain, "domain "),
    (ListKind::Host, "host "),
    (ListKind::LocalPart, "localpart "),
];

/// Adds what a list holds, with colons between the elements. Colons in them
/// are doubled where another separator made that necessary, as the program
/// does it.
fn flatten(
    settings: &Settings,
    name: &[u8],
    kinds: &[(ListKind, &str)],
    depth: u32,
    out: &mut Vec<u8>,
) -> Result<(), Fail> {
    let name = name.strip_prefix(b"+").unwrap_or(name);
    let found = kinds.iter().find_map(|(kind, _)| settings.lists.get(*kind, name));
    let Some(list) = found else {
        let kind = if let [(_, kind)] = kinds { kind } else { "" };
        let tail = format!("\" is not a {kind}named list");
        return Err(Fail::argument([b"\"", name, tail.as_bytes()].concat()));
    };
    if depth == 0 || out.len() > LONGEST {
        let message = [b"named list \"", name, b"\" refers to too many lists"].concat();
        return Err(Fail::error(ErrorKind::Limit, message));
    }
    let elements = elements(list.text.bytes());
    let separator = elements.separator();
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.extend_from_slice(b" : ");
        }
        if element.starts_with(b"+") {
            flatten(settings, &element, kinds, depth - 1, out)?;
            continue;
        }
        for byte in element.iter() {
            if *byte == b':' && separator != b':' {
                out.push(b':');
            }
            out.push(*byte);
        }
    }
    Ok(())
}

/// How long a list may get: lists that name each other twice grow fast.
const LONGEST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use eximious_core::NamedList;

    fn flat(name: &str, kinds: &[(ListKind, &str)]) -> Result<String, Fail> {
        let mut settings = Settings::default();
        let mut add = |kind, name: &str, text: &str| {
            let list = NamedList::new(Str::from(text));
            settings.lists.insert(kind, name, list);
        };
        add(ListKind::Domain, "foo", "a.b : c.d");
        add(ListKind::Domain, "bar", "x : +foo : y");
        add(ListKind::Domain, "baz", "<; p;q;+bar; r:s");
        add(ListKind::Domain, "not", "!+foo : z");
        add(ListKind::Domain, "colons", "a::b : c");
        add(ListKind::Domain, "gap", "<; a ; ;b; +foo");
        add(ListKind::Domain, "none", "");
        add(ListKind::Domain, "around", "a : +none : b");
        add(ListKind::Domain, "lost", "a : +nosuch : b");
        add(ListKind::Domain, "own", "a : +own");
        add(ListKind::Domain, "twice", "+twice : +twice");
        add(ListKind::Host, "foo", "1.2.3.4 : 5.6.7.8");
        add(ListKind::Host, "six", "<; ::1; fe80::1");
        add(ListKind::LocalPart, "ll", "root : +aa");
        add(ListKind::Address, "aa", "a@b : *@c");
        let mut out = Vec::new();
        flatten(&settings, name.as_bytes(), kinds, DEEPEST, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn named_lists_are_flattened_as_the_program_does() {
        for (name, text) in [
            ("foo", "a.b : c.d"),
            ("+foo", "a.b : c.d"),
            ("bar", "x : a.b : c.d : y"),
            ("baz", "p : q : x : a.b : c.d : y : r::s"),
            ("not", "!+foo : z"),
            ("colons", "a:b : c"),
            ("gap", "a :  : b : a.b : c.d"),
            ("around", "a :  : b"),
            ("none", ""),
            ("six", "::::1 : fe80::::1"),
            ("ll", "root : a@b : *@c"),
        ] {
            assert_eq!(flat(name, &KINDS).as_deref(), Ok(text), "{name}");
        }
        assert_eq!(flat("foo", &KINDS[2..3]).as_deref(), Ok("1.2.3.4 : 5.6.7.8"));
    }

    #[test]
    fn what_is_not_there_is_named_and_circles_end() {
        let message = |name, kinds| flat(name, kinds).unwrap_err().to_string();
        assert_eq!(message("FOO", &KINDS), "\"FOO\" is not a named list");
        assert_eq!(message("lost", &KINDS), "\"nosuch\" is not a named list");
        assert_eq!(message("ll", &KINDS[3..]), "\"aa\" is not a localpart named list");
        assert_eq!(message("own", &KINDS), "named list \"own\" refers to too many lists");
        assert_eq!(message("twice", &KINDS), "named list \"twice\" refers to too many lists");
    }
}
