//! Heads of requests: 17 bytes, then the server's limit in 8 bytes, then a response.

use recfact::Pivoting;
use recfact::protocol::{Command, ElementType, HEAD_BYTES, Head, Refusal, Response, refusal_code};

use super::model::Request;

/// A head is taken or refused as [`Request::parse`] does it, has its own bytes back, and no size overflows.
pub fn request_head(data: &[u8]) {
    let Some((bytes, rest)) = data.split_first_chunk::<HEAD_BYTES>() else { return };
    let (max_bytes, response) = match rest.split_first_chunk() {
        Some((limit, response)) => (u64::from_le_bytes(*limit), response),
        None => (u64::MAX, rest),
    };
    match (Head::parse(bytes, max_bytes), Request::parse(bytes, max_bytes)) {
        (Ok(head), Ok(request)) => {
            assert_eq!(head.to_bytes(), *bytes);
            check_command(head.command, &request);
            check_sizes(&head, &request);
            check_response(&head, response);
        }
        (Err(refusal), Err(code)) => check_refusal(refusal, code),
        (parsed, expected) => panic!("expected {expected:?}, got {parsed:?}"),
    }
}

fn check_command(command: Command, request: &Request) {
    let element = if request.single { ElementType::F32 } else { ElementType::F64 };
    let pivoting = if request.pivoting { Pivoting::Partial } else { Pivoting::None };
    assert_eq!((command.element(), command.pivoting()), (element, pivoting));
    assert_eq!(command.is_threaded(), request.threaded);
    assert_eq!(Command::new(element, request.threaded, pivoting), command);
    assert!(Command::NAMES.iter().any(|&(name, named)| named == command && Command::by_name(name) == Some(command)));
}

fn check_sizes(head: &Head, request: &Request) {
    let shape = head.shape;
    let sizes = [shape.m(), shape.n(), shape.pivots(), shape.matrix_bytes(), shape.response_bytes()];
    let expected = [request.m, request.n, request.pivots(), request.matrix_bytes(), request.response_bytes()];
    assert_eq!(sizes.map(|size| size as u128), expected);
    assert_eq!(shape.element(), head.command.element());
}

/// A response is taken apart if it has the size, and its parts are its bytes.
fn check_response(head: &Head, bytes: &[u8]) {
    let response = Response::split(bytes, head.shape);
    assert_eq!(response.is_some(), bytes.len() == head.shape.response_bytes());
    if let Some(response) = response {
        assert_eq!(response.parts().concat(), bytes);
        assert_eq!(response.info().to_le_bytes(), response.info);
        assert_eq!(response.matrix.len(), head.shape.matrix_bytes());
    }
}

fn check_refusal(refusal: Refusal, code: u8) {
    assert_eq!(refusal.code(), code, "{refusal}");
    assert_eq!(refusal_code(refusal.info()), Some(code.into()));
    let message = refusal.to_string();
    assert!(message.starts_with("expected ") && !message.contains('\n'), "{message}");
}
