//! Labels: rows of four numbers, and what follows them in a response.

use recfact::Pivoting;
use recfact::protocol::label::{self as labels, Label, REQUEST_BYTES};
use recfact::protocol::{Command, HEAD_BYTES, Head};

/// What is read as a label, or as the head of a request, can be announced by a label that says the same.
pub fn label(data: &[u8]) {
    let said = labels::parse(data);
    assert!(said.is_none() || labels::begins(data));
    match said {
        Some(Label::Matrix(shape)) => {
            let command = Command::new(shape.element(), false, Pivoting::Partial);
            check(labels::announce(&Head { command, shape }), said);
        }
        Some(Label::Stack(count)) => check(labels::announce_stack(count), said),
        None => {}
    }
    let head = data.first_chunk::<HEAD_BYTES>().and_then(|head| Head::parse(head, u64::MAX).ok());
    if let Some(head) = head {
        // Whole numbers up to here are numbers of f64.
        let exists = head.shape.m().max(head.shape.n()) <= 1 << 53;
        check(labels::announce(&head), exists.then_some(Label::Matrix(head.shape)));
    }
}

/// A label, which exists if the sizes are small enough, says what it announces and is recognized.
fn check(label: Option<[u8; REQUEST_BYTES]>, expected: Option<Label>) {
    assert_eq!(label.is_some(), expected.is_some(), "{expected:?}");
    let Some(label) = label else { return };
    let (head, row) = label.split_first_chunk().expect("a label has a head");
    let head = Head::parse(head, row.len() as u64).expect("a label is a request");
    assert_eq!(head.shape.matrix_bytes(), row.len());
    assert!(labels::is_label(&head, row));
    assert_eq!(labels::parse(row), expected);
}
