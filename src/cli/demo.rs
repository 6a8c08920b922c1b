//! `recfact_server demo`: the whole way of a request, shown: this executable starts itself as a child, sends it a
//! small matrix through a pipe and checks the answer.

use std::env::current_exe;
use std::io::{self, Write};
use std::process::{Command as Process, Stdio};

use byteorder::{ByteOrder, LittleEndian};
use nalgebra::DMatrix;

use super::encode::request;
use super::exit::ExitStatus;
use super::{Failure, decode, hexdump};
use crate::files::FileElement;
use crate::lu::Lu;
use crate::protocol::{Command, EXIT, ElementType, Head, Response, Shape};

/// The matrix of the demonstration, by rows.
const A: [[f64; 3]; 3] = [[2.0, 1.0, 1.0], [4.0, 3.0, 3.0], [8.0, 7.0, 9.0]];

pub(super) fn run() -> Result<(), Failure> {
    let a = DMatrix::from_fn(3, 3, |i, j| A[i][j]);
    let (name, command) = Command::NAMES[0];
    let shape = Shape::new(3, 3, ElementType::F64).expect("3 x 3 is a shape");
    let mut frame = request(&Head { command, shape }, &a);
    frame.push(EXIT);
    let response = ask(&frame)?;

    let unusable = |error: crate::Error| Failure::data("response of the server", error);
    let parts = Response::split(&response, shape).ok_or_else(|| {
        let message = format!("expected {} bytes, got {}", shape.response_bytes(), response.len());
        Failure::data("response of the server", message)
    })?;
    let info = parts.info();
    let mut ipiv = vec![0; shape.pivots()];
    LittleEndian::read_i64_into(parts.ipiv, &mut ipiv);
    let matrix = DMatrix::from_vec(3, 3, f64::from_bytes(parts.matrix));
    let lu = Lu::from_parts(matrix, ipiv, info).map_err(unusable)?;
    let rows = lu.permutation().map_err(unusable)?;
    let error = (lu.l().map_err(unusable)? * lu.u().map_err(unusable)? - a.select_rows(&rows)).amax();

    let mut out = io::stdout().lock();
    let mut show = || -> io::Result<()> {
        writeln!(out, "A, sent to a child process over its stdin as command 0x{:02x} ({name}):", command.byte())?;
        A.iter().try_for_each(|row| writeln!(out, "  {} {} {}", row[0], row[1], row[2]))?;
        writeln!(out, "request (command, m, n, A by columns, then 0xff to exit):")?;
        hexdump::write(&mut out, &frame)?;
        writeln!(out, "response (info, L and U by columns, ipiv):")?;
        hexdump::write(&mut out, &response)?;
        decode::print(&mut out, &format!("which is info {info} and"), &lu, 6)?;
        writeln!(out, "largest error of P*A = L*U: {error:e}")
    };
    show().map_err(|error| Failure::stdout(&error))?;
    // The bound that a backward stable factorization keeps: 20 n eps max|A|.
    if error <= 20.0 * 3.0 * f64::EPSILON * a.amax() {
        Ok(())
    } else {
        Err(Failure::data("response of the server", "P*A is not L*U"))
    }
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
