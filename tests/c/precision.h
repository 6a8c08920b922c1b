/* The calls of one precision: T is its type, SUFFIX the end of its names, EPSILON its unit roundoff, doubled. */
#define PASTE(name, suffix, rest) name##_##suffix##rest
#define EXPAND(name, suffix, rest) PASTE(name, suffix, rest)
#define NAME(name, rest) EXPAND(name, SUFFIX, rest)
#define QUOTE(text) #text
#define QUOTED(text) QUOTE(text)
#define PRECISION QUOTED(SUFFIX)
#define FACTOR NAME(recfact_factor, )
#define SOLVE NAME(recfact_solve, )

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

#undef PASTE
#undef EXPAND
#undef NAME
#undef QUOTE
#undef QUOTED
#undef PRECISION
#undef FACTOR
#undef SOLVE
