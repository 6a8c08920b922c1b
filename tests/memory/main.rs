//! A process that gets no more memory: factorizations, solves and inverses take longer and give the same bits; what needs memory
//! for its result says how much it lacks. Nothing aborts.
//!
//! Each case runs in a process of its own on each instruction set. There is no test harness in it, since that has a thread
//! which takes memory. As with a harness, an argument chooses cases by a part of their name.

#[path = "../client/allocations.rs"]
mod allocations;
mod batches;
mod limit;
mod single;

use std::env;

use batches::{batches_take_memory_once, batches_without_memory};
use single::{bits_stay_without_memory, results_that_do_not_fit, the_first_call_takes_no_memory};
use testing::process::{succeed, this_program};
use testing::{Float, instruction_sets};

/// Whether all bits are equal. Takes no memory.
fn same<T: Float>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.bits() == b.bits())
}

/// By name.
const CASES: [(&str, fn()); 9] = [
    ("the_first_call_of_a_process_takes_no_memory", the_first_call_takes_no_memory),
    ("without_memory_factors_solutions_and_inverses_have_the_same_bits_f64", bits_stay_without_memory::<f64>),
    ("without_memory_factors_solutions_and_inverses_have_the_same_bits_f32", bits_stay_without_memory::<f32>),
    ("without_memory_batches_have_the_same_bits_or_are_refused_f64", batches_without_memory::<f64>),
    ("without_memory_batches_have_the_same_bits_or_are_refused_f32", batches_without_memory::<f32>),
    ("the_second_call_for_a_batch_takes_no_memory_f64", batches_take_memory_once::<f64>),
    ("the_second_call_for_a_batch_takes_no_memory_f32", batches_take_memory_once::<f32>),
    ("results_that_do_not_fit_into_memory_are_errors_f64", results_that_do_not_fit::<f64>),
    ("results_that_do_not_fit_into_memory_are_errors_f32", results_that_do_not_fit::<f32>),
];

fn main() {
    const CASE: &str = "RECFACT_TEST_CASE";
    if let Ok(name) = env::var(CASE) {
        let (_, case) = CASES.into_iter().find(|(case, _)| *case == name).expect("the name of a case");
        return case();
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return CASES.iter().for_each(|(name, _)| println!("{name}: test"));
    }
    let part = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("", String::as_str);
    let (chosen, left_out): (Vec<_>, Vec<_>) = CASES.into_iter().partition(|(name, _)| name.contains(part));
    for (name, _) in &chosen {
        for isa in instruction_sets() {
            succeed(this_program().env(CASE, name).env("RECFACT_ISA", isa));
            println!("test {name} on {isa} ... ok");
        }
    }
    println!("{} cases passed, {} left out by name", chosen.len(), left_out.len());
}
