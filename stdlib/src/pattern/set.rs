//! Many patterns at once: what stands in a long list, or in a file, is put together into
//! one automaton, which says in one look at a text which of the patterns match.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex};

use eximious_core::Str;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::{Input, MatchKind, PatternSet as Matched, meta};

use super::{linear, lock};

/// From how many bytes on a list is worth it.
pub const WORTH_A_PLAN: usize = 512;
/// From which use on it is put together.
pub const USES: u32 = 3;
/// From how many patterns on.
const FEW: usize = 8;
/// How long what is kept may be, in bytes.
const LONGEST: usize = 1 << 20;
/// How much memory the automaton of one list may take, in bytes.
const SIZE_LIMIT: usize = 4 << 20;
/// How much memory all of them may take.
const ALL_SIZES: usize = 32 << 20;
/// How many lists are kept.
const KEPT: usize = 32;

/// What a list or a file is made of, in order: most of its items are patterns for the
/// automaton, the others are looked at one by one.
#[derive(Debug)]
pub struct ListPlan {
    items: Vec<(u32, u32)>,
    /// The items that are looked at whatever the automaton says, in order.
    always: Vec<u32>,
    regex: meta::Regex,
    /// The items that the automaton's patterns stand for, in order.
    numbers: Vec<u32>,
}

/// Which items may match a text.
#[derive(Debug)]
pub struct Candidates {
    plan: Arc<ListPlan>,
    matched: Matched,
}

/// An item of a list: where it stands, and the pattern that it is, if it is one that
/// matches or does not, and nothing else.
#[derive(Clone, Debug)]
pub struct PlanItem<'p> {
    /// From where to where in the text.
    pub span: (usize, usize),
    /// The pattern.
    pub pattern: Option<Cow<'p, [u8]>>,
}

/// Where lists come from.
#[derive(Clone, Debug)]
pub enum PlanSource {
    /// A text of the configuration.
    Text(Str),
    /// A file.
    File(Arc<[u8]>),
}

impl PlanSource {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.bytes(),
            Self::File(bytes) => bytes,
        }
    }
}

impl ListPlan {
    /// Puts items together; nothing, where there is little to win.
    pub fn new<'p>(items: impl Iterator<Item = PlanItem<'p>>, caseless: bool) -> Option<Self> {
        let (mut spans, mut trees, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let mut always = Vec::new();
        for (number, item) in items.enumerate() {
            let number = u32::try_from(number).ok()?;
            spans.push((u32::try_from(item.span.0).ok()?, u32::try_from(item.span.1).ok()?));
            match item.pattern.and_then(|pattern| linear::tree(&pattern, caseless)) {
                Some(tree) => {
                    trees.push(tree);
                    numbers.push(number);
                }
                None => {
                    // What was looked at before it leaves what it would leave.
                    if number > 0 && always.last() != Some(&(number - 1)) {
                        always.push(number - 1);
                    }
                    always.push(number);
                }
            }
        }
        // The last one leaves what the end of a list leaves.
        let last = u32::try_from(spans.len()).ok()?.checked_sub(1)?;
        if always.last() != Some(&last) {
            always.push(last);
        }
        if trees.len() < FEW || always.len() > trees.len() {
            return None;
        }
        let config = meta::Config::new()
            .utf8_empty(false)
            .match_kind(MatchKind::All)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(SIZE_LIMIT))
            .hybrid_cache_capacity(SIZE_LIMIT);
        let regex = meta::Builder::new().configure(config).build_many_from_hir(&trees).ok()?;
        Some(Self { items: spans, always, regex, numbers })
    }

    /// Which items may match a text.
    pub fn candidates(self: Arc<Self>, text: &[u8]) -> Candidates {
        let mut matched = Matched::new(self.regex.pattern_len());
        self.regex.which_overlapping_matches(&Input::new(text), &mut matched);
        Candidates { plan: self, matched }
    }
}

impl Candidates {
    /// How many items there are.
    pub fn count(&self) -> usize {
        self.plan.items.len()
    }

    /// Where an item stands.
    pub fn span(&self, number: usize) -> std::ops::Range<usize> {
        let (start, end) = self.plan.items[number];
        start as usize..end as usize
    }

    /// The items that may match, in order; all others are patterns that don't.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        let plan = &*self.plan;
        let mut matched = self.matched.iter().map(|id| plan.numbers[id.as_usize()]).peekable();
        let mut always = plan.always.iter().copied().peekable();
        std::iter::from_fn(move || {
            let next = match (matched.peek(), always.peek()) {
                (Some(one), Some(other)) => *one.min(other),
                (one, other) => *one.or(other)?,
            };
            matched.next_if_eq(&next);
            always.next_if_eq(&next);
            Some(next as usize)
        })
    }
}

/// What is known of a list.
struct Known {
    source: PlanSource,
    kind: u8,
    uses: u32,
    plan: Option<Arc<ListPlan>>,
}

/// The lists that were looked through last, the newest last: what was put together is
/// for all contexts.
static KNOWN: LazyLock<Mutex<Vec<Known>>> = LazyLock::new(Mutex::default);

/// How the items of a list are found in its text.
pub type PlanItems<'s> = dyn Iterator<Item = PlanItem<'s>> + 's;

/// The plan of a list that is used often, and is worth one. Lists of another kind are
/// other lists, be their text the same.
pub fn plan(
    source: &[u8],
    keep: impl FnOnce() -> PlanSource,
    kind: u8,
    caseless: bool,
    items: impl for<'s> FnOnce(&'s [u8]) -> Option<Box<PlanItems<'s>>>,
) -> Option<Arc<ListPlan>> {
    if !(WORTH_A_PLAN..=LONGEST).contains(&source.len()) {
        return None;
    }
    let kind = kind * 2 + u8::from(caseless);
    {
        let mut all = lock(&KNOWN);
        let same = |known: &Known| {
            let bytes = known.source.bytes();
            known.kind == kind
                && bytes.len() == source.len()
                && (std::ptr::eq(bytes, source) || bytes == source)
        };
        let Some(known) = all.iter_mut().find(|known| same(known)) else {
            if all.len() >= KEPT {
                all.remove(0);
            }
            all.push(Known { source: keep(), kind, uses: 1, plan: None });
            return None;
        };
        if known.plan.is_some() || known.uses >= USES {
            return known.plan.clone();
        }
        known.uses += 1;
        if known.uses < USES {
            return None;
        }
    }
    // Nobody waits while it is put together.
    let plan = Arc::new(ListPlan::new(items(source)?, caseless)?);
    let mut all = lock(&KNOWN);
    let size = |known: &Known| known.plan.as_ref().map_or(0, |plan| plan.regex.memory_usage());
    while all.iter().map(size).sum::<usize>() + plan.regex.memory_usage() > ALL_SIZES {
        let oldest = all.iter().position(|known| known.plan.is_some())?;
        all.remove(oldest);
    }
    let known = all.iter_mut().find(|known| known.kind == kind && known.source.bytes() == source);
    if let Some(known) = known {
        known.plan = Some(plan.clone());
    }
    Some(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &[u8]) -> Box<PlanItems<'_>> {
        let start = text.as_ptr() as usize;
        Box::new(text.split(|byte| *byte == b'\n').map(move |line| {
            let at = line.as_ptr() as usize - start;
            let pattern = line.starts_with(b"^").then_some(Cow::Borrowed(line));
            PlanItem { span: (at, at + line.len()), pattern }
        }))
    }

    #[test]
    fn what_may_match_is_found_in_order() {
        let mut text = String::new();
        for number in 0..100 {
            text.push_str(&match number {
                40 => "plain\n".to_owned(),
                70 => "^(?=a)b\n".to_owned(),
                _ => format!("^spam{number}(\\d|x)?$\n"),
            });
        }
        text.push_str("^(?s).*5\n^end");
        let plan = Arc::new(ListPlan::new(items(text.as_bytes()), true).expect("a plan"));
        let found = |subject: &str| -> Vec<usize> {
            plan.clone().candidates(subject.as_bytes()).numbers().collect()
        };
        // The others, those before them, and the last one are always looked at.
        assert_eq!(found("x"), [39, 40, 69, 70, 101]);
        // `spam5` and a digit, or one of two digits.
        assert_eq!(found("SPAM50"), [5, 39, 40, 50, 69, 70, 100, 101]);
        assert_eq!(found("spam95"), [9, 39, 40, 69, 70, 95, 100, 101]);
        let candidates = plan.candidates(b"");
        assert_eq!(&text.as_bytes()[candidates.span(40)], b"plain");
        assert_eq!(candidates.count(), 102);
    }

    #[test]
    fn it_is_put_together_when_it_is_used_often() {
        let text: String = (0..200).map(|number| format!("^often{number}\n")).collect();
        let bytes: Arc<[u8]> = text.trim_end().as_bytes().into();
        let ask = || {
            let keep = || PlanSource::File(bytes.clone());
            plan(&bytes, keep, 9, true, |text| Some(items(text))).is_some()
        };
        assert_eq!([ask(), ask(), ask(), ask()], [false, false, true, true]);
    }
}
