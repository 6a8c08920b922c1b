//! Where the elements of an array are.

/// How the elements of an array follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The last index changes first (NumPy's C order): a matrix row by row, as in text.
    C,
    /// The first index changes first (Fortran order): a matrix column by column.
    Fortran,
    /// One matrix after the other, each column by column, as on the wire.
    Wire,
}

/// Where the elements of a vector, a matrix or a stack of matrices are. Whatever it is, it counts as a stack: of one matrix,
/// which has one column if it is a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    dimensions: usize,
    /// Matrices, rows, columns.
    sides: [usize; 3],
    /// Elements from one matrix, row and column to the next.
    strides: [usize; 3],
}

impl Grid {
    /// An array of this shape: (n), (m, n) or (count, m, n). `None` if it has another number of dimensions, or if its elements
    /// are too many to be counted.
    #[must_use]
    pub fn new(shape: &[usize], order: Order) -> Option<Self> {
        let sides = match *shape {
            [n] => [1, n, 1],
            [m, n] => [1, m, n],
            [count, m, n] => [count, m, n],
            _ => return None,
        };
        let [count, m, n] = sides;
        let one = m.checked_mul(n)?;
        one.checked_mul(count)?;
        let strides = match order {
            Order::C => [one, n, 1],
            Order::Fortran => [1, count, count.checked_mul(m)?],
            Order::Wire => [one, 1, m],
        };
        Some(Grid { dimensions: shape.len(), sides, strides })
    }

    /// The shape: one to three sizes.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        match self.dimensions {
            1 => &self.sides[1..2],
            2 => &self.sides[1..],
            _ => &self.sides,
        }
    }

    /// Matrices, and rows and columns of each.
    #[must_use]
    pub fn sides(&self) -> [usize; 3] {
        self.sides
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        let [count, m, n] = self.sides;
        // The product of the first two may overflow if the last one is zero.
        m * n * count
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sides.contains(&0)
    }

    /// The number of element (i, j) of matrix k, all counted from 0.
    ///
    /// # Panics
    /// If it is outside of the array.
    #[must_use]
    pub fn at(&self, k: usize, i: usize, j: usize) -> usize {
        let ([count, m, n], [matrix, row, column]) = (self.sides, self.strides);
        assert!(k < count && i < m && j < n, "at: element ({i}, {j}) of matrix {k} of {count}, {m} x {n}");
        k * matrix + i * row + j * column
    }

    /// The numbers of all elements, in C order.
    pub fn in_c_order(&self) -> impl Iterator<Item = usize> {
        let [_, m, n] = self.sides;
        (0..self.len()).map(move |at| self.at(at / (m * n), at / n % m, at % n))
    }

    /// Whether the elements of a column stand closer together than those of a row.
    pub(super) fn is_by_columns(&self) -> bool {
        self.strides[1] <= self.strides[2]
    }
}

/// A shape in words: `3 x 4`.
#[must_use]
pub fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    sizes.join(" x ")
}
