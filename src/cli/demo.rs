//! `recfact_server demo`: the whole way of a request, shown: this executable starts itself as a child, sends it a
//! small matrix through a pipe and checks the answer.

use std::env::current_exe;
use std::io::{self, Write};
use std::process::{Command as Process, Stdio};

use super::exit::ExitStatus;
use super::factorizations::{Factorizations, Factors};
use super::progress::Progress;
use super::responses::{Announced, Responses};
use super::row_order::RowOrder;
use super::text::Style;
use super::{Failure, decode, hexdump, stdout};
use crate::protocol::{Command, EXIT, ElementType, Head, Response, Shape};

/// The order of the matrix of the demonstration.
const N: usize = 3;

/// The matrix, by rows.
const A: [[f64; N]; N] = [[2.0, 1.0, 1.0], [4.0, 3.0, 3.0], [8.0, 7.0, 9.0]];

/// The largest magnitude in it.
const MAX_A: f64 = 9.0;

pub(super) fn run() -> Result<(), Failure> {
    let (name, command) = Command::NAMES[0];
    let shape = Shape::new(N as i64, N as i64, ElementType::F64).expect("3 x 3 is a shape");
    let request = request(&Head { command, shape });
    let response = ask(&request)?;
    let place = "response of the server";
    let Some(parts) = Response::split(&response, shape) else {
        let message = format!("expected {} bytes, got {}", shape.response_bytes(), response.len());
        return Err(Failure::data(place, message));
    };
    let mut rest = Responses::new(&response[parts.info.len()..]);
    let announced = Announced::matrix(shape).expect("a small matrix");
    let factorizations = Factorizations::read(&mut rest, &announced, parts.info())?;
    let factors = factorizations.get(0);
    let error = residual(&factors).map_err(|_| Failure::out_of_memory(place, RowOrder::bytes(N), "a check"))?;

    let mut out = stdout::open()?;
    let mut show = || -> io::Result<()> {
        writeln!(out, "A, sent to a child process over its stdin as command 0x{:02x} ({name}):", command.byte())?;
        A.iter().try_for_each(|row| writeln!(out, "  {} {} {}", row[0], row[1], row[2]))?;
        writeln!(out, "request (command, m, n, A by columns, then 0xff to exit):")?;
        hexdump::write(&mut out, &request)?;
        writeln!(out, "response (info, L and U by columns, ipiv):")?;
        hexdump::write(&mut out, &response)
    };
    show().map_err(|error| Failure::stdout(&error))?;
    let head = format!("which is info {} and", parts.info());
    let style = Style { digits: 6, compact: false };
    decode::print(&mut out, &head, &factors, style, &mut Progress::new(1, style.rows(N, N)))?;
    writeln!(out, "largest error of P*A = L*U: {error:e}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::stdout(&error))?;
    // The bound that a backward stable factorization keeps: 20 n eps max|A|.
    if error <= 20.0 * N as f64 * f64::EPSILON * MAX_A { Ok(()) } else { Err(Failure::data(place, "P*A is not L*U")) }
}

/// The session that the child gets: a request for A, and the command that ends it.
fn request(head: &Head) -> Vec<u8> {
    let mut bytes = head.to_bytes().to_vec();
    for j in 0..N {
        A.iter().for_each(|row| bytes.extend(row[j].to_le_bytes()));
    }
    bytes.push(EXIT);
    bytes
}

/// The largest magnitude in P A - L U.
fn residual(factors: &Factors<f64>) -> Result<f64, std::collections::TryReserveError> {
    let rows = RowOrder::new(factors.ipiv)?;
    let l = |i: usize, k: usize| if i == k { 1.0 } else { factors.get(i, k) };
    // (L U)(i,j) = sum of L(i,k) U(k,j) over k <= min(i, j)
    let product = |i: usize, j: usize| (0..=i.min(j)).map(|k| l(i, k) * factors.get(k, j)).sum::<f64>();
    let errors = (0..N * N).map(|at| (at / N, at % N)).map(|(i, j)| (A[rows.get(i)][j] - product(i, j)).abs());
    Ok(errors.fold(0.0, f64::max))
}

/// Starts a server, sends it a whole session and returns what it answers.
fn ask(frame: &[u8]) -> Result<Vec<u8>, Failure> {
    let start = || -> io::Result<std::process::Output> {
        let mut child =
            Process::new(current_exe()?).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        // So few bytes fit into any pipe, so they can be written before the answer is read.
        child.stdin.take().expect("stdin is piped").write_all(frame)?;
        child.wait_with_output()
    };
    let output = start().map_err(|error| Failure::io("expected to run recfact_server as a child, got", &error))?;
    if !output.status.success() {
        return Err(Failure::new(ExitStatus::Data, format_args!("the server ended with {}", output.status)));
    }
    Ok(output.stdout)
}
