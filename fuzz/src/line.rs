//! What a launcher writes: lines of the ranks, among anything else.

use recfact_distributed::{Line, Transcript};

/// What is read as a line says the same once it is written, and no output, in whatever pieces it comes, makes more of itself than a
/// few lines.
pub fn line(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let (mut whole, mut pieces) = (Transcript::default(), Transcript::default());
    let mut of_whole = Vec::new();
    whole.take(data, &mut of_whole);
    let mut of_pieces = Vec::new();
    data.chunks(usize::from(size).max(1)).for_each(|piece| pieces.take(piece, &mut of_pieces));
    // A NaN is not equal to itself, so what the lines are written as is compared.
    let written = |lines: &[Line]| lines.iter().map(Line::to_string).collect::<Vec<_>>();
    assert_eq!(written(&of_whole), written(&of_pieces));
    for line in written(&of_whole) {
        let again: Line = line.parse().expect("a line that was written");
        assert_eq!(again.to_string(), line);
    }
    let explanation = whole.explanation().unwrap_or_default();
    assert!(explanation.len() < 500 && !explanation.contains(char::is_control), "{explanation:?}");
    assert_eq!(whole.explanation(), pieces.explanation());
}
