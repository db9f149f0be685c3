//! Bodies that are larger than any buffer: they stream, whoever is slow is waited for, and memory stays flat.

mod backpressure;
mod flat_memory;
mod gateway_process;
mod pattern;
