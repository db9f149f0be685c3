//! The `dgate-server` program. Everything it does is in the library.

use std::process::ExitCode;

/// Many small allocations on several threads: this allocator keeps memory flat where the system's does not.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dgate_server::cli::main()
}
