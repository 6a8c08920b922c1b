//! The dictionary in the header of a .npy file, as `numpy.lib.format` describes it.
//!
//! The crate `npyz` has a parser for all literals of Python. It is a tenth of the executable, and takes a time that grows
//! exponentially with the depth of brackets; a header has three entries of known types.

use super::grid::Order;

/// What the header of a file says.
pub(super) struct Header<'a> {
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
    /// The type of the elements, as a literal of Python: a string, if they have no parts.
    pub(super) descr: &'a str,
}

impl<'a> Header<'a> {
    /// Takes the values out of a dictionary. An error is what is wrong with it.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let entries = enclosed(text.trim(), '{', '}').ok_or("no dictionary")?;
        let entries = split(entries);
        let value = |name: &str| {
            let value = |entry: &&'a str| {
                let (key, value) = entry.split_once(':')?;
                (string(key.trim()) == Some(name)).then(|| value.trim())
            };
            entries.iter().find_map(value).ok_or_else(|| format!("no {name}"))
        };
        let order = match value("fortran_order")? {
            "True" => Order::Fortran,
            "False" => Order::C,
            _ => return Err("a fortran_order that is neither True nor False".into()),
        };
        let sizes = tuple(value("shape")?).ok_or("a shape that is no tuple")?;
        let shape = sizes.iter().map(|size| size.trim().parse().ok()).collect::<Option<_>>();
        let shape = shape.ok_or("a shape that holds other things than sizes")?;
        Ok(Header { shape, order, descr: value("descr")? })
    }
}

/// What a string of Python holds, if it has no escapes.
pub(super) fn string(text: &str) -> Option<&str> {
    let inside = enclosed(text, '\'', '\'').or_else(|| enclosed(text, '"', '"'))?;
    (!inside.contains(['\'', '"', '\\'])).then_some(inside)
}

/// The parts of a tuple: `()`, `(a,)`, `(a, b)`.
fn tuple(text: &str) -> Option<Vec<&str>> {
    let inside = enclosed(text, '(', ')')?.trim();
    match inside.strip_suffix(',') {
        _ if inside.is_empty() => Some(Vec::new()),
        Some(inside) => Some(split(inside)),
        None => Some(split(inside)).filter(|parts| parts.len() > 1),
    }
}

fn enclosed(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// The parts between the commas that stand outside of strings and brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quote) = (0_usize, None);
    let is_separator = |c: char| {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') => return depth == 0,
            (None, _) => {}
        }
        false
    };
    text.split(is_separator).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Vec<usize>, Order, &str), String> {
        Header::parse(text).map(|header| (header.shape, header.order, header.descr))
    }

    #[test]
    fn headers_are_read_as_numpy_writes_them_and_with_other_blanks_quotes_and_order() {
        let expected = Ok((vec![3, 4], Order::C, "'<f8'"));
        assert_eq!(parsed("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n"), expected);
        assert_eq!(parsed("{'shape':(3,4),'fortran_order':False,'descr':'<f8'}"), expected);
        let doubly = parsed("{ \"descr\" : \"<f8\" , \"fortran_order\" : True , \"shape\" : ( 3 , 4, ) }");
        assert_eq!(doubly, Ok((vec![3, 4], Order::Fortran, "\"<f8\"")));
        for (shape, expected) in [("()", vec![]), ("(7,)", vec![7]), ("(1, 2, 3)", vec![1, 2, 3])] {
            let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
            assert_eq!(parsed(&text).map(|(shape, ..)| shape), Ok(expected));
        }
    }

    #[test]
    fn elements_with_parts_are_kept_as_text() {
        let descr = "[('a, b', '<f8'), ('c', '<i4', (2, 2))]";
        let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1, 1), }}");
        assert_eq!(parsed(&text), Ok((vec![1, 1], Order::C, descr)));
        assert_eq!(string(descr), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let with = |order: &str, shape: &str| {
            parsed(&format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': {shape}}}")).unwrap_err()
        };
        assert_eq!(parsed("nonsense"), Err("no dictionary".into()));
        assert_eq!(parsed("{}"), Err("no fortran_order".into()));
        assert_eq!(parsed("{'fortran_order': False}"), Err("no shape".into()));
        assert_eq!(parsed("{'fortran_order': False, 'shape': ()}"), Err("no descr".into()));
        assert_eq!(with("None", "(1, 1)"), "a fortran_order that is neither True nor False");
        for shape in ["3", "(3)", "[3, 4]", "(3, 4", "3, 4)"] {
            assert_eq!(with("False", shape), "a shape that is no tuple", "{shape}");
        }
        for shape in ["(3, -4)", "(3, x)", "(,)", "(3,, 4)", "(3, 18446744073709551616)", "(3.0, 4)"] {
            assert_eq!(with("False", shape), "a shape that holds other things than sizes", "{shape}");
        }
    }

    #[test]
    fn any_depth_of_brackets_takes_a_moment() {
        let descr = "[".repeat(4000) + &"]".repeat(4000);
        let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1, 1), }}");
        assert_eq!(parsed(&text), Ok((vec![1, 1], Order::C, &descr[..])));
    }
}
