/* The functions for batches of one precision: calls that are refused and write nothing, and empty ones. A part of batch.h. */
static void NAME(check_refusals)(void) {
    T a[12], b[12], lu[12], nan[8] = {1, 3, 2, 4, 1, (T)NAN, 2, 4}, infinite[8] = {1, 3, 2, 4, 1, 3, 2, (T)-INFINITY};
    T rcond[2] = {77, 77};
    int64_t ipiv[4] = {77, 77, 77, 77}, info[2] = {77, 77};
    int32_t piv[4] = {77, 77, 77, 77};
    const int64_t rows[4] = {2, 2, 1, 2}, above[4] = {2, 2, 1, 3}, below[4] = {0, 2, 1, 2};
    recfact_determinant det[2] = {{77, 77}, {77, 77}};
    for (int at = 0; at < 12; at++) a[at] = b[at] = lu[at] = (T)(at + 1);
    char *off[6] = {(char *)a + 1, (char *)ipiv + 1, (char *)piv + 1, (char *)info + 1, (char *)det + 1, (char *)rcond + 1};
    T *odd, *odd_rcond;
    int64_t *odd_ipiv, *odd_info;
    int32_t *odd_piv;
    recfact_determinant *odd_det;
    memcpy(&odd, &off[0], sizeof odd), memcpy(&odd_ipiv, &off[1], sizeof odd), memcpy(&odd_piv, &off[2], sizeof odd);
    memcpy(&odd_info, &off[3], sizeof odd), memcpy(&odd_det, &off[4], sizeof odd);
    memcpy(&odd_rcond, &off[5], sizeof odd);
    const int64_t most = INT64_MAX, least = INT64_MIN;
    const int row = RECFACT_BATCH_ROW_MAJOR, b_row = RECFACT_BATCH_B_ROW_MAJOR, finite = RECFACT_BATCH_CHECK_FINITE;
    const int keep = RECFACT_BATCH_KEEP_A;
    struct {
        recfact_status got, expected;
    } const calls[] = {
        /* 0 */
        {FACTOR_BATCH(2, 2, 2, NULL, 2, 4, ipiv, 0, 1, info), RECFACT_NULL_POINTER},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, NULL, 0, 1, info), RECFACT_NULL_POINTER},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, 0, 1, NULL), RECFACT_NULL_POINTER},
        {FACTOR_BATCH(2, 0, 2, NULL, 2, 4, NULL, 0, 1, NULL), RECFACT_NULL_POINTER},
        {FACTOR_BATCH(-1, 2, 2, a, 2, 4, ipiv, 0, 1, info), RECFACT_NEGATIVE_SIZE},
        {FACTOR_BATCH(2, -1, 2, a, 2, 4, ipiv, 0, 1, info), RECFACT_NEGATIVE_SIZE},
        {FACTOR_BATCH(2, 2, least, a, 2, 4, ipiv, 0, 1, info), RECFACT_NEGATIVE_SIZE},
        {FACTOR_BATCH(-1, -1, -1, a, 2, 4, ipiv, 0, 1, info), RECFACT_NEGATIVE_SIZE},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, 0, -1, info), RECFACT_NEGATIVE_SIZE},
        {FACTOR_BATCH(2, 2, 2, a, 1, 4, ipiv, 0, 1, info), RECFACT_LEADING_DIMENSION},
        /* 10 */
        {FACTOR_BATCH(2, 2, 2, a, -2, 4, ipiv, 0, 1, info), RECFACT_LEADING_DIMENSION},
        {FACTOR_BATCH(2, 2, 3, a, 2, 6, ipiv, row, 1, info), RECFACT_LEADING_DIMENSION},
        {FACTOR_BATCH(2, 2, 2, a, 2, 3, ipiv, 0, 1, info), RECFACT_STRIDE},
        {FACTOR_BATCH(2, 2, 2, a, 3, 4, ipiv, row, 1, info), RECFACT_STRIDE},
        {FACTOR_BATCH(2, 2, 2, a, 2, -4, ipiv, 0, 1, info), RECFACT_STRIDE},
        {FACTOR_BATCH(1, 2, 2, a, most, 0, ipiv, 0, 1, info), RECFACT_OVERFLOW},
        {FACTOR_BATCH(2, 2, 2, a, 2, most, ipiv, 0, 1, info), RECFACT_OVERFLOW},
        {FACTOR_BATCH(most, 2, 2, a, 2, 4, ipiv, 0, 1, info), RECFACT_OVERFLOW},
        {FACTOR_BATCH(most, 0, 2, NULL, 2, 4, NULL, 0, 1, info), RECFACT_OVERFLOW},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, 1, 1, info), RECFACT_FLAG},
        /* 20 */
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, finite, 1, info), RECFACT_FLAG},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, keep, 1, info), RECFACT_FLAG},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, -1, 1, info), RECFACT_FLAG},
        {FACTOR_BATCH(2, 2, 2, odd, 2, 4, ipiv, 0, 1, info), RECFACT_MISALIGNED},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, odd_ipiv, 0, 1, info), RECFACT_MISALIGNED},
        {FACTOR_BATCH(2, 2, 2, a, 2, 4, ipiv, 0, 1, odd_info), RECFACT_MISALIGNED},
        {LU_BATCH(2, 2, 2, NULL, 2, 4, 0, lu, 2, 4, piv, 1, info), RECFACT_NULL_POINTER},
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, NULL, 2, 4, piv, 1, info), RECFACT_NULL_POINTER},
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, lu, 2, 4, NULL, 1, info), RECFACT_NULL_POINTER},
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, lu, 2, 4, piv, 1, NULL), RECFACT_NULL_POINTER},
        /* 30 */
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, lu, 2, 4, piv, -1, info), RECFACT_NEGATIVE_SIZE},
        {LU_BATCH(2, 2, -2, a, 2, 4, 0, lu, 2, 4, piv, 1, info), RECFACT_NEGATIVE_SIZE},
        {LU_BATCH(2, 2, 2, a, 2, 4, row, lu, 1, 4, piv, 1, info), RECFACT_LEADING_DIMENSION},
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, lu, 2, 3, piv, 1, info), RECFACT_STRIDE},
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, lu, 2, most, piv, 1, info), RECFACT_OVERFLOW},
        {LU_BATCH(1, (int64_t)1 << 31, 1, a, (int64_t)1 << 31, 0, 0, lu, (int64_t)1 << 31, 0, piv, 1, info),
         RECFACT_OVERFLOW},
        {LU_BATCH(2, 2, 2, a, 2, 4, b_row, lu, 2, 4, piv, 1, info), RECFACT_FLAG},
        {LU_BATCH(2, 2, 2, odd, 2, 4, 0, lu, 2, 4, piv, 1, info), RECFACT_MISALIGNED},
        {LU_BATCH(2, 2, 2, a, 2, 4, 0, lu, 2, 4, odd_piv, 1, info), RECFACT_MISALIGNED},
        {LU_BATCH(2, 2, 2, nan, 2, 4, finite, lu, 2, 4, piv, 1, info), RECFACT_NOT_FINITE},
        /* 40 */
        {LU_BATCH(2, 2, 2, infinite, 2, 4, finite | row, lu, 2, 4, piv, 1, info), RECFACT_NOT_FINITE},
        {SOLVE_BATCH('X', 2, 2, 1, a, 2, 4, rows, b, 2, 2, 0, 1), RECFACT_FLAG},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, rows, b, 2, 2, RECFACT_BATCH_KEEP_A, 1), RECFACT_FLAG},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, above, b, 2, 2, 0, 1), RECFACT_PIVOT},
        {SOLVE_BATCH('T', 2, 2, 1, a, 2, 4, below, b, 2, 2, row, 1), RECFACT_PIVOT},
        {SOLVE_BATCH('N', 2, 2, 1, NULL, 2, 4, rows, b, 2, 2, 0, 1), RECFACT_NULL_POINTER},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, NULL, b, 2, 2, 0, 1), RECFACT_NULL_POINTER},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, rows, NULL, 2, 2, 0, 1), RECFACT_NULL_POINTER},
        {SOLVE_BATCH('N', 2, 2, -1, a, 2, 4, rows, b, 2, 2, 0, 1), RECFACT_NEGATIVE_SIZE},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, rows, b, 2, 2, 0, -1), RECFACT_NEGATIVE_SIZE},
        /* 50 */
        {SOLVE_BATCH('N', 2, 2, 1, a, 1, 4, rows, b, 2, 2, 0, 1), RECFACT_LEADING_DIMENSION},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, rows, b, 1, 2, 0, 1), RECFACT_LEADING_DIMENSION},
        {SOLVE_BATCH('N', 2, 2, 2, a, 2, 4, rows, b, 1, 4, b_row, 1), RECFACT_LEADING_DIMENSION},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 3, rows, b, 2, 2, 0, 1), RECFACT_STRIDE},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, rows, b, 2, 1, 0, 1), RECFACT_STRIDE},
        {SOLVE_BATCH('N', 1, 2, most, a, 2, 4, rows, b, 2, 2, 0, 1), RECFACT_OVERFLOW},
        {SOLVE_BATCH('N', 2, 2, 1, a, 2, 4, odd_ipiv, b, 2, 2, 0, 1), RECFACT_MISALIGNED},
        {SOLVE_BATCH('N', 2, 2, 1, nan, 2, 4, rows, b, 2, 2, finite, 1), RECFACT_NOT_FINITE},
        {SOLVE_BATCH('T', 2, 2, 1, a, 2, 4, rows, infinite + 4, 2, 2, finite, 1), RECFACT_NOT_FINITE},
        {GESV_BATCH(2, 2, 1, NULL, 2, 4, ipiv, b, 2, 2, 0, NULL, 1, info), RECFACT_NULL_POINTER},
        /* 60 */
        {GESV_BATCH(2, 2, 1, a, 2, 4, NULL, b, 2, 2, 0, NULL, 1, info), RECFACT_NULL_POINTER},
        {GESV_BATCH(2, 2, 1, a, 2, 4, ipiv, NULL, 2, 2, 0, NULL, 1, info), RECFACT_NULL_POINTER},
        {GESV_BATCH(2, 2, 1, a, 2, 4, ipiv, b, 2, 2, 0, rcond, 1, NULL), RECFACT_NULL_POINTER},
        {GESV_BATCH(-2, 2, 1, a, 2, 4, ipiv, b, 2, 2, 0, rcond, 1, info), RECFACT_NEGATIVE_SIZE},
        {GESV_BATCH(2, -2, 1, a, 2, 4, ipiv, b, 2, 2, keep, rcond, 1, info), RECFACT_NEGATIVE_SIZE},
        {GESV_BATCH(2, 2, 1, a, 1, 4, ipiv, b, 2, 2, 0, rcond, 1, info), RECFACT_LEADING_DIMENSION},
        {GESV_BATCH(2, 2, 1, a, 2, 3, ipiv, b, 2, 2, 0, rcond, 1, info), RECFACT_STRIDE},
        {GESV_BATCH(2, 2, 1, a, 2, 4, ipiv, b, 2, 1, 0, rcond, 1, info), RECFACT_STRIDE},
        {GESV_BATCH(1, 2, most, a, 2, 4, ipiv, b, 2, 2, 0, rcond, 1, info), RECFACT_OVERFLOW},
        {GESV_BATCH(2, 2, 1, a, 2, 4, ipiv, b, 2, 2, 0x400, rcond, 1, info), RECFACT_FLAG},
        /* 70 */
        {GESV_BATCH(2, 2, 1, a, 2, 4, ipiv, b, 2, 2, 0, odd_rcond, 1, info), RECFACT_MISALIGNED},
        {GESV_BATCH(2, 2, 1, nan, 2, 4, ipiv, b, 2, 2, finite, rcond, 1, info), RECFACT_NOT_FINITE},
        {GESV_BATCH(2, 2, 1, a, 2, 4, ipiv, nan + 4, 2, 2, finite, rcond, 1, info), RECFACT_NOT_FINITE},
        {GESV_BATCH(2, 2, 1, infinite, 2, 4, NULL, b, 2, 2, finite | keep, rcond, 1, info), RECFACT_NOT_FINITE},
        {INVERSE_BATCH(2, 2, NULL, 2, 4, 0, b, 2, 4, NULL, 1, info), RECFACT_NULL_POINTER},
        {INVERSE_BATCH(2, 2, a, 2, 4, 0, NULL, 2, 4, NULL, 1, info), RECFACT_NULL_POINTER},
        {INVERSE_BATCH(2, 2, a, 2, 4, 0, b, 2, 4, NULL, 1, NULL), RECFACT_NULL_POINTER},
        {INVERSE_BATCH(2, -2, a, 2, 4, 0, b, 2, 4, NULL, 1, info), RECFACT_NEGATIVE_SIZE},
        {INVERSE_BATCH(2, 2, a, 2, 4, 0, b, 1, 4, NULL, 1, info), RECFACT_LEADING_DIMENSION},
        {INVERSE_BATCH(2, 2, a, 2, 4, 0, b, 2, 3, NULL, 1, info), RECFACT_STRIDE},
        /* 80 */
        {INVERSE_BATCH(2, 2, a, 2, 4, keep, b, 2, 4, NULL, 1, info), RECFACT_FLAG},
        {INVERSE_BATCH(2, 2, a, 2, 4, RECFACT_BATCH_TRANSPOSED, b, 2, 4, NULL, 1, info), RECFACT_FLAG},
        {INVERSE_BATCH(2, 2, a, 2, 4, 0, odd, 2, 4, rcond, 1, info), RECFACT_MISALIGNED},
        {INVERSE_BATCH(2, 2, nan, 2, 4, finite, b, 2, 4, rcond, 1, info), RECFACT_NOT_FINITE},
        {INVERSE_BATCH(2, 2, a, 2, most, 0, b, 2, 4, rcond, 1, info), RECFACT_OVERFLOW},
        {DET_BATCH(2, 2, NULL, 2, 4, 0, det, 1), RECFACT_NULL_POINTER},
        {DET_BATCH(2, 2, a, 2, 4, 0, NULL, 1), RECFACT_NULL_POINTER},
        {DET_BATCH(2, 2, a, 2, 4, 0, det, -1), RECFACT_NEGATIVE_SIZE},
        {DET_BATCH(2, 2, a, 1, 4, 0, det, 1), RECFACT_LEADING_DIMENSION},
        {DET_BATCH(2, 2, a, 2, 3, 0, det, 1), RECFACT_STRIDE},
        /* 90 */
        {DET_BATCH(most, 2, a, 2, 4, 0, det, 1), RECFACT_OVERFLOW},
        {DET_BATCH(2, 2, a, 2, 4, b_row, det, 1), RECFACT_FLAG},
        {DET_BATCH(2, 2, a, 2, 4, 0, odd_det, 1), RECFACT_MISALIGNED},
        {DET_BATCH(2, 2, infinite, 2, 4, finite, det, 1), RECFACT_NOT_FINITE},
    };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        if (calls[c].got != calls[c].expected) fprintf(stderr, "call %zu: %s\n", c, recfact_strerror(calls[c].got));
        assert(calls[c].got == calls[c].expected);
    }
    for (int at = 0; at < 12; at++) assert(a[at] == at + 1 && b[at] == at + 1 && lu[at] == at + 1);
    for (int at = 0; at < 4; at++) assert(ipiv[at] == 77 && piv[at] == 77);
    for (int at = 0; at < 2; at++)
        assert(info[at] == 77 && rcond[at] == 77 && det[at].mantissa == 77 && det[at].exponent == 77);
    assert(nan[4] == 1 && infinite[0] == 1);

    /* The stride of one matrix is not used; what is empty may be NULL. */
    assert(FACTOR_BATCH(1, 2, 2, a, 2, 0, ipiv, 0, 1, info) == RECFACT_SUCCESS && info[0] == 0);
    assert(SOLVE_BATCH('N', 1, 2, 1, a, 2, 0, ipiv, b, 2, 0, finite, 1) == RECFACT_SUCCESS && b[2] == 3);
    assert(FACTOR_BATCH(0, 2, 2, NULL, 2, 4, NULL, 0, 1, NULL) == RECFACT_SUCCESS);
    assert(LU_BATCH(0, 2, 2, NULL, 2, 4, row, NULL, 2, 4, NULL, 1, NULL) == RECFACT_SUCCESS);
    assert(SOLVE_BATCH('N', 0, 2, 1, NULL, 2, 4, NULL, NULL, 2, 2, row | b_row, 0) == RECFACT_SUCCESS);
    assert(SOLVE_BATCH('N', 2, 0, 1, NULL, 0, 0, NULL, NULL, 1, 0, 0, 0) == RECFACT_SUCCESS);
    assert(SOLVE_BATCH('N', 2, 2, 0, a, 2, 4, rows, NULL, 2, 0, 0, 0) == RECFACT_SUCCESS);
    assert(GESV_BATCH(0, 2, 1, NULL, 2, 4, NULL, NULL, 2, 2, 0, NULL, 0, NULL) == RECFACT_SUCCESS);
    assert(INVERSE_BATCH(0, 2, NULL, 2, 4, row, NULL, 2, 4, NULL, 0, NULL) == RECFACT_SUCCESS);
    assert(DET_BATCH(0, 2, NULL, 2, 4, 0, NULL, 0) == RECFACT_SUCCESS);
    info[0] = info[1] = 77;
    assert(FACTOR_BATCH(2, 0, 2, NULL, 0, 0, NULL, 0, 1, info) == RECFACT_SUCCESS && info[0] == 0 && info[1] == 0);
    info[0] = info[1] = 77;
    assert(GESV_BATCH(2, 0, 3, NULL, 0, 0, NULL, NULL, 0, 0, 0, rcond, 1, info) == RECFACT_SUCCESS);
    assert(info[0] == 0 && info[1] == 0 && rcond[0] == 1 && rcond[1] == 1);
    assert(DET_BATCH(2, 0, NULL, 0, 0, 0, det, 1) == RECFACT_SUCCESS && det[1].mantissa == 0.5 && det[1].exponent == 1);
}
