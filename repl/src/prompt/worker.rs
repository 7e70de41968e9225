//! Who does what is typed: where a run of it is held up, the prompt goes on beside it, in a
//! thread of its own. The work is done where the program began, because that is where the
//! system tells of Ctrl-C, and so whatever is waited for there ends.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use eximious_workbench::debugger::{Front, Halt, Resume};

use super::desk::Desk;
use super::held;

type Work = Box<dyn FnOnce(&mut Desk) -> Vec<u8> + Send>;
type Look = Box<dyn FnOnce(&mut Halt<'_>) -> Vec<u8> + Send>;

/// What the prompt wants.
enum Order {
    /// Something, while no run is held up.
    Work(Work),
    /// A look at the run that is held up.
    Look(Look),
    /// That it goes on.
    Resume(Resume),
}

/// What came of it.
enum Came {
    /// It is done, and this is to be said.
    Done(Vec<u8>),
    /// A run is held up.
    HeldUp(Vec<u8>),
}

/// The prompt's end of it.
pub struct Worker {
    orders: Sender<Order>,
    came: Receiver<Came>,
    is_held: bool,
}

/// The other end, where the work is done.
pub struct Workplace {
    orders: Arc<Mutex<Receiver<Order>>>,
    tell: Sender<Came>,
}

/// Both ends.
pub fn ends() -> (Worker, Workplace) {
    let (orders, taken) = channel();
    let (tell, came) = channel();
    let place = Workplace { orders: Arc::new(Mutex::new(taken)), tell };
    (Worker { orders, came, is_held: false }, place)
}

impl Workplace {
    /// Whom the debugger asks.
    pub fn front(&self) -> Box<dyn Front> {
        Box::new(Messenger { orders: self.orders.clone(), tell: self.tell.clone() })
    }

    /// Works until the prompt is gone.
    pub fn work(self, mut desk: Desk) {
        while let Some(order) = next(&self.orders) {
            let said = match order {
                Order::Work(work) => work(&mut desk),
                Order::Look(_) | Order::Resume(_) => b"nothing is held up\n".to_vec(),
            };
            if self.tell.send(Came::Done(said)).is_err() {
                break;
            }
        }
    }
}

impl Worker {
    /// Whether a run is held up.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// Does something, and says what came of it; that may be that it is held up.
    pub fn work(&mut self, work: impl FnOnce(&mut Desk) -> Vec<u8> + Send + 'static) -> Vec<u8> {
        self.order(Order::Work(Box::new(work)))
    }

    /// Looks at the run that is held up.
    pub fn look(
        &mut self,
        look: impl FnOnce(&mut Halt<'_>) -> Vec<u8> + Send + 'static,
    ) -> Vec<u8> {
        let said = self.order(Order::Look(Box::new(look)));
        self.is_held = true;
        said
    }

    /// Lets the run go on.
    pub fn resume(&mut self, resume: Resume) -> Vec<u8> {
        self.order(Order::Resume(resume))
    }

    fn order(&mut self, order: Order) -> Vec<u8> {
        let died = || b"what was typed ended the evaluation: start anew\n".to_vec();
        if self.orders.send(order).is_err() {
            return died();
        }
        match self.came.recv() {
            Ok(Came::Done(said)) => {
                self.is_held = false;
                said
            }
            Ok(Came::HeldUp(said)) => {
                self.is_held = true;
                said
            }
            Err(_) => died(),
        }
    }
}

fn next(orders: &Mutex<Receiver<Order>>) -> Option<Order> {
    orders.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Who asks the prompt what to do.
struct Messenger {
    orders: Arc<Mutex<Receiver<Order>>>,
    tell: Sender<Came>,
}

impl Front for Messenger {
    fn held_up(&mut self, halt: &mut Halt<'_>) -> Resume {
        if self.tell.send(Came::HeldUp(held::stopped(halt))).is_err() {
            return Resume::Continue;
        }
        loop {
            let said = match next(&self.orders) {
                Some(Order::Look(look)) => look(halt),
                Some(Order::Work(_)) => held::BUSY.to_vec(),
                Some(Order::Resume(resume)) => return resume,
                // The prompt is gone.
                None => return Resume::Continue,
            };
            if self.tell.send(Came::Done(said)).is_err() {
                return Resume::Continue;
            }
        }
    }
}
