"""Each function is compared with that of SciPy or NumPy which it replaces: results, types, errors and warnings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from conftest import Array, matrix, outcomes
from hypothesis import given, settings
from hypothesis import strategies as st

import recfact

TYPES = "?bBhHiIlLqQefdg"
SHAPES: list[tuple[int, ...]] = [(1, 1), (1, 5), (5, 1), (2, 2), (4, 7), (7, 4), (33, 33), (40, 17)]
STACKS: list[tuple[int, ...]] = [(2, 3, 3), (1, 4, 2), (2, 3, 2, 5), (3, 1, 1)]
EMPTY: list[tuple[int, ...]] = [(0,), (0, 0), (0, 3), (3, 0), (2, 0, 3), (2, 3, 0), (2, 0, 0)]


def close(ours: Any, theirs: Any, scale: float = 1) -> None:
    """Checks that two results have the same type and shape, and the same numbers up to rounding."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    eps = np.finfo(ours.dtype).eps if ours.dtype.kind == "f" else 0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=float(2000 * scale * eps))


def check_factors(a: Array, lu: Array, piv: Array) -> None:
    """Checks P A = L U in double precision. Which of two equal pivots was taken does not matter."""
    m, n = a.shape
    k = min(m, n)
    pa = a.astype(np.float64)
    for i, p in enumerate(piv):
        assert i <= p < m
        pa[[i, p]] = pa[[p, i]]
    packed = lu.astype(np.float64)
    lower = np.tril(packed[:, :k], -1) + np.eye(m, k)
    assert np.abs(lower).max() <= 1
    bound = 20 * max(m, n) * np.finfo(lu.dtype).eps * max(1, np.abs(pa).max())
    assert np.abs(lower @ np.triu(packed[:k]) - pa).max() <= bound


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_types_and_shapes_of_lu_factor(functions: Any, kind: str, shape: tuple[int, int]) -> None:
    a = (50 * matrix(*shape, seed=len(kind))).astype(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (lu, piv), (lu2, piv2) = functions.lu_factor(a), scipy.linalg.lu_factor(a)
    assert (lu.dtype, lu.shape, lu.flags.f_contiguous) == (lu2.dtype, lu2.shape, lu2.flags.f_contiguous)
    assert (piv.dtype, piv.shape) == (piv2.dtype, piv2.shape)
    check_factors(a, lu, piv)


@settings(max_examples=150, deadline=None)
@given(
    m=st.integers(1, 40),
    n=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    order=st.sampled_from(["C", "F", "rows", "columns", "list", "read-only", "big-endian", "unaligned"]),
    single=st.booleans(),
)
def test_lu_factor_of_any_layout(m: int, n: int, seed: int, order: str, single: bool) -> None:
    a = matrix(m, n, np.float32 if single else np.float64, seed)
    argument: Any = {
        "C": lambda: np.ascontiguousarray(a),
        "F": lambda: np.asfortranarray(a),
        "rows": lambda: np.repeat(a, 2, axis=0)[::2],
        "columns": lambda: np.repeat(a, 2, axis=1)[:, ::-2][:, ::-1],
        "list": a.tolist,
        "read-only": lambda: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
        "big-endian": lambda: a.astype(a.dtype.newbyteorder(">")),
        "unaligned": lambda: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    }[order]()
    before = np.array(argument)
    for functions in (recfact, recfact.inprocess):
        lu, piv = functions.lu_factor(argument)
        check_factors(a, lu, piv)
        if not single:
            lu2, piv2 = scipy.linalg.lu_factor(argument)
            np.testing.assert_array_equal(piv, piv2)
            close(lu, lu2, 100)
    np.testing.assert_array_equal(before, np.array(argument))


@settings(max_examples=100, deadline=None)
@given(m=st.integers(1, 12), n=st.integers(1, 12), entries=st.randoms(use_true_random=False), shuffled=st.booleans())
def test_small_integers_have_zero_pivots_where_scipy_has_them(m: int, n: int, entries: Any, shuffled: bool) -> None:
    # The divisors in 3 x 3 blocks of these are 1 and 2, so no operation rounds, and a singular matrix is singular in
    # any order of its rows.
    blocks = [[[entries.choice([0, 0, 1, -1]) for _ in range(3)] for _ in range(3)] for _ in range(4)]
    rows = list(range(12))
    if shuffled:
        entries.shuffle(rows)
    a = np.asarray(scipy.linalg.block_diag(*blocks)[rows][:m, :n], np.float64)
    ours, theirs = outcomes("lu_factor", a)
    assert ours == theirs


@pytest.mark.parametrize("shape", EMPTY)
@pytest.mark.parametrize("kind", "ifd")
def test_empty(functions: Any, shape: tuple[int, ...], kind: str) -> None:
    a = np.empty(shape, kind)
    for ours, theirs in zip(functions.lu_factor(a), scipy.linalg.lu_factor(a)):
        close(ours, theirs)
    for name in ("lu", "inv", "det"):
        ours, theirs = outcomes(name, a, ours=functions)
        assert ours == theirs
        if not ours[1]:
            results = [getattr(f, name)(a) for f in (functions, scipy.linalg)]
            for ours, theirs in zip(*(r if isinstance(r, tuple) else (r,) for r in results)):
                close(ours, theirs)
    if len(shape) > 1 and shape[-1] == shape[-2]:
        b = np.ones((*shape[:-1], 2), kind)
        close(functions.solve(a, b), scipy.linalg.solve(a, b))


@pytest.mark.parametrize("shape", SHAPES + STACKS)
@pytest.mark.parametrize("kind", "efd")
@pytest.mark.parametrize("flags", [{}, {"permute_l": True}, {"p_indices": True}], ids=str)
def test_lu(functions: Any, shape: tuple[int, ...], kind: str, flags: dict[str, bool]) -> None:
    a = np.random.default_rng(1).uniform(-1, 1, shape).astype(kind)
    for ours, theirs in zip(functions.lu(a, **flags), scipy.linalg.lu(a, **flags)):
        if theirs.dtype.kind == "i":
            np.testing.assert_array_equal(ours, theirs)
        else:
            close(ours, theirs, 100)


@pytest.mark.parametrize("shape", [s for s in SHAPES + STACKS if s[-1] == s[-2]])
@pytest.mark.parametrize("kind", "bifd")
def test_det_inv_and_slogdet(functions: Any, shape: tuple[int, ...], kind: str) -> None:
    a = (np.random.default_rng(2).uniform(-1, 1, shape) + 4 * np.eye(shape[-1])).astype(kind)
    expected = scipy.linalg.det(a)
    assert type(functions.det(a)) is type(expected)
    close(functions.det(a) / expected, np.ones_like(expected), 1e8 if kind in "bf" else 1e3)
    close(functions.inv(a), scipy.linalg.inv(a))
    ours, theirs = functions.slogdet(a), np.linalg.slogdet(a)
    assert ours._fields == theirs._fields
    close(ours.sign, theirs.sign)
    close(ours.logabsdet, theirs.logabsdet)


@pytest.mark.parametrize("lu_type", "bfd")
@pytest.mark.parametrize("b_type", "?hiefd")
@pytest.mark.parametrize("b_shape", [(9,), (9, 1), (9, 4), (9, 0)])
@pytest.mark.parametrize("trans", [0, 1, 2])
def test_lu_solve(functions: Any, lu_type: str, b_type: str, b_shape: tuple[int, ...], trans: int) -> None:
    lu, piv = scipy.linalg.lu_factor((matrix(9, 9) + 5 * np.eye(9)).astype(lu_type))
    b = (10 * np.random.default_rng(3).uniform(-1, 1, b_shape)).astype(b_type)
    close(functions.lu_solve((lu, piv), b, trans), scipy.linalg.lu_solve((lu, piv), b, trans), 10)


@pytest.mark.parametrize(("a_shape", "b_shape"), [((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 2))])
def test_stacks_of_systems(functions: Any, a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(4)
    a, b = random.uniform(-1, 1, a_shape) + 4 * np.eye(3), random.uniform(-1, 1, b_shape)
    close(functions.solve(a, b), scipy.linalg.solve(a, b))
    factors = scipy.linalg.lu_factor(a)
    close(functions.lu_solve(functions.lu_factor(a), b), scipy.linalg.lu_solve(factors, b))
    for ours, theirs in zip(functions.lu_factor(a), factors):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)


@pytest.mark.parametrize("kinds", ["ff", "fd", "bf", "ii", "ef", "dd", "?b"])
def test_types_of_solve(functions: Any, kinds: str) -> None:
    a, b = (matrix(6, 6) + 3 * np.eye(6)).astype(kinds[0]), matrix(6, 2).astype(kinds[1])
    if kinds == "?b":
        a = np.eye(6, dtype=bool)
    for transposed in (False, True):
        close(
            functions.solve(a, b, transposed=transposed),
            scipy.linalg.solve(a, b, assume_a="general", transposed=transposed),
        )
    close(functions.solve([[4]], [[1, 2], [3, 4]]), scipy.linalg.solve([[4]], [[1, 2], [3, 4]]))


@pytest.mark.parametrize("kind", ["S3", "U3"])
def test_text_is_read_as_numbers(functions: Any, kind: str) -> None:
    a, b = np.array([["1", "2.5"], ["3", "1e1"]], kind), np.array(["4", "-5"], kind)
    close(functions.inv(a), scipy.linalg.inv(a))
    for arguments in ((a, b), (a, EYE), (EYE, b), (EYE.astype("f"), b)):
        close(functions.solve(*arguments), scipy.linalg.solve(*arguments))
    with pytest.raises(ValueError, match="infs or NaNs"):
        functions.inv([["nan", "1"], ["2", "3"]])


ONES, EYE, NAN = np.ones((2, 2)), np.eye(2), [[np.nan, 1], [1, 2]]
REFUSED: list[tuple[str, tuple[Any, ...]]] = [
    *((name, (NAN,)) for name in ("lu_factor", "lu", "inv", "det")),
    *((name, ([[1, 2], [3]],)) for name in ("lu_factor", "lu", "inv", "det")),
    *((name, (np.ones(3),)) for name in ("lu", "inv", "det")),
    *((name, (np.ones((2, 3)),)) for name in ("inv", "det")),
    *((name, (np.ones((0, 2, 2)),)) for name in ("lu_factor", "inv", "det")),
    *((name, (ONES,)) for name in ("lu_factor", "lu", "inv", "det")),
    *((name, (np.stack([EYE * 0, EYE]),)) for name in ("lu_factor", "inv", "det")),
    *((name, (np.ma.masked_array(EYE),)) for name in ("lu_factor", "inv", "det")),
    *((name, (EYE.astype(object),)) for name in ("lu_factor", "inv", "det")),
    *((name, ([["a", "b"], ["c", "d"]],)) for name in ("lu_factor", "lu", "inv", "det")),
    ("lu_factor", (np.zeros((3, 3)),)),
    ("lu_factor", (np.zeros((2, 2, 2)),)),
    ("det", (EYE.astype("g"),)),
    ("solve", (NAN, [1, 2])),
    ("solve", (EYE, [np.inf, 2])),
    ("solve", (ONES, [1, 2])),
    ("solve", ([[0.0]], [1])),
    ("solve", (np.ones((2, 3)), [1, 2])),
    ("solve", (np.ones((3, 3)), [1, 2])),
    ("solve", (EYE.astype(object), [1, 2])),
    ("solve", (EYE, ["a", "b"])),
    ("solve", ([["a", "b"], ["c", "d"]], [1, 2])),
    ("lu_solve", ((EYE, [0, 1]), [1, 2, 3])),
    ("lu_solve", ((EYE, [0, 1]), [np.nan, 1])),
]


@pytest.mark.parametrize(("name", "arguments"), REFUSED, ids=lambda value: value if isinstance(value, str) else None)
def test_errors_and_warnings(functions: Any, name: str, arguments: tuple[Any, ...]) -> None:
    ours, theirs = outcomes(name, *arguments, ours=functions)
    assert ours == theirs


def test_determinants_that_leave_the_range(functions: Any) -> None:
    for diagonal in ([1e300, 1e300, 0], [1e300, 1e300, 1], [1e-300, 1e-300, 1]):
        assert functions.det(np.diag(diagonal)) == scipy.linalg.det(np.diag(diagonal))
    assert functions.det(np.diag([1e38, 1e38]).astype("f")) == scipy.linalg.det(np.diag([1e38, 1e38]).astype("f"))
    np.testing.assert_allclose(functions.slogdet(np.diag([-1e300, 1e300, 1])), (-1, 2 * np.log(1e300)))


def test_slogdet_errors(functions: Any) -> None:
    for a in (np.ones(3), np.ones((2, 3))):
        ours, theirs = outcomes("slogdet", a, ours=functions, theirs=np.linalg)
        assert ours == theirs
    assert functions.slogdet(np.zeros((2, 2))) == np.linalg.slogdet(np.zeros((2, 2)))


def test_arguments_that_scipy_reads_past_are_refused(functions: Any) -> None:
    lu, piv = functions.lu_factor(EYE)
    for bad in ([0, 2], [-1, 1], [0], [0, 1, 1], "ab", None):
        with pytest.raises(ValueError, match=r"piv|row"):
            functions.lu_solve((lu, bad), [1, 2])
    with pytest.raises(ValueError, match="trans"):
        functions.lu_solve((lu, piv), [1, 2], trans="T")
    with pytest.raises(ValueError, match="Shapes"):
        functions.lu_solve((np.ones((2, 3)), piv), [1, 2])
    for threads in (0, -1):
        with pytest.raises(ValueError, match="thread"):
            functions.lu_factor(EYE, threads=threads)
    with pytest.raises(TypeError):
        functions.lu_factor(EYE, threads=1.5)


@pytest.mark.parametrize("kind", "FDG")
def test_complex_is_refused_by_name(functions: Any, kind: str) -> None:
    a = EYE.astype(kind)
    for call in (functions.lu_factor, functions.lu, functions.inv, functions.det, functions.slogdet):
        with pytest.raises(TypeError, match=r"complex.*scipy\.linalg"):
            call(a)
    for arguments in ((EYE, a[0]), (a, EYE[0])):
        with pytest.raises(TypeError, match=r"scipy\.linalg"):
            functions.solve(*arguments)
    with pytest.raises(TypeError, match=r"scipy\.linalg"):
        functions.lu_solve((EYE, [0, 1]), a[0])


def test_not_finite_is_factored_where_it_is_not_checked(functions: Any) -> None:
    lu, piv = functions.lu_factor([[np.nan, 1], [np.inf, 2]], check_finite=False)
    assert np.isnan(lu).any()
    assert piv.tolist() == [1, 1]
    with pytest.warns(recfact.LinAlgWarning, match=r"rcond = nan"):
        assert np.isnan(functions.inv([[np.nan, 1], [1, 2]], check_finite=False)).any()
    with pytest.warns(recfact.LinAlgWarning, match="rcond"):
        functions.solve([[np.nan, 1], [1, 2]], [1, 2], check_finite=False)
    assert np.isnan(functions.det([[np.nan, 1], [1, 2]], check_finite=False))


def test_ill_conditioned_matrices_are_warned_of(functions: Any) -> None:
    hilbert = scipy.linalg.hilbert(14)
    for call in (functions.inv, lambda a: functions.solve(a, np.ones(14))):
        with pytest.warns(recfact.LinAlgWarning, match=r"detected: slice 1 has rcond = .*e-1"):
            call(np.stack([np.eye(14), hilbert]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        functions.solve(scipy.linalg.hilbert(9), np.ones(9))


def test_overwriting(functions: Any) -> None:
    a = np.asfortranarray(matrix(5, 5))
    expected = functions.lu_factor(a)
    lu, piv = functions.lu_factor(a, overwrite_a=True)
    assert lu is a
    np.testing.assert_array_equal(lu, expected[0])
    b = np.ones((5, 2), order="F")
    assert np.shares_memory(functions.lu_solve((lu, piv), b, overwrite_b=True), b)
    read_only = np.asfortranarray(matrix(5, 5))
    read_only.flags.writeable = False
    unaligned = np.frombuffer(bytearray(201), np.float64, offset=1).reshape((5, 5), order="F")
    for unusable in (matrix(5, 5), matrix(5, 5).astype(">f8"), read_only, unaligned):
        before = unusable.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lu, _ = functions.lu_factor(unusable, overwrite_a=True)
        assert not np.shares_memory(lu, unusable)
        np.testing.assert_array_equal(unusable, before)
    a = np.asfortranarray(matrix(5, 5))
    before = a.copy()
    for call in (functions.lu_factor, functions.lu, functions.inv, functions.det, functions.slogdet):
        call(a)
    functions.solve(a, b)
    np.testing.assert_array_equal(a, before)


def test_without_pivoting(functions: Any) -> None:
    a = matrix(6, 4) + 4 * np.eye(6, 4)
    lu, piv = functions.lu_factor(a, pivot=False)
    assert piv.tolist() == [0, 1, 2, 3]
    lower = np.tril(lu, -1) + np.eye(6, 4)
    np.testing.assert_allclose(lower @ np.triu(lu[:4]), a, atol=1e-14)
    with pytest.warns(recfact.LinAlgWarning, match="Diagonal number 1 is exactly zero"):
        functions.lu_factor([[0, 1], [1, 0]], pivot=False)


def test_few_dimensions_are_a_column(functions: Any) -> None:
    for a in (3.0, [1.0, 4.0, 2.0]):
        for ours, theirs in zip(functions.lu_factor(a), scipy.linalg.lu_factor(a)):
            np.testing.assert_allclose(ours, theirs)
            assert ours.shape == theirs.shape


def test_a_warning_names_the_line_of_the_caller(functions: Any) -> None:
    for name, a in (("lu_factor", ONES), ("inv", scipy.linalg.hilbert(14))):
        with pytest.warns(recfact.LinAlgWarning) as caught:
            getattr(functions, name)(a)
        assert [w.filename for w in caught] == [__file__]
