//! Which methods a route answers.

use std::fmt;
use std::sync::Arc;

use http::Method;

const KNOWN: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::CONNECT,
    Method::TRACE,
];

const ALL: u16 = u16::MAX;

/// A set of methods: all, or a list.
#[derive(Clone, PartialEq, Eq)]
pub struct MethodSet {
    /// A bit for each of [`KNOWN`]; every bit stands for all methods whatsoever.
    known: u16,
    others: Option<Arc<[Method]>>,
}

impl MethodSet {
    /// Reads a list of names; `*` stands for all.
    ///
    /// # Errors
    /// The positions of the names that are no methods (RFC 9110, section 9.1).
    pub fn parse(names: &[String]) -> Result<Self, Vec<usize>> {
        let (mut known, mut others, mut wrong) = (0, Vec::new(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            if name == "*" {
                known = ALL;
                continue;
            }
            let Ok(method) = Method::from_bytes(name.to_ascii_uppercase().as_bytes()) else {
                wrong.push(index);
                continue;
            };
            match bit(&method) {
                Some(bit) => known |= bit,
                None if others.contains(&method) => {}
                None => others.push(method),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self { known, others: (!others.is_empty() && known != ALL).then(|| others.into()) })
    }

    /// No method at all.
    pub const fn none() -> Self {
        Self { known: 0, others: None }
    }

    /// Whether every method is in it.
    pub const fn is_all(&self) -> bool {
        self.known == ALL
    }

    /// Whether a method is in it.
    pub fn contains(&self, method: &Method) -> bool {
        self.is_all()
            || match bit(method) {
                Some(bit) => self.known & bit != 0,
                None => self.others.as_ref().is_some_and(|others| others.contains(method)),
            }
    }

    /// Whether both have a method in common. A list goes before `*`, so they have none in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.is_all(), other.is_all()) {
            (true, true) => true,
            (false, false) => {
                let both = |a: &Arc<[Method]>, b: &Arc<[Method]>| a.iter().any(|method| b.contains(method));
                self.known & other.known != 0
                    || self.others.as_ref().zip(other.others.as_ref()).is_some_and(|(a, b)| both(a, b))
            }
            _ => false,
        }
    }

    /// Whether a method is in it, or comes with one that is: `HEAD` with `GET`.
    pub fn answers(&self, method: &Method) -> bool {
        self.contains(method) || (*method == Method::HEAD && self.contains(&Method::GET))
    }

    /// The methods, in the usual order; for `Allow`, with the `HEAD` that comes with `GET`.
    pub fn allowed(&self) -> impl Iterator<Item = Method> {
        KNOWN
            .into_iter()
            .filter(|method| self.answers(method))
            .chain(self.others.iter().flat_map(|others| others.iter().cloned()))
    }
}

fn bit(method: &Method) -> Option<u16> {
    // In the order of how often they come.
    Some(match *method {
        Method::GET => 1,
        Method::POST => 4,
        Method::HEAD => 2,
        Method::PUT => 8,
        Method::PATCH => 16,
        Method::DELETE => 32,
        Method::OPTIONS => 64,
        Method::CONNECT => 128,
        Method::TRACE => 256,
        _ => return None,
    })
}

impl fmt::Debug for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("*");
        }
        f.debug_list().entries(self.allowed()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> MethodSet {
        MethodSet::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn lower_case_and_extension_methods_are_accepted() {
        assert!(set(&["get"]).contains(&Method::GET));
        let propfind = Method::from_bytes(b"PROPFIND").unwrap();
        assert!(set(&["PROPFIND"]).contains(&propfind));
        assert!(!set(&["GET"]).contains(&propfind));
        assert!(set(&["GET", "*"]).contains(&propfind));
        assert_eq!(MethodSet::parse(&["GET", "a b", "*", ""].map(str::to_owned)), Err(vec![1, 3]));
    }

    #[test]
    fn overlap_is_by_name_not_by_star() {
        assert!(set(&["GET", "PUT"]).overlaps(&set(&["PUT"])));
        assert!(!set(&["GET"]).overlaps(&set(&["PUT"])));
        assert!(!set(&["GET"]).overlaps(&set(&["*"])));
        assert!(set(&["*"]).overlaps(&set(&["*"])));
        assert!(set(&["PROPFIND"]).overlaps(&set(&["PROPFIND"])));
    }

    #[test]
    fn allow_names_head_with_get() {
        assert_eq!(set(&["GET"]).allowed().collect::<Vec<_>>(), [Method::GET, Method::HEAD]);
    }
}
