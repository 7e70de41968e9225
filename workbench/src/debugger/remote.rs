//! A run in one thread, and whoever debugs it in another: work and looks go there, and what
//! comes of them goes back.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Front, Halt, Resume};

type Work<D, R> = Box<dyn FnOnce(&mut D) -> R + Send>;
type Look<R> = Box<dyn FnOnce(&mut Halt<'_>) -> R + Send>;

/// What is wanted of the thread that runs.
enum Order<D, R> {
    /// Something, while no run is held up.
    Work(Work<D, R>),
    /// A look at the run that is held up.
    Look(Look<R>),
    /// That it goes on.
    Resume(Resume),
}

/// What came of it.
pub enum Came<R> {
    /// It is done, with this.
    Done(R),
    /// A run is held up, and this is to be said of it.
    HeldUp(R),
}

/// The words for what can't be said at that time.
pub struct Refusals<R> {
    /// What is said where a run is held up.
    pub held_up: fn(&mut Halt<'_>) -> R,
    /// What is said of work while one is.
    pub busy: fn() -> R,
    /// What is said of a look while none is.
    pub idle: fn() -> R,
}

/// Where orders are given.
pub struct Orders<D, R>(Sender<Order<D, R>>);

/// Where they are carried out.
pub struct Workplace<D, R> {
    orders: Arc<Mutex<Receiver<Order<D, R>>>>,
    tell: Sender<Came<R>>,
    words: Arc<Refusals<R>>,
}

/// Both ends.
pub struct RemoteEnds<D, R> {
    /// Where orders are given.
    pub orders: Orders<D, R>,
    /// What comes of them: for each one thing, in their order.
    pub came: Receiver<Came<R>>,
    /// Where they are carried out.
    pub place: Workplace<D, R>,
}

/// Two ends that belong together.
pub fn remote<D: 'static, R: Send + 'static>(words: Refusals<R>) -> RemoteEnds<D, R> {
    let (orders, taken) = channel();
    let (tell, came) = channel();
    let taken = Arc::new(Mutex::new(taken));
    let place = Workplace { orders: taken, tell, words: Arc::new(words) };
    RemoteEnds { orders: Orders(orders), came, place }
}

impl<D, R> Orders<D, R> {
    /// Does something; false where nobody is there any more.
    pub fn work(&self, work: impl FnOnce(&mut D) -> R + Send + 'static) -> bool {
        self.0.send(Order::Work(Box::new(work))).is_ok()
    }

    /// Looks at the run that is held up; false where nobody is there any more.
    pub fn look(&self, look: impl FnOnce(&mut Halt<'_>) -> R + Send + 'static) -> bool {
        self.0.send(Order::Look(Box::new(look))).is_ok()
    }

    /// Lets the run go on; false where nobody is there any more.
    pub fn resume(&self, resume: Resume) -> bool {
        self.0.send(Order::Resume(resume)).is_ok()
    }
}

impl<D: 'static, R: Send + 'static> Workplace<D, R> {
    /// Whom a debugger asks.
    pub fn front(&self) -> Box<dyn Front> {
        let (orders, tell) = (self.orders.clone(), self.tell.clone());
        Box::new(Messenger { orders, tell, words: self.words.clone() })
    }

    /// Works until nobody gives orders any more.
    pub fn work(self, mut desk: D) {
        while let Some(order) = next(&self.orders) {
            let came = match order {
                Order::Work(work) => work(&mut desk),
                Order::Look(_) | Order::Resume(_) => (self.words.idle)(),
            };
            if self.tell.send(Came::Done(came)).is_err() {
                break;
            }
        }
    }
}

fn next<D, R>(orders: &Mutex<Receiver<Order<D, R>>>) -> Option<Order<D, R>> {
    orders.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Who asks the other thread what to do.
struct Messenger<D, R> {
    orders: Arc<Mutex<Receiver<Order<D, R>>>>,
    tell: Sender<Came<R>>,
    words: Arc<Refusals<R>>,
}

impl<D, R: Send> Front for Messenger<D, R> {
    fn held_up(&mut self, halt: &mut Halt<'_>) -> Resume {
        if self.tell.send(Came::HeldUp((self.words.held_up)(halt))).is_err() {
            return Resume::Continue;
        }
        loop {
            let came = match next(&self.orders) {
                Some(Order::Look(look)) => look(halt),
                Some(Order::Work(_)) => (self.words.busy)(),
                Some(Order::Resume(resume)) => return resume,
                // Nobody is there any more.
                None => return Resume::Continue,
            };
            if self.tell.send(Came::Done(came)).is_err() {
                return Resume::Continue;
            }
        }
    }
}
