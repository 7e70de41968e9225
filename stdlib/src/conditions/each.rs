//! `forany`, `forall` and their JSON kin.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Example, Fail, Str};

use super::record::meta;
use crate::json;
use crate::lists::elements;

const fn each(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    examples: &'static [Example],
    inside: &'static str,
    run: fn(&mut Call<'_>) -> Result<bool, Fail>,
) -> Condition {
    Condition {
        meta: meta(name, syntax, summary, examples).docs(
            "The list is expanded, and each element is put into `$item` in turn while the \
             condition is tested. An element is data: what stands in it is never expanded. An \
             empty list makes it false.",
        ),
        shape: ConditionShape::Each { inside },
        run: ConditionRun::Lazy(run),
    }
}

/// Those over arrays came later.
const fn of_json(mut condition: Condition) -> Condition {
    condition.meta = condition.meta.since("4.93");
    condition
}

/// `forany`.
pub static FORANY: Condition = each(
    "forany",
    "forany{<list>}{<condition>}",
    "The condition is true for an element of the list.",
    &[Example::new("${if forany{a:b}{eq{$item}{b}}{yes}{no}}", "yes")],
    " inside \"forany\" condition",
    |call| listed(call, true),
);
/// `forall`.
pub static FORALL: Condition = each(
    "forall",
    "forall{<list>}{<condition>}",
    "The condition is true for all elements of the list.",
    &[Example::new("${if forall{a:b}{eq{$item}{b}}{yes}{no}}", "no")],
    " inside \"forall\" condition",
    |call| listed(call, false),
);
/// `forany_json`.
pub static FORANY_JSON: Condition = of_json(each(
    "forany_json",
    "forany_json{<array>}{<condition>}",
    "The condition is true for an element of a JSON array.",
    &[Example::new("${if forany_json{[\"a\",\"b\"]}{eq{$item}{\"a\"}}{yes}{no}}", "yes")],
    " inside \"forany_json\" condition",
    |call| array(call, true, false),
));
/// `forall_json`.
pub static FORALL_JSON: Condition = of_json(each(
    "forall_json",
    "forall_json{<array>}{<condition>}",
    "The condition is true for all elements of a JSON array.",
    &[Example::new("${if forall_json{[1,2]}{>{$item}{0}}{yes}{no}}", "yes")],
    " inside \"forall_json\" condition",
    |call| array(call, false, false),
));
/// `forany_jsons`.
pub static FORANY_JSONS: Condition = of_json(each(
    "forany_jsons",
    "forany_jsons{<array>}{<condition>}",
    "As `forany_json`, with the quotes taken off strings.",
    &[Example::new("${if forany_jsons{[\"a\",\"b\"]}{eq{$item}{a}}{yes}{no}}", "yes")],
    " inside \"forany_jsons\" condition",
    |call| array(call, true, true),
));
/// `forall_jsons`.
pub static FORALL_JSONS: Condition = of_json(each(
    "forall_jsons",
    "forall_jsons{<array>}{<condition>}",
    "As `forall_json`, with the quotes taken off strings.",
    &[Example::new("${if forall_jsons{[\"a\",\"b\"]}{eq{$item}{a}}{yes}{no}}", "no")],
    " inside \"forall_jsons\" condition",
    |call| array(call, false, true),
));

fn listed(call: &mut Call<'_>, any: bool) -> Result<bool, Fail> {
    let list = call.text(0)?;
    call.parse_only(1)?;
    call.check_closed()?;
    test(call, elements(list.bytes()).map(|e| Ok(Str::from(&*e))), &list, any)
}

fn array(call: &mut Call<'_>, any: bool, unquote: bool) -> Result<bool, Fail> {
    let list = call.text(0)?;
    call.parse_only(1)?;
    call.check_closed()?;
    let values = json::array(list.bytes())?;
    let values = values.map(|value| {
        let value = if unquote { json::unquoted(value)? } else { value };
        Ok(Str::from(value))
    });
    test(call, values, &list, any)
}

fn test(
    call: &mut Call<'_>,
    elements: impl Iterator<Item = Result<Str, Fail>>,
    list: &Str,
    any: bool,
) -> Result<bool, Fail> {
    call.scoped_item(|call| {
        let mut result = false;
        for element in elements {
            call.scope().set_item(element?.stamped(list.taint()));
            result = call.condition(1).map_err(|fail| {
                fail.followed_by(&format!(" inside \"{}\" condition", call.name()))
            })?;
            if result == any {
                break;
            }
        }
        Ok(result)
    })
}
