//! The hooks of a route, for each set of modules that a request may get.

use std::sync::Arc;

use dgate_core::hook::{HookChain, HookRunner};
use dgate_core::resource::Resource as _;
use dgate_core::snapshot::{CompiledRoute, NamespaceSnapshot};
use dgate_core::{Problem, Problems};

/// The most canary tags that the modules of one route may ask for: each may double the number of chains.
const MOST_BITS: u32 = 5;

/// The hooks of a route, for each set of modules that a request may get.
#[derive(Debug, Default)]
pub(crate) struct RouteHooks {
    /// The canary tags that the modules ask for.
    bits: u64,
    chains: Vec<Chain>,
}

/// The hooks of the modules that requests get which carry these canary tags.
#[derive(Debug, Clone)]
struct Chain {
    carried: u64,
    modules: Arc<[String]>,
    hooks: Option<Arc<dyn HookChain>>,
}

impl RouteHooks {
    /// The hooks for a request that carries these canary tags.
    pub(crate) fn of(&self, carried: u64) -> Option<&Arc<dyn HookChain>> {
        let chain = match self.chains.as_slice() {
            [only] if self.bits == 0 => Some(only),
            chains => chains.iter().find(|chain| chain.carried == carried & self.bits),
        };
        chain?.hooks.as_ref()
    }

    /// Gets the modules of a route ready to run.
    pub(super) async fn prepare(
        namespace: &NamespaceSnapshot,
        route: &CompiledRoute,
        runner: Option<&Arc<dyn HookRunner>>,
        known: Option<&Self>,
    ) -> Result<Self, Problems> {
        let about = |problem: Problem| Problems::from(problem.about(&route.spec.spec.key()));
        if !route.spec.spec.modules.iter().any(|name| namespace.has_module(name)) {
            return Ok(Self::default());
        }
        let Some(runner) = runner else {
            let problem = Problem::error("/modules", "this gateway cannot run modules");
            return Err(about(problem.with_help("build it with a hook runner")));
        };
        let bits = namespace.module_bits(route);
        if bits.count_ones() > MOST_BITS {
            let count = bits.count_ones();
            let message = format!("its modules ask for {count} canary tags: {MOST_BITS} is the most");
            return Err(about(Problem::error("/modules", message)));
        }
        let mut hooks = Self { bits, chains: Vec::new() };
        for carried in subsets(bits) {
            let modules: Arc<[String]> = namespace.modules_of(route, carried).map(str::to_owned).collect();
            let of_same = |chain: &&Chain| chain.modules == modules;
            let chain = match hooks.chains.iter().find(of_same) {
                Some(same) => same.hooks.clone(),
                None if modules.is_empty() => None,
                None => {
                    let previous = known.and_then(|known| known.chains.iter().find(of_same));
                    let previous = previous.and_then(|chain| chain.hooks.as_ref());
                    let chain = runner.prepare(namespace, route, &modules, previous).await?;
                    Some(chain).filter(|chain| !chain.hooks().is_empty())
                }
            };
            hooks.chains.push(Chain { carried, modules, hooks: chain });
        }
        Ok(hooks)
    }
}

/// All subsets of some bits, the empty one first.
fn subsets(bits: u64) -> impl Iterator<Item = u64> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let subset = next?;
        // Counts in the bits alone: a carry runs through all others.
        next = (subset != bits).then(|| (subset | !bits).wrapping_add(1) & bits);
        Some(subset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subset_comes_once() {
        assert_eq!(subsets(0).collect::<Vec<_>>(), [0]);
        assert_eq!(subsets(0b1010).collect::<Vec<_>>(), [0, 0b10, 0b1000, 0b1010]);
        assert_eq!(subsets(1 << 63).collect::<Vec<_>>(), [0, 1 << 63]);
    }
}
