//! Batches through the client: the bits, and the untouched memory, of the library's own functions.

use recfact::client::{Client, Error, Pool, Transport};
use recfact::protocol::WireElement;
use recfact::{
    BatchMut, BatchRef, Coefficients, Determinant, Geometry, Layout, Options, Pivoting, Swaps, Transpose, det_batch,
    factor_batch, gesv_batch, inverse_batch, solve_batch,
};
use testing::{Float, KINDS, Kind, bits, instruction_sets, matrix};

use crate::harness::*;

const LAYOUTS: [Layout; 2] = [Layout::ColumnMajor, Layout::RowMajor];

/// Matrices of several kinds, with numbers between them that are to stay.
#[derive(Clone)]
struct Memory<T> {
    data: Vec<T>,
    geometry: Geometry,
}

impl<T: WireElement + Float> Memory<T> {
    /// With leading dimensions and distances that are `padding` elements longer than need be.
    fn new(count: usize, shape: [usize; 2], layout: Layout, padding: usize) -> Self {
        let (length, lines) = if layout == Layout::RowMajor { (shape[1], shape[0]) } else { (shape[0], shape[1]) };
        let ld = length + padding;
        let stride = ld * lines + padding;
        let geometry = Geometry::new(count, shape, layout, ld, stride).unwrap();
        let mut data = vec![T::from_f64(0.25); geometry.span().unwrap().max(1)];
        for k in 0..count {
            let a: Vec<T> = matrix(KINDS[k % KINDS.len()], length, lines, 7 + k as u64);
            for (at, x) in a.into_iter().enumerate() {
                data[k * stride + at / length * ld + at % length] = x;
            }
        }
        Memory { data, geometry }
    }

    fn view(&self) -> BatchRef<'_, T> {
        BatchRef::new(&self.data, self.geometry).unwrap()
    }

    fn view_mut(&mut self) -> BatchMut<'_, T> {
        BatchMut::new(&mut self.data, self.geometry).unwrap()
    }
}

/// What a batch computes: the library's functions, or those of a client or of a pool.
trait Engine<T: WireElement> {
    fn factor(&self, a: Coefficients<'_, T>, swaps: Swaps<'_>, info: &mut [i64], options: &Options);
    fn solve(&self, t: Transpose, lu: BatchRef<'_, T>, ipiv: &[i64], b: BatchMut<'_, T>, options: &Options);
    fn gesv(&self, a: Coefficients<'_, T>, swaps: Swaps<'_>, b: BatchMut<'_, T>, info: &mut [i64], options: &Options);
    fn inverse(&self, a: BatchRef<'_, T>, x: BatchMut<'_, T>, info: &mut [i64], options: &Options);
    fn det(&self, a: BatchRef<'_, T>, det: &mut [Determinant], options: &Options);
}

struct Library;

macro_rules! engine {
    ($engine:ty, |$self:ident| $factor:expr, $solve:expr, $gesv:expr, $inverse:expr, $det:expr) => {
        impl<T: WireElement> Engine<T> for $engine {
            fn factor(&$self, a: Coefficients<'_, T>, swaps: Swaps<'_>, info: &mut [i64], options: &Options) {
                $factor(a, swaps, info, options).unwrap();
            }
            fn solve(&$self, t: Transpose, lu: BatchRef<'_, T>, ipiv: &[i64], b: BatchMut<'_, T>, options: &Options) {
                $solve(t, lu, ipiv, b, options).unwrap();
            }
            fn gesv(
                &$self,
                a: Coefficients<'_, T>,
                swaps: Swaps<'_>,
                b: BatchMut<'_, T>,
                info: &mut [i64],
                options: &Options,
            ) {
                $gesv(a, swaps, b, info, options).unwrap();
            }
            fn inverse(&$self, a: BatchRef<'_, T>, x: BatchMut<'_, T>, info: &mut [i64], options: &Options) {
                $inverse(a, x, info, options).unwrap();
            }
            fn det(&$self, a: BatchRef<'_, T>, det: &mut [Determinant], options: &Options) {
                $det(a, det, options).unwrap();
            }
        }
    };
}

engine!(Library, |self| factor_batch, solve_batch, gesv_batch, inverse_batch, det_batch);
macro_rules! clients {
    ($($client:ty),*) => {$(
        engine!(
            $client,
            |self| |a, s, i, o| self.factor_batch::<T>(a, s, i, o),
            |t, lu, p, b, o| self.solve_batch::<T>(t, lu, p, b, o),
            |a, s, b, i, o| self.gesv_batch::<T>(a, s, b, i, o),
            |a, x, i, o| self.inverse_batch::<T>(a, x, i, o),
            |a, d, o| self.det_batch::<T>(a, d, o)
        );
    )*};
}

clients!(Client, Pool);

/// All that the functions write for one batch, as bits.
fn results<T: WireElement + Float>(
    engine: &impl Engine<T>,
    count: usize,
    n: usize,
    [a_layout, x_layout]: [Layout; 2],
    padding: usize,
    options: &Options,
) -> Vec<Vec<u64>> {
    let mut all = Vec::new();
    let mut push = |data: &[T], integers: &[&[i64]]| {
        all.push(bits(data));
        all.extend(integers.iter().map(|integers| integers.iter().map(|&x| x as u64).collect::<Vec<u64>>()));
    };
    let a = Memory::<T>::new(count, [n, n], a_layout, padding);
    let b = Memory::<T>::new(count, [n, 3], x_layout, padding);
    // Wide, in place; and one more number in each result, which is to stay.
    let (mut wide, mut ipiv, mut info) =
        (Memory::<T>::new(count, [n, n + 2], a_layout, padding), vec![-7; count * n + 1], vec![-7; count + 1]);
    engine.factor(wide.view_mut().into(), Swaps::Lapack(&mut ipiv), &mut info, options);
    push(&wide.data, &[&ipiv, &info]);
    // Elsewhere, in the other order; then the systems of the factors.
    let mut lu = Memory::<T>::new(count, [n, n], x_layout, padding + 1);
    let coefficients = Coefficients::Copied { a: a.view(), lu: lu.view_mut() };
    engine.factor(coefficients, Swaps::Lapack(&mut ipiv), &mut info, options);
    push(&lu.data, &[&ipiv, &info]);
    for transpose in [Transpose::No, Transpose::Yes] {
        let mut x = b.clone();
        engine.solve(transpose, lu.view(), &ipiv, x.view_mut(), options);
        push(&x.data, &[]);
    }
    let (mut x, mut piv) = (b.clone(), vec![-7; count * n]);
    engine.gesv(a.view().into(), Swaps::ZeroBased(&mut piv), x.view_mut(), &mut info, options);
    push(&x.data, &[&piv.iter().map(|&row| row.into()).collect::<Vec<i64>>(), &info]);
    let (mut place, mut x) = (a.clone(), b.clone());
    engine.gesv(place.view_mut().into(), Swaps::Nowhere, x.view_mut(), &mut info, options);
    push(&place.data, &[&info]);
    push(&x.data, &[]);
    let mut inverse = Memory::<T>::new(count, [n, n], x_layout, padding);
    engine.inverse(a.view(), inverse.view_mut(), &mut info, options);
    push(&inverse.data, &[&info]);
    let mut det = vec![Determinant::ONE; count + 1];
    engine.det(a.view(), &mut det, options);
    let exponents: Vec<i64> = det.iter().map(|det| det.exponent).collect();
    let mantissas: Vec<i64> = det.iter().map(|det| Float::bits(det.mantissa) as i64).collect();
    push(&a.data, &[&exponents, &mantissas]);
    all
}

fn all_shapes<T: WireElement + Float>() {
    for isa in instruction_sets() {
        for mapped in [true, false] {
            let client = builder_on(isa).mapped(mapped).spawn().unwrap();
            for (at, (count, n)) in [(1, 1), (9, 4), (33, 2), (5, 17), (0, 3), (3, 0), (2, 70)].into_iter().enumerate()
            {
                for (padding, layouts) in LAYOUTS.into_iter().flat_map(|a| LAYOUTS.map(|x| [a, x])).enumerate() {
                    let pivoting = if at % 3 == 1 && padding == 3 { Pivoting::None } else { Pivoting::Partial };
                    let options = Options::new().pivoting(pivoting).threads(1 + at % 2);
                    let padding = padding % 3;
                    let expected = results::<T>(&Library, count, n, layouts, padding, &options);
                    let got = results::<T>(&client, count, n, layouts, padding, &options);
                    assert!(got == expected, "{count} of order {n}, {layouts:?}, {padding}, {isa}, mapped: {mapped}");
                }
            }
            assert_eq!(client.transport() == Transport::Mapped, mapped);
        }
    }
}

#[test]
fn every_batch_in_double_precision_has_the_bits_of_the_library() {
    all_shapes::<f64>();
}

#[test]
fn every_batch_in_single_precision_has_the_bits_of_the_library() {
    all_shapes::<f32>();
}

#[test]
fn a_pool_has_the_same_functions() {
    let options = Options::default();
    let layouts = [Layout::RowMajor, Layout::ColumnMajor];
    let expected = results::<f64>(&Library, 9, 4, layouts, 1, &options);
    for mapped in [true, false] {
        let pool = builder().mapped(mapped).pool(2);
        assert!(results::<f64>(&pool, 9, 4, layouts, 1, &options) == expected, "mapped: {mapped}");
    }
}

#[test]
fn a_batch_larger_than_a_pipe_goes_through_whole() {
    let options = Options::new().threads(2);
    let a = Memory::<f64>::new(3000, [8, 8], Layout::RowMajor, 1);
    let (mut expected, mut expected_info) = (a.clone(), vec![0; 3000]);
    inverse_batch(a.view(), expected.view_mut(), &mut expected_info, &options).unwrap();
    for mapped in [true, false] {
        let client = builder().mapped(mapped).spawn().unwrap();
        let (mut x, mut info) = (a.clone(), vec![0; 3000]);
        client.inverse_batch(a.view(), x.view_mut(), &mut info, &options).unwrap();
        assert!(bits(&x.data) == bits(&expected.data) && info == expected_info);
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused_before_anything_is_sent() {
    let (client, options) = (client(), Options::default());
    let server = client.server_id();
    let a = Memory::<f64>::new(3, [4, 4], Layout::ColumnMajor, 0);
    let wide = Memory::<f64>::new(3, [4, 5], Layout::ColumnMajor, 0);
    let mut b = Memory::<f64>::new(2, [4, 1], Layout::ColumnMajor, 0);
    let argument = |result: Result<(), Error>| matches!(result, Err(Error::Argument(_)));
    assert!(argument(client.factor_batch(a.view(), Swaps::Nowhere, &mut [0; 2], &options)));
    assert!(argument(client.factor_batch(a.view(), &mut [0; 11], &mut [0; 3], &options)));
    assert!(argument(client.gesv_batch(a.view(), Swaps::Nowhere, b.view_mut(), &mut [0; 3], &options)));
    assert!(argument(client.det_batch(wide.view(), &mut [Determinant::ONE; 3], &options)));
    let mut b = Memory::<f64>::new(3, [4, 1], Layout::ColumnMajor, 0);
    for bad in [0, 5, i64::MIN] {
        let ipiv = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, bad, 4];
        let error = client.solve_batch(Transpose::No, a.view(), &ipiv, b.view_mut(), &options).unwrap_err();
        assert!(matches!(error, Error::Argument(recfact::Error::Pivot { index: 3, row, m: 4 }) if row == bad));
    }
    assert!(works(&client));
    assert_eq!(client.server_id(), server);
}

#[test]
fn a_batch_over_the_limit_is_refused_and_the_server_lives_on() {
    for mapped in [true, false] {
        let client = builder().args(["--max-bytes", "10000"]).mapped(mapped).spawn().unwrap();
        let server = client.server_id();
        let mut a = Memory::<f64>::new(100, [4, 4], Layout::ColumnMajor, 0);
        let before = a.data.clone();
        let error = client.factor_batch(a.view_mut(), Swaps::Nowhere, &mut [0; 100], &Options::default()).unwrap_err();
        assert!(matches!(&error, Error::Refused { code: 3, message: Some(_), .. }), "{error}");
        assert!(error.to_string().contains("expected operands of at most 10000 bytes together, got 13600"), "{error}");
        assert!(bits(&a.data) == bits(&before));
        let few = Memory::<f64>::new(50, [4, 4], Layout::ColumnMajor, 0);
        client.factor_batch(few.view(), Swaps::Nowhere, &mut [0; 50], &Options::default()).unwrap();
        assert_eq!(client.server_id(), server);
    }
}

/// A server of version 1 answers HELLO with a refusal, and ends.
#[test]
fn a_server_without_batches_is_an_error_that_says_so_and_other_calls_go_on() {
    let old = "head -c 1 >/dev/null; printf '\\001\\000\\000\\000\\000\\000\\000\\200'; exit 1";
    let a = Memory::<f64>::new(3, [4, 4], Layout::ColumnMajor, 0);
    for mapped in [true, false] {
        let client = script(old).mapped(mapped).spawn().unwrap();
        for _ in 0..2 {
            let error = client.det_batch(a.view(), &mut [Determinant::ONE; 3], &Options::default()).unwrap_err();
            assert!(matches!(error, Error::NoBatches), "{error}");
            assert!(error.to_string().contains("update recfact_server"), "{error}");
        }
    }
    // A server of version 2 without them: features 3.
    let hello = b"RECFACT\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\x01\0\0\0";
    let answer = [&[0; 8][..], &32_u64.to_le_bytes(), hello].concat();
    // The shell waits for `cat`, and so keeps stdout open.
    let script_of = format!("head -c 13 >/dev/null; printf '{}'; cat >/dev/null; exit", octal(&answer));
    let client = script(&script_of).spawn().unwrap();
    let server = client.server_id();
    for _ in 0..2 {
        let error = client.det_batch(a.view(), &mut [Determinant::ONE; 3], &Options::default()).unwrap_err();
        assert!(matches!(error, Error::NoBatches), "{error}");
        assert_eq!(client.server_id(), server, "it lives on");
    }
}

#[test]
fn a_batch_is_cancelled_and_the_next_one_is_right() {
    let a = Memory::<f64>::new(4000, [60, 60], Layout::ColumnMajor, 0);
    for mapped in [true, false] {
        let client = builder_on("portable").mapped(mapped).spawn().unwrap();
        assert!(works(&client));
        let (server, mut x, mut info) = (client.server_id(), a.clone(), vec![-7; 4000]);
        std::thread::scope(|scope| {
            scope.spawn(|| eventually("a call is under way", || client.cancel()));
            let result = client.inverse_batch(a.view(), x.view_mut(), &mut info, &Options::default());
            assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        });
        assert!(bits(&x.data) == bits(&a.data) && info.iter().all(|&info| info == -7), "nothing was written");
        assert!(works(&client));
        let few = Memory::<f64>::new(5, [3, 3], Layout::ColumnMajor, 0);
        client.det_batch(few.view(), &mut [Determinant::ONE; 5], &Options::default()).unwrap();
        assert_eq!(client.server_id(), server);
    }
    let zero =
        Memory { data: matrix::<f64>(Kind::Zero, 4, 4, 1), geometry: Geometry::packed(1, [4, 4], Layout::RowMajor) };
    let mut info = [0];
    client().factor_batch(zero.view(), Swaps::Nowhere, &mut info, &Options::default()).unwrap();
    assert_eq!(info, [1]);
}
