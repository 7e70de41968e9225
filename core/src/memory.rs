//! What built-ins keep from one call to the next.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, PoisonError};

/// What built-ins keep in a context from one call to the next: caches, open
/// files, a co-process. One value of each type.
#[derive(Default)]
pub struct Memory {
    kept: Vec<(TypeId, Box<dyn Any + Send>)>,
}

/// How many of them it takes no time to find.
const FRONT: usize = 4;

impl Memory {
    /// The value of a type, made if there is none.
    #[inline]
    pub fn get<T: Default + Send + 'static>(&mut self) -> &mut T {
        let found = self.other(TypeId::of::<T>(), || Box::new(T::default()));
        found.downcast_mut().expect("the value under a type's id has that type")
    }

    fn other(
        &mut self,
        wanted: TypeId,
        made: impl FnOnce() -> Box<dyn Any + Send>,
    ) -> &mut (dyn Any + Send) {
        // There are few types: to look at each is faster than to hash one, and those that
        // are asked for often come to stand before others.
        let place = match self.kept.iter().position(|(id, _)| *id == wanted) {
            Some(place @ FRONT..) => {
                self.kept.swap(place, place / 2);
                place / 2
            }
            Some(place) => place,
            None => {
                self.kept.push((wanted, made()));
                self.kept.len() - 1
            }
        };
        &mut *self.kept[place].1
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({} kinds)", self.kept.len())
    }
}

type Shared = (TypeId, Arc<dyn Any + Send + Sync>);

/// What built-ins keep for all contexts of an engine, whichever thread has them. One value
/// of each type.
#[derive(Clone, Default)]
pub struct SharedMemory {
    kept: Arc<Mutex<Vec<Shared>>>,
}

impl SharedMemory {
    /// The value of a type, made if there is none.
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = TypeId::of::<T>();
        let found = kept.iter().find(|(id, _)| *id == wanted).map(|(_, value)| value.clone());
        let value = found.unwrap_or_else(|| {
            let value: Arc<dyn Any + Send + Sync> = Arc::new(T::default());
            kept.push((wanted, value.clone()));
            value
        });
        value.downcast().expect("the value under a type's id has that type")
    }
}

impl std::fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedMemory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_keeps_its_value() {
        #[derive(Default)]
        struct Of<const N: usize>(usize);

        fn set<const N: usize>(memory: &mut Memory) {
            memory.get::<Of<N>>().0 += N;
        }

        let mut memory = Memory::default();
        for _ in 0..5 {
            set::<1>(&mut memory);
            set::<2>(&mut memory);
            set::<3>(&mut memory);
            set::<4>(&mut memory);
            set::<5>(&mut memory);
            set::<6>(&mut memory);
            set::<6>(&mut memory);
            set::<7>(&mut memory);
        }
        assert_eq!([memory.get::<Of<1>>().0, memory.get::<Of<2>>().0], [5, 10]);
        assert_eq!([memory.get::<Of<3>>().0, memory.get::<Of<4>>().0], [15, 20]);
        assert_eq!([memory.get::<Of<5>>().0, memory.get::<Of<6>>().0], [25, 60]);
        assert_eq!([memory.get::<Of<7>>().0, memory.get::<Of<8>>().0], [35, 0]);
    }
}
