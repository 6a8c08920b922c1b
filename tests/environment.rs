//! What RECFACT_ISA does to a process, which reads it once: so each test has a process of its own.

use std::env;
use std::process::Command;

use nalgebra::DMatrix;
use recfact::server::{Cause, Limits, serve};
use recfact::{Error, Isa, Lu, Options, Transpose, factor, solve};
use testing::process::{alone, this_program};
use testing::{INSTRUCTION_SETS, instruction_sets};

/// This program with a value of the variable.
fn with_isa(value: &str) -> impl FnOnce() -> Command {
    move || {
        let mut program = this_program();
        program.env("RECFACT_ISA", value);
        program
    }
}

fn matrix() -> DMatrix<f64> {
    DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0])
}

/// Names of no instruction set, and those that this CPU lacks.
fn bad_names() -> impl Iterator<Item = &'static str> {
    let lacking = INSTRUCTION_SETS.into_iter().filter(|name| !instruction_sets().contains(name));
    ["mmx", "AVX2", " ", "portable\n"].into_iter().chain(lacking)
}

#[test]
fn a_bad_name_is_an_error_of_every_call_and_nothing_is_written() {
    let run = |name| alone("a_bad_name_is_an_error_of_every_call_and_nothing_is_written", with_isa(name)).is_some();
    if bad_names().all(run) {
        return;
    }
    let asked: &str = env::var("RECFACT_ISA").unwrap().leak();
    let error = Error::InstructionSet { asked, available: Isa::available() };
    let options = Options::default();
    let (mut a, mut ipiv) = (matrix(), [7; 2]);
    assert_eq!(Isa::in_use(), Err(error));
    assert_eq!(factor(&mut a, &mut ipiv, &options), Err(error));
    assert_eq!(Lu::new(matrix(), &options).err(), Some(error));
    let mut b = DMatrix::from_element(2, 1, 9.0);
    assert_eq!(solve(Transpose::No, &a, &[1, 2], &mut b, &options), Err(error));
    assert_eq!((a, ipiv, b), (matrix(), [7; 2], DMatrix::from_element(2, 1, 9.0)));
    assert!(error.to_string().ends_with(&format!(", got {asked:?}")), "{error}");

    // An instruction set that the options name is not looked up in the environment.
    let lu = Lu::new(matrix(), &options.isa(Isa::Portable)).unwrap();
    assert_eq!(lu.ipiv(), [2, 2]);
    assert_eq!(lu.solve(&DMatrix::from_row_slice(2, 1, &[10.0, 12.0])).unwrap().len(), 2);
}

#[test]
fn a_bad_name_ends_a_session_before_its_first_request_with_an_error() {
    if alone("a_bad_name_ends_a_session_before_its_first_request_with_an_error", with_isa("mmx")).is_some() {
        return;
    }
    let request = testing::wire::request(0, 1, 1, &[2.0]);
    let (mut input, mut output) = (&request[..], Vec::new());
    let error = serve(&mut input, &mut output, &Limits { max_bytes: 1000, keep_bytes: 1000, threads: 1, engine: None })
        .unwrap_err();
    assert!(matches!(error.cause, Cause::Library(Error::InstructionSet { asked: "mmx", .. })), "{error}");
    assert!(error.to_string().starts_with("expected RECFACT_ISA to be"), "{error}");
    assert!(output.is_empty() && input.len() == request.len());
}

#[test]
fn a_good_name_is_used_and_an_empty_one_is_none() {
    let names = instruction_sets().iter().copied().chain([""]);
    let run = |name| alone("a_good_name_is_used_and_an_empty_one_is_none", with_isa(name)).is_some();
    if names.into_iter().all(run) {
        return;
    }
    let asked = env::var("RECFACT_ISA").unwrap();
    let expected = if asked.is_empty() { Isa::best().name() } else { &asked };
    assert_eq!(Isa::in_use().map(Isa::name), Ok(expected));
    assert_eq!(Lu::new(matrix(), &Options::default()).unwrap().ipiv(), [2, 2]);
}
