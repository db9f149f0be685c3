//! `dgate/storage`: values that all runtimes of a node share, bounded.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Most bytes of keys and values together.
const LARGEST: usize = 32 << 20;
/// Most bytes of one value.
const LARGEST_VALUE: usize = 1 << 20;
/// What an entry takes besides its key and value.
const OVERHEAD: usize = 128;

/// Values by namespace and key. When it is full, those that were used longest ago go.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_key: HashMap<(String, String), Entry>,
    /// Keys by when they were last used.
    by_use: BTreeMap<u64, (String, String)>,
    uses: u64,
    bytes: usize,
}

struct Entry {
    value: Value,
    used: u64,
    bytes: usize,
    expires: Option<Instant>,
}

impl Cache {
    pub(crate) fn get(&self, namespace: &str, key: &str) -> Option<Value> {
        self.lock().get(&(namespace.to_owned(), key.to_owned())).cloned()
    }

    /// Puts a value in; `false` when it is too large.
    pub(crate) fn set(&self, namespace: &str, key: &str, value: Value, ttl: Option<Duration>) -> bool {
        self.lock().set((namespace.to_owned(), key.to_owned()), value, ttl)
    }

    pub(crate) fn delete(&self, namespace: &str, key: &str) -> bool {
        self.lock().remove(&(namespace.to_owned(), key.to_owned()))
    }

    /// Adds to a number, which is 0 when it is not there. Its time to live is set when it is new.
    pub(crate) fn increment(
        &self,
        namespace: &str,
        key: &str,
        by: f64,
        ttl: Option<Duration>,
    ) -> Option<f64> {
        let mut entries = self.lock();
        let key = (namespace.to_owned(), key.to_owned());
        let (before, ttl) = match entries.get(&key) {
            Some(value) => {
                let before = value.as_f64()?;
                let expires = entries.by_key.get(&key).and_then(|entry| entry.expires);
                (before, expires.map(|at| at.saturating_duration_since(Instant::now())))
            }
            None => (0.0, ttl),
        };
        let after = before + by;
        entries.set(key, serde_json::Number::from_f64(after)?.into(), ttl);
        Some(after)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn get(&mut self, key: &(String, String)) -> Option<&Value> {
        let expired = self.by_key.get(key)?.expires.is_some_and(|at| at <= Instant::now());
        if expired {
            self.remove(key);
            return None;
        }
        self.uses += 1;
        let entry = self.by_key.get_mut(key)?;
        self.by_use.remove(&entry.used);
        entry.used = self.uses;
        self.by_use.insert(self.uses, key.clone());
        Some(&entry.value)
    }

    fn set(&mut self, key: (String, String), value: Value, ttl: Option<Duration>) -> bool {
        let size = value.to_string().len();
        if size > LARGEST_VALUE || key.1.len() > LARGEST_VALUE {
            return false;
        }
        self.remove(&key);
        self.uses += 1;
        let bytes = size + key.0.len() + key.1.len() + OVERHEAD;
        self.bytes += bytes;
        self.by_use.insert(self.uses, key.clone());
        let expires = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        self.by_key.insert(key, Entry { value, used: self.uses, bytes, expires });
        while self.bytes > LARGEST {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some(entry) = self.by_key.remove(&oldest) {
                self.bytes -= entry.bytes;
            }
        }
        true
    }

    fn remove(&mut self, key: &(String, String)) -> bool {
        let Some(entry) = self.by_key.remove(key) else { return false };
        self.by_use.remove(&entry.used);
        self.bytes -= entry.bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn namespaces_are_apart_and_times_end() {
        let cache = Cache::default();
        assert!(cache.set("a", "k", json!({ "x": 1 }), None));
        assert!(cache.set("b", "k", json!(2), Some(Duration::ZERO)));
        assert_eq!(cache.get("a", "k"), Some(json!({ "x": 1 })));
        assert_eq!(cache.get("b", "k"), None);
        assert!(cache.delete("a", "k") && !cache.delete("a", "k"));
        assert_eq!(cache.increment("a", "n", 2.0, None), Some(2.0));
        assert_eq!(cache.increment("a", "n", -0.5, None), Some(1.5));
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let cache = Cache::default();
        let large = json!("x".repeat(1 << 19));
        for number in 0..100 {
            assert!(cache.set("a", &number.to_string(), large.clone(), None));
            cache.get("a", "0");
        }
        assert!(cache.get("a", "0").is_some(), "what is used stays");
        assert_eq!(cache.get("a", "1"), None);
        assert!(cache.lock().bytes <= LARGEST);
        assert!(!cache.set("a", "k", json!("x".repeat(LARGEST_VALUE)), None));
    }
}
