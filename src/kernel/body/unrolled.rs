//! Loops whose index is a constant in each round, so that registers can be named by it.

/// The body for k = 0, 1, .., each a constant, as long as k is less than a constant and the condition holds.
macro_rules! unrolled {
    ($k:ident < $end:expr, while $condition:expr => $body:block) => {
        unrolled!(@ $k < $end, $condition, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)
    };
    (@ $k:ident < $end:expr, $condition:expr, $body:block, $($i:literal)*) => {
        'all: {
            $({
                const $k: usize = $i;
                if $k >= $end || !$condition {
                    break 'all;
                }
                $body
            })*
        }
    };
}

pub(super) use unrolled;
