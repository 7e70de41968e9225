//! Variables of filter files.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "n0",
        Absent,
        Clean,
        "The first counter of a filter file, a whole number, 0 at its start.",
        docs(
            "The filter command `add` adds to `$n0` to `$n9`: `add 5 to n3`. What a system \
             filter leaves there, users' filters read as `$sn0` to `$sn9`. While no filter file \
             runs there are no such variables, and to reach one is an error; in a branch that \
             is passed over it is none."
        ),
        source("specification 11.9; the document about filters")
    ),
    variable!("n1", Absent, Clean, "The second counter of a filter file."),
    variable!("n2", Absent, Clean, "The third counter of a filter file."),
    variable!("n3", Absent, Clean, "The fourth counter of a filter file."),
    variable!("n4", Absent, Clean, "The fifth counter of a filter file."),
    variable!("n5", Absent, Clean, "The sixth counter of a filter file."),
    variable!("n6", Absent, Clean, "The seventh counter of a filter file."),
    variable!("n7", Absent, Clean, "The eighth counter of a filter file."),
    variable!("n8", Absent, Clean, "The ninth counter of a filter file."),
    variable!("n9", Absent, Clean, "The tenth counter of a filter file."),
    variable!(
        "sn0",
        Absent,
        Clean,
        "What the system filter left in its first counter.",
        docs(
            "A system filter can count what makes a message suspect, and users' filters decide \
             about it: `if $sn0 is above 5 then …`. As `$n0`, it is there only while a filter \
             file runs."
        ),
        source("specification 11.9; the document about filters")
    ),
    variable!("sn1", Absent, Clean, "What the system filter left in its second counter."),
    variable!("sn2", Absent, Clean, "What the system filter left in its third counter."),
    variable!("sn3", Absent, Clean, "What the system filter left in its fourth counter."),
    variable!("sn4", Absent, Clean, "What the system filter left in its fifth counter."),
    variable!("sn5", Absent, Clean, "What the system filter left in its sixth counter."),
    variable!("sn6", Absent, Clean, "What the system filter left in its seventh counter."),
    variable!("sn7", Absent, Clean, "What the system filter left in its eighth counter."),
    variable!("sn8", Absent, Clean, "What the system filter left in its ninth counter."),
    variable!("sn9", Absent, Clean, "What the system filter left in its tenth counter."),
    variable!(
        "thisaddress",
        Slot,
        Tainted,
        "The address at hand in a filter's `foranyaddress`.",
        docs(
            "`foranyaddress $h_to: ($thisaddress matches \"@lists\")` tries one address of the \
             header after the other. Elsewhere it is empty."
        )
    ),
];
