//! Which matrices of a stack something is said of.

/// The most of them that are named.
const MAX_NAMED: usize = 5;

/// Matrices of a stack by their numbers, counted from 1: `slice 3`, `slices 3, 5`, `slices 1, 2, 3, 4, 5, .. (9 in all)`. `None`
/// if there are none.
pub(super) fn name(numbers: impl Iterator<Item = usize>) -> Option<String> {
    let (mut named, mut count) = (Vec::new(), 0_usize);
    for number in numbers {
        if count < MAX_NAMED {
            named.push(number.to_string());
        }
        count += 1;
    }
    let named = named.join(", ");
    match count {
        0 => None,
        1 => Some(format!("slice {named}")),
        2..=MAX_NAMED => Some(format!("slices {named}")),
        _ => Some(format!("slices {named}, .. ({count} in all)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_slices_are_named_and_all_are_counted() {
        assert_eq!(name([].into_iter()), None);
        assert_eq!(name([7].into_iter()).unwrap(), "slice 7");
        assert_eq!(name([1, 3, 4, 5, 9].into_iter()).unwrap(), "slices 1, 3, 4, 5, 9");
        assert_eq!(name((1..=12).map(|k| 2 * k)).unwrap(), "slices 2, 4, 6, 8, 10, .. (12 in all)");
    }
}
