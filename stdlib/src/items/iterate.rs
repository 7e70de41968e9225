//! `map`, `filter`, `reduce`: an expression for each element of a list.

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape};
use eximious_core::{
    Bindings, Call, Effects, Example, Fail, Item, ItemRun, Meta, Str, Taint, TaintRule,
};

use crate::lists::{Joiner, elements};

const fn text(missing: &'static str) -> ArgSpec {
    ArgSpec { kind: ArgKind::Text, missing }
}

/// `${map{list}{expression}}`.
pub static MAP: Item = Item {
    meta: Meta::new("map", Effects::NONE, TaintRule::Result)
        .syntax("${map{<list>}{<expression>}}")
        .summary("Expands an expression for each element of a list, and makes a list of it.")
        .docs(
            "Each element is put into `$item` in turn, and the second argument is expanded. \
             The results make a list with the separator of the first one. An element is data: \
             what stands in it is never expanded.",
        )
        .examples(&[
            Example::new("${map{a:b:c}{[$item]}}", "[a]:[b]:[c]"),
            Example::new("${map{<- x-y-z}{($item)}}", "(x)-(y)-(z)"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Loop {
        args: &[
            text("missing '{' for first arg of map"),
            ArgSpec { kind: ArgKind::Expression, missing: "missing '{' for last arg of map" },
        ],
        inside: " inside \"map\" item",
    },
    run: ItemRun::Lazy(map),
};

fn map(call: &mut Call<'_>) -> Result<Str, Fail> {
    each(call, |call| {
        let value = call.text(1).map_err(|fail| fail.followed_by(" inside \"map\" item"))?;
        Ok(Some(value))
    })
}

/// The list of what is made of the elements of a list, each in `$item` in turn.
/// What a match leaves in `$0`, `$1`, … stays, as in Exim.
fn each(
    call: &mut Call<'_>,
    mut work: impl FnMut(&mut Call<'_>) -> Result<Option<Str>, Fail>,
) -> Result<Str, Fail> {
    let list = call.text(0)?;
    call.parse_only(1)?;
    call.check_closed()?;
    call.scoped_item(|call| {
        let source = elements(list.bytes());
        let mut joiner = Joiner::new(source.separator());
        let mut taint = Taint::Clean;
        for element in source {
            call.charge(element.len() + 16)?;
            call.scope().set_item(Str::from(&*element).stamped(list.taint()));
            if let Some(value) = call.round(joiner.len(), &mut work)? {
                taint = taint.with(value.taint());
                call.check_length(joiner.len() + value.bytes().len())?;
                joiner.push(value.bytes());
            }
        }
        Ok(joiner.finish().stamped(taint))
    })
}

/// `${filter{list}{condition}}`.
pub static FILTER: Item = Item {
    meta: Meta::new("filter", Effects::NONE, TaintRule::Result)
        .syntax("${filter{<list>}{<condition>}}")
        .summary("The elements of a list for which a condition is true.")
        .docs(
            "Each element is put into `$item` in turn, and the condition is tested. Those for \
             which it is true make a list with the separator of the first one. Any change of \
             `$value` by the condition is undone.",
        )
        .examples(&[Example::new("${filter{a:b:c}{!eq{$item}{b}}}", "a:c")])
        .source("specification 11.5"),
    shape: ItemShape::Loop {
        args: &[
            text("missing '{' for first arg of filter"),
            ArgSpec { kind: ArgKind::Condition, missing: "missing '{' for last arg of filter" },
        ],
        inside: " inside \"filter\" item",
    },
    run: ItemRun::Lazy(filter),
};

fn filter(call: &mut Call<'_>) -> Result<Str, Fail> {
    each(call, |call| {
        // `$value` is put back whether or not the condition can be tested.
        let outer = call.scope().enter();
        let keep = call.condition(1);
        call.scope().leave(outer, Bindings::VALUE);
        let keep = keep.map_err(|fail| fail.followed_by(" inside \"filter\" condition"))?;
        Ok(keep.then(|| call.scope().item().clone()))
    })
}

/// `${reduce{list}{initial}{expression}}`.
pub static REDUCE: Item = Item {
    meta: Meta::new("reduce", Effects::NONE, TaintRule::Result)
        .syntax("${reduce{<list>}{<initial>}{<expression>}}")
        .summary("Folds a list into one value.")
        .docs(
            "`$value` begins as the second argument. Each element of the list is put into \
             `$item` in turn, the third argument is expanded, and the result is the new \
             `$value`. The last one is the result of the item.",
        )
        .examples(&[
            Example::new("${reduce {<, 1,2,3}{0}{${eval:$value+$item}}}", "6"),
            Example::new("${reduce {3:0:9:4:6}{0}{${if >{$item}{$value}{$item}{$value}}}}", "9"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Loop {
        args: &[
            text("missing '{' for first arg of reduce"),
            text("missing '{' for second arg of reduce"),
            ArgSpec { kind: ArgKind::Fold, missing: "missing '{' for last arg of reduce" },
        ],
        inside: " inside \"reduce\" item",
    },
    run: ItemRun::Lazy(reduce),
};

fn reduce(call: &mut Call<'_>) -> Result<Str, Fail> {
    let (list, initial) = call.arguments(|call| Ok((call.text(0)?, call.text(1)?)))?;
    let fold = |call: &mut Call<'_>| {
        call.scope().set_value(initial);
        call.parse_only(2)?;
        call.check_closed()?;
        for element in elements(list.bytes()) {
            call.charge(element.len() + 16)?;
            call.scope().set_item(Str::from(&*element).stamped(list.taint()));
            let length = call.scope().value().bytes().len();
            let value = call.round(length, |call| call.text(2));
            let value = value.map_err(|fail| fail.followed_by(" inside \"reduce\" item"))?;
            call.scope().set_value(value);
        }
        Ok(call.scope().value().clone())
    };
    call.scoped_item(|call| call.scoped_for(Bindings::VALUE, fold))
}
