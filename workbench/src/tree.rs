//! A record as a tree: what came of what.

use std::collections::HashMap;
use std::time::Duration;

use eximious::Str;
use eximious::world::Moment;

use crate::record::{self, Fact, Facts, StepRole, TraceStep};

/// A step with all that it is made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceNode {
    /// The step.
    pub step: TraceStep,
    /// What it came to.
    pub result: Facts,
    /// Its parts, in their order.
    pub parts: Vec<TraceNode>,
    /// How long it took, where that is known.
    pub took: Option<Duration>,
}

impl TraceNode {
    /// A fact of the step or of what it came to, by its name.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        record::fact(&self.result, name).or_else(|| self.step.fact(name))
    }

    /// A text among the facts, by its name; empty where there is none.
    pub fn text(&self, name: &str) -> Str {
        match record::fact(&self.result, name) {
            Some(_) => record::text(&self.result, name),
            None => self.step.text(name),
        }
    }

    /// Whether it is of a kind, and what it is within that.
    pub fn is(&self, kind: &str, name: &str) -> bool {
        self.step.kind == kind && self.step.name == name
    }

    /// This one and all below it, each before its parts.
    pub fn walk(&self, visit: &mut dyn FnMut(&TraceNode)) {
        visit(self);
        self.parts.iter().for_each(|part| part.walk(visit));
    }
}

/// Makes a tree of steps; several, where several things happened one after the other.
pub fn grow(steps: Vec<TraceStep>) -> Vec<TraceNode> {
    let mut garden = Garden::default();
    steps.into_iter().for_each(|step| garden.plant(step));
    let top = std::mem::take(&mut garden.top);
    garden.harvest(top)
}

/// How deep a tree is: what stands deeper is left where it is.
const MOST_DEPTH: u32 = 400;

/// Nodes while they grow.
#[derive(Default)]
struct Garden {
    plants: Vec<Option<Plant>>,
    /// Which plant a step's number is.
    of_number: HashMap<u64, usize>,
    top: Vec<usize>,
}

struct Plant {
    step: TraceStep,
    result: Facts,
    parts: Vec<usize>,
    parent: Option<usize>,
    depth: u32,
    is_closed: bool,
    ended: Option<Moment>,
}

impl Garden {
    fn plant(&mut self, step: TraceStep) {
        let mut parent = self.of_number.get(&step.parent).copied();
        // So does what happens after a client's command.
        if parent.is_none()
            && !is_command(&step)
            && let Some(command) = self.top.last().copied()
            && self.seen(command).is_some_and(|plant| is_command(&plant.step))
        {
            parent = Some(command);
        }
        // What happens after a router got its turn belongs to that one.
        if !matches!(step.name, "router" | "no router left")
            && let Some(router) = self.last_of(parent).filter(|last| self.is_router(*last))
        {
            parent = Some(router);
        }
        match step.role {
            StepRole::Closes => {
                let Some(target) = self.closed_by(&step, parent) else {
                    return self.add(step, parent);
                };
                let step_time = step.time;
                if let Some(plant) = self.at(target) {
                    plant.ended = step_time;
                    plant.is_closed = true;
                    plant.result.extend(step.facts);
                }
            }
            StepRole::Gathers => {
                let gathered = self.gathered_by(&step, parent);
                self.add(step, parent);
                let own = self.plants.len() - 1;
                for part in &gathered {
                    if let Some(plant) = self.at(*part) {
                        plant.parent = Some(own);
                    }
                }
                if let Some(plant) = self.at(own) {
                    plant.parts = gathered;
                }
            }
            StepRole::Opens | StepRole::Stands => self.add(step, parent),
        }
    }

    fn at(&mut self, number: usize) -> Option<&mut Plant> {
        self.plants.get_mut(number)?.as_mut()
    }

    fn seen(&self, number: usize) -> Option<&Plant> {
        self.plants.get(number)?.as_ref()
    }

    fn last_of(&self, parent: Option<usize>) -> Option<usize> {
        self.parts_of(parent).last().copied()
    }

    fn parts_of(&self, parent: Option<usize>) -> &[usize] {
        match parent {
            Some(parent) => self.seen(parent).map_or(&[], |plant| &plant.parts),
            None => &self.top,
        }
    }

    fn is_router(&self, number: usize) -> bool {
        self.seen(number).is_some_and(|plant| is(&plant.step, "route", "router"))
    }

    fn add(&mut self, step: TraceStep, mut parent: Option<usize>) {
        let depth = parent.and_then(|parent| self.seen(parent)).map_or(0, |plant| plant.depth + 1);
        if depth > MOST_DEPTH {
            parent = parent.and_then(|parent| self.seen(parent)).and_then(|plant| plant.parent);
        }
        let own = self.plants.len();
        self.of_number.insert(step.number, own);
        let parts = Vec::new();
        let (result, is_closed, ended) = (Facts::new(), false, None);
        self.plants.push(Some(Plant {
            step,
            result,
            parts,
            parent,
            depth: depth.min(MOST_DEPTH),
            is_closed,
            ended,
        }));
        match parent.and_then(|parent| self.at(parent)) {
            Some(plant) => plant.parts.push(own),
            None => self.top.push(own),
        }
    }

    /// What a step ends: the last part beside it, or what it is a part of.
    fn closed_by(&self, step: &TraceStep, parent: Option<usize>) -> Option<usize> {
        // A verdict is told within the statement that gives it.
        if is(step, "acl", "verdict") {
            let mut at = parent;
            while let Some(number) = at {
                let plant = self.seen(number)?;
                if is(&plant.step, "acl", "acl") {
                    return Some(number);
                }
                at = plant.parent;
            }
            return None;
        }
        let fits = |number: &usize| {
            self.seen(*number).is_some_and(|plant| {
                plant.step.kind == step.kind
                    && plant.step.role == StepRole::Opens
                    && !plant.is_closed
            })
        };
        self.last_of(parent).filter(fits).or_else(|| {
            let again = is(step, "acl", "denied");
            parent.filter(|parent| fits(parent) || (again && self.seen(*parent).is_some()))
        })
    }

    /// Takes what a step came of out of what stands before it.
    fn gathered_by(&mut self, step: &TraceStep, parent: Option<usize>) -> Vec<usize> {
        let stays = |one: &TraceStep| match step.kind {
            "acl" => one.kind == "acl" || one.kind == "smtp",
            _ if step.name == "condition" => {
                one.kind == "expansion" && one.role == StepRole::Gathers
            }
            _ => {
                let came_of_others = one.kind == "expansion" && one.role == StepRole::Gathers;
                came_of_others && one.name != "condition"
            }
        };
        let parts = self.parts_of(parent);
        let last = parts.iter().rposition(|part| self.seen(*part).is_none_or(|p| stays(&p.step)));
        let start = last.map_or(0, |last| last + 1);
        match parent {
            Some(parent) => self.at(parent).map(|plant| plant.parts.split_off(start)),
            None => Some(self.top.split_off(start)),
        }
        .unwrap_or_default()
    }

    fn harvest(&mut self, numbers: Vec<usize>) -> Vec<TraceNode> {
        let mut nodes = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(plant) = self.plants.get_mut(number).and_then(Option::take) else { continue };
            let Plant { step, result, parts, ended, .. } = plant;
            let took = match (step.time, ended) {
                (Some(began), Some(ended)) => between(began, ended),
                _ => None,
            };
            let mut parts = self.harvest(parts);
            // Literal text is what it is.
            if parts.len() > 1 {
                parts.retain(|part| !part.is("expansion", "text"));
            }
            nodes.push(plain(TraceNode { step, result, parts, took }));
        }
        judge_terms(&mut nodes);
        nodes
    }
}

/// A line of a client's, which is a part of nothing else.
fn is_command(step: &TraceStep) -> bool {
    is(step, "smtp", "received") && step.text("side").bytes() == b"server"
}

fn is(step: &TraceStep, kind: &str, name: &str) -> bool {
    step.kind == kind && step.name == name
}

fn between(began: Moment, ended: Moment) -> Option<Duration> {
    let nanos = |moment: Moment| {
        moment.seconds.saturating_mul(1_000_000_000).saturating_add(moment.nanos.into())
    };
    u64::try_from(nanos(ended).saturating_sub(nanos(began))).ok().map(Duration::from_nanos)
}

/// A string that is one piece is that piece; text that means itself has no parts.
fn plain(mut node: TraceNode) -> TraceNode {
    if !node.is("expansion", "string") {
        return node;
    }
    let [part] = &node.parts[..] else { return node };
    if part.is("expansion", "text") {
        node.parts.clear();
    } else if part.step.role == StepRole::Gathers
        && part.step.fact("span") == node.step.fact("span")
        && !part.is("expansion", "condition")
        && let Some(part) = node.parts.pop()
    {
        node.step.name = part.step.name;
        node.parts = part.parts;
    }
    node
}

/// Conditions of a statement hold as long as it goes on.
fn judge_terms(nodes: &mut [TraceNode]) {
    for node in nodes.iter_mut().filter(|node| node.is("acl", "statement")) {
        let came = node.text("came").display().into_owned();
        let mut terms: Vec<_> =
            node.parts.iter_mut().filter(|part| part.is("acl", "term")).collect();
        let last = terms.len().saturating_sub(1);
        for (at, term) in terms.iter_mut().enumerate() {
            let fact = match came.as_str() {
                "fails" if at == last => Fact::Truth(false),
                "holds" => Fact::Truth(true),
                _ if at < last => Fact::Truth(true),
                "deferred" => Fact::Word("deferred"),
                "error" => Fact::Word("error"),
                "drop" => Fact::Word("drop"),
                "discard" => Fact::Word("discard"),
                _ => continue,
            };
            term.result.push(("holds", fact));
        }
    }
}
