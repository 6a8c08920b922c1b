use std::process::ExitCode;

use nalgebra::DMatrix;
use recfact::Options;
use recfact::client::{Client, Error};

fn main() -> ExitCode {
    match factor() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The message says what happened and what to do: there is no server, it refused the matrix, it died, ..
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn factor() -> Result<(), Error> {
    let client = Client::spawn()?;
    let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
    // After an error the next call would start a new server.
    let lu = client.lu(&a, &Options::default())?;
    println!("ipiv {:?}, U(2,2) = {}", lu.ipiv(), lu.packed()[(1, 1)]);
    let status = client.close()?;
    println!("ended well: {}", status.is_some_and(|status| status.success()));
    Ok(())
}
