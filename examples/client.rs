use nalgebra::DMatrix;
use recfact::Options;
use recfact::client::{Client, Error};

fn main() -> Result<(), Error> {
    let client = Client::spawn()?;
    let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
    match client.lu(&a, &Options::default()) {
        Ok(lu) => println!("ipiv {:?}, U(2,2) = {}", lu.ipiv(), lu.packed()[(1, 1)]),
        // A refusal, a death, a time-out: each says what happened, and the next call starts a new server.
        Err(error) => eprintln!("{error}"),
    }
    let status = client.close()?;
    println!("ended well: {}", status.is_some_and(|status| status.success()));
    Ok(())
}
