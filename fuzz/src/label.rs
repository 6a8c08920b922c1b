//! Labels: rows of four numbers, and what follows them in a response.

use recfact::Pivoting;
use recfact::protocol::{Command, HEAD_BYTES, Head, label as labels};

/// What is read as a label, or as the head of a request, can be announced by a label that says the same.
pub fn label(data: &[u8]) {
    if let Some(shape) = labels::parse(data) {
        assert!(labels::begins(data));
        let command = Command::new(shape.element(), false, Pivoting::Partial);
        check(&Head { command, shape }, true);
    }
    let head = data.first_chunk::<HEAD_BYTES>().and_then(|head| Head::parse(head, u64::MAX).ok());
    if let Some(head) = head {
        // Whole numbers up to here are numbers of f64.
        check(&head, head.shape.m().max(head.shape.n()) <= 1 << 53);
    }
}

/// The label of a request, which exists if the sizes are small enough, says its shape and is recognized.
fn check(announced: &Head, exists: bool) {
    let label = labels::announce(announced);
    assert_eq!(label.is_some(), exists, "{announced:?}");
    let Some(label) = label else { return };
    let (head, row) = label.split_first_chunk().expect("a label has a head");
    let head = Head::parse(head, row.len() as u64).expect("a label is a request");
    assert_eq!(head.shape.matrix_bytes(), row.len());
    assert!(labels::is_label(&head, row));
    assert_eq!(labels::parse(row), Some(announced.shape));
}
