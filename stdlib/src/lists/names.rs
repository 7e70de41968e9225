//! Lists of nothing but names of lists, as most routers have them: what they say
//! of a domain is often known without a walk (specification 10.2.4, 10.2.6).

use eximious_core::trace::TraceKinds;
use eximious_core::{Call, Str};
use smallvec::SmallVec;

use super::matcher::{Keep, Kept, ListOutcome, Question};
use super::named::settled;
use super::walk::Verdict;
use super::{elements, is_negated};

/// The names in a list like `! +local_domains : +relay_to_domains`, and whether
/// each is negated.
#[derive(Clone, Debug)]
pub struct Names(SmallVec<[(bool, Str); 2]>);

impl Names {
    /// The names in a list as it is written; `None` where there is anything else in it.
    pub fn of(list: &Str) -> Option<Self> {
        let (text, taint) = list.read();
        if taint.is_tainted() || text.iter().any(|c| b"$\\<".contains(c)) {
            return None;
        }
        let name = |element: &[u8]| {
            let (negated, element) = is_negated(element);
            Some((negated, Str::from(element.strip_prefix(b"+")?)))
        };
        let names: Option<SmallVec<_>> = elements(text).map(|element| name(&element)).collect();
        names.filter(|names| !names.is_empty()).map(Self)
    }

    /// What the list says of the domain of a recipient, where each name that is asked
    /// has said something of it. `None` says that it has to be walked; so it is for
    /// somebody who wants to see each step.
    pub fn recall(&self, call: &mut Call<'_>, domain: &Str) -> Option<ListOutcome> {
        if call.watched(TraceKinds::LIST) {
            return None;
        }
        let subject = domain.lowercased();
        let (mut negated, mut left) = (false, None);
        for (not, name) in &self.0 {
            let kept = call.memory::<Kept>().of_domain(name, &subject);
            let (verdict, data) = match kept {
                Some((verdict, data, _)) => (*verdict == Verdict::Yes, data.clone()),
                None => {
                    let question = Question::of_domain(name, &subject);
                    let (verdict, data, _) = settled(call, Keep::Recipient, &question)?;
                    (verdict == Verdict::Yes, data)
                }
            };
            (negated, left) = (*not, data.or(left));
            if verdict {
                return Some(outcome(!negated, left));
            }
        }
        Some(outcome(negated, left))
    }
}

fn outcome(is_in: bool, left: Option<Option<Str>>) -> ListOutcome {
    let data = left.map(Option::unwrap_or_default);
    if is_in { ListOutcome::Matched(data) } else { ListOutcome::Unmatched(data) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Option<Vec<(bool, String)>> {
        let names = Names::of(&Str::from(list))?;
        Some(names.0.iter().map(|(not, name)| (*not, name.display().into_owned())).collect())
    }

    #[test]
    fn a_list_of_names() {
        assert_eq!(names("+a"), Some(vec![(false, "a".to_owned())]));
        let both = vec![(true, "a".to_owned()), (false, "b".to_owned())];
        assert_eq!(names("! +a : +b"), Some(both));
        for other in ["", "a", "+a : b", "+a : $b", "<; +a", "!", "@", "+a : /file"] {
            assert_eq!(names(other), None, "{other}");
        }
    }
}
