"""Stacks of matrices: compared with NumPy, with SciPy for each slice, and to the bit with calls for one matrix."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from conftest import Array, outcome, outcomes, same_bits

import recfact

ORDERS = [1, 2, 3, 4, 5, 8, 13, 16, 17, 24, 32, 33, 45, 70]


def stack(*shape: int, dtype: Any = np.float64, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def regular(*shape: int, dtype: Any = np.float64) -> Array:
    """Matrices that are far from singular."""
    return stack(*shape, dtype=dtype) + np.asarray(shape[-1] * np.eye(shape[-1]), dtype)


def close(ours: Array, theirs: Array) -> None:
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    scale = np.abs(theirs).max(initial=1)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=float(1e3 * scale * np.finfo(theirs.dtype).eps))


@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_types_and_shapes_are_those_of_numpy(functions: Any, n: int, dtype: Any) -> None:
    for batch in ((1,), (20,), (2, 1, 3)):
        a, b = regular(*batch, n, n, dtype=dtype), regular(*batch, n, n, dtype=dtype)[..., :2]
        close(functions.solve(a, b), np.linalg.solve(a, b))
        close(functions.inv(a), np.linalg.inv(a))
        for ours, theirs in zip(functions.slogdet(a), np.linalg.slogdet(a)):
            close(ours, theirs)
        determinants = functions.det(a)
        assert (determinants.dtype, determinants.shape) == (np.float64, batch)
        np.testing.assert_allclose(determinants, scipy.linalg.det(a), rtol=float(1e3 * np.finfo(dtype).eps))


@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("nrhs", [1, 3])
def test_the_bits_are_those_of_single_calls_with_any_number_of_threads(n: int, dtype: Any, nrhs: int) -> None:
    f = recfact.inprocess
    # So many that two threads share them, and a number that no register divides.
    count = 203 if n < 20 else 37
    a, b = stack(count, n, n, dtype=dtype, seed=n), stack(count, n, nrhs, dtype=dtype)
    calls: list[Any] = [
        lambda i, t: (f.solve(a[i], b[i], threads=t),),
        lambda i, t: (f.solve(a[i], b[i], transposed=True, threads=t),),
        lambda i, t: (f.inv(a[i], threads=t),),
        lambda i, t: (f.det(a[i], threads=t),),
        lambda i, t: f.slogdet(a[i], threads=t),
        lambda i, t: f.lu_factor(a[i], threads=t),
        lambda i, t: f.lu(a[i], threads=t),
        lambda i, t: (f.lu_solve(f.lu_factor(a[i]), b[i], threads=t),),
    ]
    for call in calls:
        together = call(slice(None), 1)
        for x, y in zip(together, call(slice(None), 2)):
            assert same_bits(x, y)
        for i in range(0, count, 5):
            for x, y in zip(together, call(i, 1)):
                assert same_bits(np.asarray(x[i]), np.asarray(y))


@pytest.mark.parametrize("n", [3, 20, 50])
def test_the_server_has_the_bits_of_the_library(n: int) -> None:
    a, b = stack(2, 3, n, n), stack(3, n, 2)
    for name, arguments in (("solve", (a, b)), ("inv", (a,)), ("det", (a,)), ("slogdet", (a,)), ("lu", (a,))):
        results = [getattr(f, name)(*arguments) for f in (recfact, recfact.inprocess)]
        for x, y in zip(*(r if isinstance(r, tuple) else (r,) for r in results)):
            assert same_bits(x, y)


@pytest.mark.parametrize(
    ("a_batch", "b_batch"),
    [((), (5,)), ((5,), ()), ((1,), (5,)), ((5,), (1,)), ((2, 1), (3,)), ((3,), (2, 1)), ((2, 3), (3,)), ((), (2, 3))],
)
@pytest.mark.parametrize("n", [4, 40])
@pytest.mark.parametrize("transposed", [False, True])
def test_systems_are_broadcast(
    functions: Any, a_batch: tuple[int, ...], b_batch: tuple[int, ...], n: int, transposed: bool
) -> None:
    a, b = regular(*a_batch, n, n), stack(*b_batch, n, 3)
    x = functions.solve(a, b, transposed=transposed)
    close(x, np.linalg.solve(a.swapaxes(-1, -2) if transposed else a, b))
    assert x.flags.writeable
    close(functions.lu_solve(functions.lu_factor(a), b, int(transposed)), x)
    batch = np.broadcast_shapes(a_batch, b_batch)
    every_a, every_b = np.broadcast_to(a, (*batch, n, n)), np.broadcast_to(b, (*batch, n, 3))
    for at in np.ndindex(batch):
        assert same_bits(x[at], functions.solve(every_a[at], every_b[at], transposed=transposed))


def test_a_vector_belongs_to_every_matrix(functions: Any) -> None:
    a = regular(4, 3, 3)
    x = functions.solve(a, np.ones(3))
    assert x.shape == (4, 3)
    close(x, np.linalg.solve(a, np.ones((3, 1)))[..., 0])


def test_stacks_that_do_not_fit_each_other_are_refused(functions: Any) -> None:
    for a, b in ((np.ones((2, 3, 3)), np.ones((4, 3, 1))), (np.ones((2, 3, 3)), np.ones((2, 4)))):
        assert outcome(lambda a=a, b=b: functions.solve(a, b))[1] == "ValueError"  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 0), (0, 0, 0), (2, 0, 3, 3)])
def test_empty_stacks(functions: Any, shape: tuple[int, ...]) -> None:
    a = np.ones(shape)
    assert functions.solve(a, np.ones((*shape[:-1], 2))).shape == (*shape[:-1], 2)
    for ours, theirs in zip(functions.slogdet(a), np.linalg.slogdet(a)):
        np.testing.assert_array_equal(ours, theirs)
    for name in ("inv", "det", "lu", "lu_factor"):
        ours, theirs = outcomes(name, a, ours=functions)
        assert ours == theirs


@pytest.mark.parametrize("name", ["solve", "inv", "det", "slogdet", "lu"])
def test_a_number_is_no_matrix(functions: Any, name: str) -> None:
    arguments = (1.0, 1.0) if name == "solve" else (1.0,)
    ours, theirs = outcomes(name, *arguments, ours=functions, theirs=np.linalg if name == "slogdet" else scipy.linalg)
    assert ours == theirs


def layouts(a: Array) -> dict[str, Array]:
    """The same stack in memory of other layouts."""
    read_only = a.copy()
    read_only.flags.writeable = False
    *_, m, n = a.shape
    wide = np.zeros((len(a), 2 * m + 1, n + 3), a.dtype)
    wide[:, :m, :n] = a
    every_second = np.zeros((2 * len(a), m, n), a.dtype)
    every_second[::2] = a
    columns = np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    last = np.ascontiguousarray(np.moveaxis(a, 0, -1))
    bytes_before = np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)
    return {
        "rows": a,
        "columns": columns,
        "part of larger matrices": wide[:, :m, :n],
        "every second": every_second[::2],
        "backwards": a[::-1].copy()[::-1],
        "rows backwards": a[:, ::-1].copy()[:, ::-1],
        "elements apart": np.repeat(a, 2, axis=-1)[..., ::2],
        "stack last": np.moveaxis(last, -1, 0),
        "Fortran": np.asfortranarray(a),
        "read-only": read_only,
        "not aligned": bytes_before,
        "big-endian": a.astype(a.dtype.newbyteorder(">")),
    }


@pytest.mark.parametrize("layout", layouts(np.zeros((1, 2, 2))))
@pytest.mark.parametrize(("count", "n"), [(5, 4), (600, 4), (6, 40), (1, 3)])
def test_any_layout_gives_the_same_and_stays_as_it_is(functions: Any, layout: str, count: int, n: int) -> None:
    original, b = regular(count, n, n), stack(count, n, 2)
    a, right = layouts(original)[layout], layouts(b)[layout]
    for name in ("lu_factor", "lu", "inv", "det", "slogdet"):
        results = [getattr(functions, name)(x) for x in (a, original)]
        for x, y in zip(*(r if isinstance(r, tuple) else (r,) for r in results)):
            assert same_bits(np.asarray(x), np.asarray(y))
    assert same_bits(functions.solve(a, right), functions.solve(original, b))
    lu, piv = functions.lu_factor(original)
    assert same_bits(functions.lu_solve((layouts(lu)[layout], piv), right), functions.lu_solve((lu, piv), b))
    np.testing.assert_array_equal(a, original)
    np.testing.assert_array_equal(right, b)


def test_repeated_and_overlapping_matrices_are_read(functions: Any) -> None:
    one = regular(4, 4)
    rolling = np.lib.stride_tricks.as_strided(stack(40), (7, 4, 4), (8, 32, 8))
    for a in (np.broadcast_to(one, (5, 4, 4)), np.broadcast_to(one[0], (3, 4, 4)) + np.eye(4), rolling):
        assert same_bits(functions.inv(a), functions.inv(a.copy()))


def test_integers_and_half_precision_are_converted(functions: Any) -> None:
    a = np.random.default_rng(0).integers(-9, 9, (6, 3, 3)) + 20 * np.eye(3, dtype=int)
    for kind in "bhilefg":
        b = a[..., :1].astype(kind)
        close(functions.solve(a.astype(kind), b), scipy.linalg.solve(a.astype(kind), b))
        close(functions.inv(a.astype(kind)), scipy.linalg.inv(a.astype(kind)))


@pytest.mark.parametrize("n", [2, 5, 20, 40])
def test_singular_slices_are_named(functions: Any, n: int) -> None:
    a = regular(2, 4, n, n)
    a[0, 2] = 0
    a[1, 3, :, 1] = 0
    for call in (functions.inv, lambda a: functions.solve(a, np.ones((n, 1)))):
        with pytest.raises(recfact.LinAlgError, match=r"^A singular matrix detected: slice\(s\) \[2, 7\] are singular"):
            call(a)
    determinants, (signs, logarithms) = functions.det(a), functions.slogdet(a)
    for results, zero in ((determinants, 0), (signs, 0), (logarithms, -np.inf)):
        assert (results == zero).reshape(-1).nonzero()[0].tolist() == [2, 7]


def warned(functions: Any, name: str, *arguments: Any) -> list[tuple[str, str]]:
    """Returns the slices that a call warns of, and their condition numbers."""
    (messages, error, _) = outcome(lambda: getattr(functions, name)(*arguments))
    assert not error
    text = "".join(message for _, message in messages).partition("detected: ")[2].rstrip(".")
    parts = [part.partition(" has rcond = ") for part in text.split(",") if part]
    return [(slice, rcond) for slice, _, rcond in parts]


@pytest.mark.parametrize("n", [2, 6, 14, 20, 33, 48])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ill_conditioned_slices_are_those_of_scipy(functions: Any, n: int, dtype: Any) -> None:
    decades = -np.log10(np.finfo(dtype).eps)
    exponents = [0, decades - 2, decades + 2, 3, decades + 3]
    q = np.linalg.qr(stack(n, n))[0]
    a = np.stack([(q * np.logspace(0, -e, n)) @ q.T for e in exponents]).astype(dtype)
    b = np.ones((n, 1), dtype)
    for name, arguments in (("inv", ()), ("solve", (b,))):
        ours = warned(functions, name, a, *arguments)
        assert [slice for slice, _ in ours] == ["slice 2", "slice 4"]
        alone = [warned(functions, name, x, *arguments) for x in a]
        assert [rcond for _, rcond in ours] == [rcond for warning in alone for _, rcond in warning]
        theirs = [warned(scipy.linalg, name, x, *arguments) for x in a]
        assert [bool(warning) for warning in theirs] == [bool(warning) for warning in alone]


def test_well_conditioned_stacks_have_no_warning(functions: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in ORDERS:
            for dtype in (np.float32, np.float64):
                functions.solve(regular(5, n, n, dtype=dtype), np.ones((n, 1), dtype))
                functions.inv(regular(5, n, n, dtype=dtype))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("count", [3, 3000])
def test_what_is_not_finite_is_refused(bad: float, count: int) -> None:
    f = recfact.inprocess
    a, b = regular(count, 3, 3), np.ones((count, 3, 1))
    good = f.solve(a, b)
    for place in ((0, 0, 0), (count - 1, 2, 0)):
        worse, right = a.copy(), b.copy()
        worse[place], right[place] = bad, bad
        for call in (f.lu_factor, f.lu, f.inv, f.det, lambda x: f.solve(x, b)):
            with pytest.raises(ValueError, match=r"^array must not contain infs or NaNs$"):
                call(worse)
        with pytest.raises(ValueError, match=r"^array must not contain infs or NaNs$"):
            f.solve(a, right)
    assert same_bits(f.solve(a, b), good)


def test_a_slice_that_is_not_finite_changes_no_other(functions: Any) -> None:
    a, b = regular(5, 4, 4), np.ones((5, 4, 1))
    expected = functions.solve(a, b)
    a[2, 1, 1] = np.nan
    with pytest.warns(recfact.LinAlgWarning, match="slice 2 has rcond = nan"):
        x = functions.solve(a, b, check_finite=False)
    assert np.isnan(x[2]).any()
    assert same_bits(np.delete(x, 2, 0), np.delete(expected, 2, 0))
    assert np.isnan(functions.det(a, check_finite=False)).tolist() == [False, False, True, False, False]


def test_determinants_that_leave_the_range_come_back(functions: Any) -> None:
    scales = np.array([1e200, 1e-200, 1e308, 1e-308, -3.0])
    a = scales[:, None, None] * np.eye(4)
    a[:2, 2:, 2:] = np.eye(2) / scales[:2, None, None]
    np.testing.assert_allclose(functions.det(a), [1, 1, np.inf, 0, 81], rtol=1e-14)
    np.testing.assert_allclose(functions.slogdet(a).logabsdet[2:4], 4 * np.log(scales[2:4]))


@pytest.mark.parametrize("n", [1, 600, 1100])
def test_a_large_determinant_has_the_bits_of_the_library(n: int) -> None:
    a = stack(n, n)
    assert recfact.det(a) == recfact.inprocess.det(a)
    assert recfact.slogdet(a) == recfact.inprocess.slogdet(a)


def test_an_index_outside_is_named_in_a_stack(functions: Any) -> None:
    lu, piv = functions.lu_factor(regular(3, 2, 2))
    piv[1, 1] = 2
    with pytest.raises(ValueError, match=r"a row from 0 to 1, got piv\[1, 1\] = 2"):
        functions.lu_solve((lu, piv), np.ones((3, 2, 1)))


@pytest.mark.parametrize("name", ["Solve", "Inv", "Det"])
def test_the_tests_of_numpy_pass(functions: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy's own tests of stacks, also of no matrices and of matrices without rows; those with real numbers."""
    with warnings.catch_warnings():
        # It marks tests in a way that this run of pytest does not know.
        warnings.simplefilter("ignore")
        from numpy.linalg.tests import test_linalg as of_numpy

    for replaced in ("solve", "inv", "slogdet"):
        monkeypatch.setattr(np.linalg, replaced, getattr(functions, replaced))
    # SciPy's determinant is one in double precision.
    monkeypatch.setattr(np.linalg, "det", lambda a: np.asarray(functions.det(a), np.asarray(a).dtype)[()])
    # The determinants in single precision are compared more closely than their errors allow.
    kinds = "d" if name == "Det" else "fd"
    tested = 0
    for case in of_numpy.CASES:
        a, b = np.asarray(case.a), np.asarray(0.0 if case.b is None else case.b)
        if "square" in case.tags and a.dtype.char in kinds and b.dtype.char in "fd" and type(case.a) is np.ndarray:
            getattr(of_numpy, f"Test{name}")().do(case.a, case.b, tags=case.tags)
            tested += 1
    assert tested >= 10
