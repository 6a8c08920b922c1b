/* The calls of one precision: T is its type, SUFFIX the end of its names, EPSILON its unit roundoff, doubled. */
#define PASTE(name, suffix, rest) name##_##suffix##rest
#define EXPAND(name, suffix, rest) PASTE(name, suffix, rest)
#define NAME(name, rest) EXPAND(name, SUFFIX, rest)
#define QUOTE(text) #text
#define QUOTED(text) QUOTE(text)
#define PRECISION QUOTED(SUFFIX)
#define FACTOR NAME(recfact_factor, )
#define SOLVE NAME(recfact_solve, )
#define LU NAME(recfact_lu, )

static void NAME(short_forms, )(void) {
    int64_t (*const forms[])(T *, int64_t, int64_t, int64_t *) = {NAME(recursive_lu, ), NAME(recursive_lu, _threaded),
                                                                  NAME(recursive_lu, _nopiv),
                                                                  NAME(recursive_lu, _threaded_nopiv)};
    for (int f = 0; f < 4; f++) {
        /* Columns (1, 3), (2, 4): with pivoting U = (3, 4; 0, 2/3), without (1, 2; 0, -2). */
        T a[4] = {1, 3, 2, 4};
        int64_t ipiv[2] = {0, 0};
        assert(forms[f](a, 2, 2, ipiv) == 0);
        int pivoting = f < 2;
        assert(a[0] == (pivoting ? 3 : 1) && a[2] == (pivoting ? 4 : 2));
        assert(pivoting ? fabs(a[3] - (T)2 / 3) < 4 * EPSILON : a[3] == -2);
        assert(ipiv[0] == (pivoting ? 2 : 1) && ipiv[1] == 2);
        T zero[4] = {1, 0, 0, 0};
        assert(forms[f](zero, 2, 2, ipiv) == (pivoting ? 2 : -2));
        assert(forms[f](NULL, 0, 5, NULL) == 0 && forms[f](NULL, 5, 0, NULL) == 0);
        T kept[4] = {1, 3, 2, 4};
        ipiv[0] = 77;
        assert(forms[f](NULL, 2, 2, ipiv) == INT64_MIN + RECFACT_NULL_POINTER);
        assert(forms[f](kept, 2, 2, NULL) == INT64_MIN + RECFACT_NULL_POINTER);
        assert(forms[f](kept, -2, 2, ipiv) == INT64_MIN + RECFACT_NEGATIVE_SIZE);
        assert(forms[f](kept, INT64_MAX, INT64_MAX, ipiv) == INT64_MIN + RECFACT_OVERFLOW);
        assert(kept[0] == 1 && kept[1] == 3 && kept[2] == 2 && kept[3] == 4 && ipiv[0] == 77);
    }
}

/* A X = B and A^T X = B with padded columns, on 1 thread and on as many as there are: the same bits. */
static void NAME(factor_and_solve, )(void) {
    enum { LDA = N + 5, LDB = N + 2 };
    T *a = malloc(sizeof(T) * LDA * N), *lu = malloc(sizeof(T) * LDA * N), *again = malloc(sizeof(T) * LDA * N);
    int64_t *ipiv = malloc(sizeof(int64_t) * N), info = 77;
    assert(a && lu && again && ipiv);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < LDA; i++) a[i + j * LDA] = i < N ? (T)entry(i, j) : (T)-777;
    memcpy(lu, a, sizeof(T) * LDA * N);
    memcpy(again, a, sizeof(T) * LDA * N);
    assert(FACTOR(N, N, lu, LDA, ipiv, RECFACT_PARTIAL_PIVOTING, 0, &info) == RECFACT_SUCCESS);
    assert(info == 0);
    assert(FACTOR(N, N, again, LDA, ipiv, RECFACT_PARTIAL_PIVOTING, 1, &info) == 0);
    assert(memcmp(lu, again, sizeof(T) * LDA * N) == 0);
    for (int j = 0; j < N; j++)
        for (int i = N; i < LDA; i++) assert(lu[i + j * LDA] == -777);
    const char trans[] = {'N', 'n', 'T', 't', 'C', 'c'};
    for (int t = 0; t < 6; t++) {
        T b[LDB * NRHS], x[LDB * NRHS];
        for (int at = 0; at < LDB * NRHS; at++) x[at] = b[at] = (T)(at % 11) - 5;
        assert(SOLVE(trans[t], N, NRHS, lu, LDA, ipiv, x, LDB, t % 3) == RECFACT_SUCCESS);
        for (int j = 0; j < NRHS; j++) {
            double largest = 0;
            for (int i = 0; i < N; i++) largest = fmax(largest, fabs((double)x[i + j * LDB]));
            for (int i = 0; i < N; i++) {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += (double)(t < 2 ? a[i + k * LDA] : a[k + i * LDA]) * x[k + j * LDB];
                assert(fabs(sum - b[i + j * LDB]) <= 20.0 * N * N * EPSILON * (largest + 1));
            }
            for (int i = N; i < LDB; i++) assert(x[i + j * LDB] == b[i + j * LDB]);
        }
    }
    free(a), free(lu), free(again), free(ipiv);
}

static void NAME(refusals, )(void) {
    T a[4] = {1, 3, 2, 4}, b[2] = {5, 6};
    int64_t ipiv[2] = {77, 77}, bad[2] = {1, 3}, info = 77;
    char *off = (char *)a + 1;
    T *odd;
    memcpy(&odd, &off, sizeof odd);
    struct {
        recfact_status got, expected;
    } const calls[] = {
        {FACTOR(2, 2, a, 2, ipiv, 1, 1, NULL), RECFACT_NULL_POINTER},
        {FACTOR(2, 2, NULL, 2, ipiv, 1, 1, &info), RECFACT_NULL_POINTER},
        {FACTOR(2, 2, a, 2, NULL, 1, 1, &info), RECFACT_NULL_POINTER},
        {FACTOR(-1, 2, a, 2, ipiv, 1, 1, &info), RECFACT_NEGATIVE_SIZE},
        {FACTOR(2, INT64_MIN, a, 2, ipiv, 1, 1, &info), RECFACT_NEGATIVE_SIZE},
        {FACTOR(2, 2, a, 2, ipiv, 1, -1, &info), RECFACT_NEGATIVE_SIZE},
        {FACTOR(2, 2, a, 1, ipiv, 1, 1, &info), RECFACT_LEADING_DIMENSION},
        {FACTOR(2, 2, a, -2, ipiv, 1, 1, &info), RECFACT_LEADING_DIMENSION},
        {FACTOR(2, 2, a, INT64_MAX, ipiv, 1, 1, &info), RECFACT_OVERFLOW},
        {FACTOR(INT64_MAX, 1, a, INT64_MAX, ipiv, 1, 1, &info), RECFACT_OVERFLOW},
        {FACTOR(2, 2, a, 2, ipiv, 2, 1, &info), RECFACT_FLAG},
        {FACTOR(2, 2, odd, 2, ipiv, 1, 1, &info), RECFACT_MISALIGNED},
        {SOLVE('X', 2, 1, a, 2, bad, b, 2, 1), RECFACT_FLAG},
        {SOLVE('N', 2, 1, a, 2, bad, b, 2, 1), RECFACT_PIVOT},
        {SOLVE('N', -2, 1, a, 2, bad, b, 2, 1), RECFACT_NEGATIVE_SIZE},
        {SOLVE('N', 2, -1, a, 2, bad, b, 2, 1), RECFACT_NEGATIVE_SIZE},
        {SOLVE('N', 2, 1, a, 2, bad, b, 2, -1), RECFACT_NEGATIVE_SIZE},
        {SOLVE('N', 2, 1, a, 1, bad, b, 2, 1), RECFACT_LEADING_DIMENSION},
        {SOLVE('N', 2, 1, a, 2, bad, b, 1, 1), RECFACT_LEADING_DIMENSION},
        {SOLVE('N', 2, INT64_MAX, a, 2, bad, b, 2, 1), RECFACT_OVERFLOW},
        {SOLVE('N', 2, 1, NULL, 2, bad, b, 2, 1), RECFACT_NULL_POINTER},
        {SOLVE('N', 2, 1, a, 2, NULL, b, 2, 1), RECFACT_NULL_POINTER},
        {SOLVE('N', 2, 1, a, 2, bad, NULL, 2, 1), RECFACT_NULL_POINTER},
    };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        if (calls[c].got != calls[c].expected) printf(PRECISION " call %zu: %s\n", c, recfact_strerror(calls[c].got));
        assert(calls[c].got == calls[c].expected);
    }
    assert(a[0] == 1 && a[1] == 3 && a[2] == 2 && a[3] == 4 && b[0] == 5 && b[1] == 6);
    assert(ipiv[0] == 77 && ipiv[1] == 77 && info == 77);
    assert(FACTOR(0, 3, NULL, 0, NULL, 1, 1, &info) == RECFACT_SUCCESS && info == 0);
    assert(SOLVE('T', 0, 3, NULL, 0, NULL, NULL, 0, 1) == RECFACT_SUCCESS);
    /* No elements, however large the other size is: nothing to do, at once. */
    assert(SOLVE('N', 0, INT64_MAX, NULL, INT64_MAX, NULL, NULL, INT64_MAX, 0) == RECFACT_SUCCESS);
    assert(FACTOR(0, INT64_MAX, NULL, INT64_MAX, NULL, 1, 0, &info) == RECFACT_SUCCESS && info == 0);
    assert(FACTOR(INT64_MAX, 0, NULL, INT64_MAX, NULL, 0, 0, &info) == RECFACT_SUCCESS && info == 0);
    T zero[1] = {0};
    assert(FACTOR(1, 1, zero, 1, ipiv, RECFACT_NO_PIVOTING, 1, &info) == 0 && info == -1);
}

/* The factors at another place have the bits of those in place, for every order, flag and padding; A stays. */
static void NAME(out_of_place, )(void) {
    static const int shapes[][2] = {{1, 1}, {2, 2}, {7, 3}, {3, 7}, {64, 64}, {N, N}, {520, 514}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int m = shapes[s][0], n = shapes[s][1], k = m < n ? m : n, lda = m + 3;
        T *columns = malloc(sizeof(T) * lda * n), *rows = malloc(sizeof(T) * m * (n + 2));
        T *expected = malloc(sizeof(T) * m * n), *lu = malloc(sizeof(T) * lda * n);
        int64_t *ipiv = malloc(sizeof(int64_t) * k), info, expected_info;
        int32_t *piv = malloc(sizeof(int32_t) * k);
        assert(columns && rows && expected && lu && ipiv && piv);
        /* Two calls are enough for the pivots of a large one; under valgrind it takes long. */
        for (int f = 0; f < 8; f += m < 500 ? 1 : 7) {
            for (int i = 0; i < m; i++)
                for (int j = 0; j < n; j++)
                    expected[i + j * m] = columns[i + j * lda] = rows[i * (n + 2) + j] =
                        j == 1 && i > 0 ? 0 : (T)entry(i, j);
            int flags = (f & 1 ? RECFACT_LU_NO_PIVOTING : 0) | (f & 2 ? RECFACT_LU_ROW_MAJOR : 0) |
                        (f & 4 ? RECFACT_LU_CHECK_FINITE : 0);
            for (int at = 0; at < lda * n; at++) lu[at] = -777;
            assert(FACTOR(m, n, expected, m, ipiv, !(f & 1), 1, &expected_info) == RECFACT_SUCCESS);
            const T *a = f & 2 ? rows : columns;
            assert(LU(m, n, a, f & 2 ? n + 2 : lda, flags, lu, lda, piv, f % 3, &info) == RECFACT_SUCCESS);
            assert(info == expected_info);
            for (int j = 0; j < n; j++) {
                assert(memcmp(lu + j * lda, expected + j * m, sizeof(T) * m) == 0);
                for (int i = m; i < lda; i++) assert(lu[i + j * lda] == -777);
            }
            for (int i = 0; i < k; i++) assert(piv[i] == ipiv[i] - 1);
            for (int i = 0; i < m; i++)
                for (int j = 0; j < n; j++) {
                    T original = j == 1 && i > 0 ? 0 : (T)entry(i, j);
                    assert(columns[i + j * lda] == original && rows[i * (n + 2) + j] == original);
                }
        }
        free(columns), free(rows), free(expected), free(lu), free(ipiv), free(piv);
    }
}

static void NAME(refusals_out_of_place, )(void) {
    T a[6] = {1, 3, 2, 4, 5, 6}, nan[4] = {1, 3, (T)NAN, 4}, infinite[4] = {1, 3, 2, (T)-INFINITY};
    T lu[6] = {77, 77, 77, 77, 77, 77};
    int32_t piv[2] = {77, 77};
    int64_t info = 77;
    char *off = (char *)a + 1, *odd_piv = (char *)piv + 1;
    T *odd;
    int32_t *odd_swaps;
    memcpy(&odd, &off, sizeof odd);
    memcpy(&odd_swaps, &odd_piv, sizeof odd_swaps);
    struct {
        recfact_status got, expected;
    } const calls[] = {
        {LU(2, 2, a, 2, 0, lu, 2, piv, 1, NULL), RECFACT_NULL_POINTER},
        {LU(2, 2, NULL, 2, 0, lu, 2, piv, 1, &info), RECFACT_NULL_POINTER},
        {LU(2, 2, a, 2, 0, NULL, 2, piv, 1, &info), RECFACT_NULL_POINTER},
        {LU(2, 2, a, 2, 0, lu, 2, NULL, 1, &info), RECFACT_NULL_POINTER},
        {LU(-1, 2, a, 2, 0, lu, 2, piv, 1, &info), RECFACT_NEGATIVE_SIZE},
        {LU(2, INT64_MIN, a, 2, 0, lu, 2, piv, 1, &info), RECFACT_NEGATIVE_SIZE},
        {LU(2, 2, a, 2, 0, lu, 2, piv, -1, &info), RECFACT_NEGATIVE_SIZE},
        {LU(3, 2, a, 2, 0, lu, 3, piv, 1, &info), RECFACT_LEADING_DIMENSION},
        {LU(2, 3, a, 2, RECFACT_LU_ROW_MAJOR, lu, 2, piv, 1, &info), RECFACT_LEADING_DIMENSION},
        {LU(3, 2, a, 3, 0, lu, 2, piv, 1, &info), RECFACT_LEADING_DIMENSION},
        {LU(2, 2, a, INT64_MAX, 0, lu, 2, piv, 1, &info), RECFACT_OVERFLOW},
        {LU(2, 2, a, 2, 0, lu, INT64_MAX, piv, 1, &info), RECFACT_OVERFLOW},
        {LU((int64_t)1 << 31, 1, a, (int64_t)1 << 31, 0, lu, (int64_t)1 << 31, piv, 1, &info), RECFACT_OVERFLOW},
        {LU(2, 2, a, 2, 1, lu, 2, piv, 1, &info), RECFACT_FLAG},
        {LU(2, 2, a, 2, 0x400, lu, 2, piv, 1, &info), RECFACT_FLAG},
        {LU(2, 2, a, 2, -1, lu, 2, piv, 1, &info), RECFACT_FLAG},
        {LU(2, 2, odd, 2, 0, lu, 2, piv, 1, &info), RECFACT_MISALIGNED},
        {LU(2, 2, a, 2, 0, odd, 2, piv, 1, &info), RECFACT_MISALIGNED},
        {LU(2, 2, a, 2, 0, lu, 2, odd_swaps, 1, &info), RECFACT_MISALIGNED},
        {LU(2, 2, nan, 2, RECFACT_LU_CHECK_FINITE, lu, 2, piv, 1, &info), RECFACT_NOT_FINITE},
        {LU(2, 2, infinite, 2, RECFACT_LU_CHECK_FINITE | RECFACT_LU_ROW_MAJOR, lu, 2, piv, 1, &info),
         RECFACT_NOT_FINITE},
    };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        if (calls[c].got != calls[c].expected) printf(PRECISION " lu %zu: %s\n", c, recfact_strerror(calls[c].got));
        assert(calls[c].got == calls[c].expected);
    }
    for (int at = 0; at < 6; at++) assert(lu[at] == 77);
    assert(piv[0] == 77 && piv[1] == 77 && info == 77 && a[0] == 1 && a[5] == 6);
    assert(LU(0, 3, NULL, 0, 0, NULL, 0, NULL, 1, &info) == RECFACT_SUCCESS && info == 0);
    assert(LU(2, 2, nan, 2, 0, lu, 2, piv, 1, &info) == RECFACT_SUCCESS && isnan((double)lu[3]));
}

#undef LU
#undef PASTE
#undef EXPAND
#undef NAME
#undef QUOTE
#undef QUOTED
#undef PRECISION
#undef FACTOR
#undef SOLVE
