/* Answers from a matrix and its factors, in one precision: T is its type, SUFFIX the end of its names, EPSILON its unit roundoff,
 * doubled. */
#define PASTE(name, suffix) name##_##suffix
#define EXPAND(name, suffix) PASTE(name, suffix)
#define NAME(name) EXPAND(name, SUFFIX)
#define QUOTE(text) #text
#define QUOTED(text) QUOTE(text)
#define FACTOR NAME(recfact_factor)
#define SOLVE NAME(recfact_solve)
#define GESV NAME(recfact_gesv)
#define NORM NAME(recfact_norm)
#define RCOND NAME(recfact_rcond)
#define REFINE NAME(recfact_refine)
#define INVERSE NAME(recfact_inverse)

enum { NAME(LDA) = N + 5, NAME(LDB) = N + 2 };
#define LDA NAME(LDA)
#define LDB NAME(LDB)

/* A refined solution has the backward error of a rounding and a small bound, and is not far from what it was. */
static void NAME(refined)(const T *a, const T *lu, const int64_t *ipiv, const T *b, double rcond) {
    recfact_accuracy accuracy[NRHS];
    T *x = malloc(sizeof(T) * LDB * NRHS), *expected = malloc(sizeof(T) * LDB * NRHS);
    T *again = malloc(sizeof(T) * LDB * NRHS);
    assert(x && expected && again);
    for (int t = 0; t < 2; t++) {
        memcpy(x, b, sizeof(T) * LDB * NRHS);
        assert(SOLVE("NT"[t], N, NRHS, lu, LDA, ipiv, x, LDB, 1) == RECFACT_SUCCESS);
        memcpy(expected, x, sizeof(T) * LDB * NRHS);
        assert(REFINE("NT"[t], N, NRHS, a, LDA, lu, LDA, ipiv, b, LDB, x, LDB, 30, RECFACT_REFINE_BOUNDS, accuracy, 0) == 0);
        for (int j = 0; j < NRHS; j++) {
            assert(accuracy[j].backward <= EPSILON && accuracy[j].steps >= 1 && accuracy[j].steps <= 3);
            assert(accuracy[j].forward > 0 && accuracy[j].forward <= 4 * EPSILON);
            double difference = 0, largest = 0;
            for (int i = 0; i < N; i++) {
                difference = fmax(difference, fabs((double)x[i + j * LDB] - expected[i + j * LDB]));
                largest = fmax(largest, fabs((double)x[i + j * LDB]));
            }
            /* The solution that was refined had lost some digits, as many as its condition says. */
            assert(difference > 0 && difference <= N * EPSILON / rcond * largest);
            for (int i = N; i < LDB; i++) assert(x[i + j * LDB] == b[i + j * LDB]);
        }
        /* Nobody asks how good it is; and somebody who only asks. */
        memcpy(again, expected, sizeof(T) * LDB * NRHS);
        assert(REFINE("nt"[t], N, NRHS, a, LDA, lu, LDA, ipiv, b, LDB, again, LDB, INT64_MAX, 0, NULL, 1) == 0);
        assert(memcmp(again, x, sizeof(T) * LDB * NRHS) == 0);
        assert(REFINE("NC"[t], N, NRHS, a, LDA, lu, LDA, ipiv, b, LDB, expected, LDB, 0, 0, accuracy, 1) == 0);
        assert(accuracy[0].steps == 0 && accuracy[0].backward > 0 && isinf(accuracy[0].forward));
    }
    free(x), free(expected), free(again);
}

/* The inverse has the bits of solutions of A X = I, and its norm is that of which the condition number is an estimate. */
static void NAME(inverted)(T *lu, const int64_t *ipiv, double anorm, double rcond) {
    int64_t info = 77;
    T *identity = calloc(LDA * N, sizeof(T));
    assert(identity);
    for (int j = 0; j < N; j++) {
        identity[j + j * LDA] = 1;
        for (int i = N; i < LDA; i++) identity[i + j * LDA] = -777;
    }
    assert(SOLVE('N', N, N, lu, LDA, ipiv, identity, LDA, 1) == RECFACT_SUCCESS);
    assert(INVERSE(N, lu, LDA, ipiv, 0, &info) == RECFACT_SUCCESS && info == 0);
    assert(memcmp(lu, identity, sizeof(T) * LDA * N) == 0);
    double inverse_norm;
    assert(NORM('1', N, N, lu, LDA, &inverse_norm) == RECFACT_SUCCESS);
    assert(rcond * anorm * inverse_norm > 0.99 && rcond * anorm * inverse_norm < 10);
    free(identity);
}

/* A system with padded columns, its factors and its solution; its norms and condition numbers. */
static void NAME(answers)(void) {
    T *a = malloc(sizeof(T) * LDA * N), *lu = malloc(sizeof(T) * LDA * N), *x = malloc(sizeof(T) * LDB * NRHS);
    T *b = malloc(sizeof(T) * LDB * NRHS), *expected = malloc(sizeof(T) * LDB * NRHS);
    int64_t *ipiv = malloc(sizeof(int64_t) * N), info = 77;
    assert(a && lu && x && b && expected && ipiv);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < LDA; i++) a[i + j * LDA] = i < N ? (T)dominant(i, j) : (T)-777;
    memcpy(lu, a, sizeof(T) * LDA * N);
    for (int at = 0; at < LDB * NRHS; at++) b[at] = (T)(at % 11) - 5;
    memcpy(x, b, sizeof(T) * LDB * NRHS), memcpy(expected, b, sizeof(T) * LDB * NRHS);

    /* The bits of a factorization and a solution. */
    assert(GESV(N, NRHS, lu, LDA, ipiv, x, LDB, 0, &info) == RECFACT_SUCCESS && info == 0);
    assert(SOLVE('N', N, NRHS, lu, LDA, ipiv, expected, LDB, 1) == RECFACT_SUCCESS);
    assert(memcmp(x, expected, sizeof(T) * LDB * NRHS) == 0);

    /* The norms are sums of magnitudes. */
    double largest_column = 0, largest_row = 0, one, infinity, rcond, transposed;
    for (int j = 0; j < N; j++) {
        double column = 0, row = 0;
        for (int i = 0; i < N; i++) column += fabs((double)a[i + j * LDA]), row += fabs((double)a[j + i * LDA]);
        largest_column = fmax(largest_column, column), largest_row = fmax(largest_row, row);
    }
    const char letters[] = "1Oo";
    for (int l = 0; l < 3; l++) {
        assert(NORM(letters[l], N, N, a, LDA, &one) == RECFACT_SUCCESS);
        assert(fabs(one - largest_column) <= N * EPSILON * largest_column);
    }
    assert(NORM('I', N, N, a, LDA, &infinity) == RECFACT_SUCCESS && NORM('i', N, N, a, LDA, &infinity) == RECFACT_SUCCESS);
    assert(fabs(infinity - largest_row) <= N * EPSILON * largest_row);
    assert(RCOND('1', N, lu, LDA, ipiv, one, &rcond) == RECFACT_SUCCESS && rcond > 0 && rcond < 1);
    assert(RCOND('I', N, lu, LDA, ipiv, infinity, &transposed) == RECFACT_SUCCESS && transposed > 0 && transposed < 1);
    NAME(refined)(a, lu, ipiv, b, fmin(rcond, transposed));
    NAME(inverted)(lu, ipiv, one, rcond);
    free(a), free(lu), free(x), free(b), free(expected), free(ipiv);
}

/* Singular, the factors and B are there; or there is nothing to do. */
static void NAME(answers_of_singular_and_empty)(void) {
    int64_t info = 77;
    double one, rcond;
    recfact_accuracy accuracy[2];
    T singular[4] = {1, 2, 2, 4}, kept[2] = {3, 7};
    int64_t swaps[2];
    assert(GESV(2, 1, singular, 2, swaps, kept, 2, 1, &info) == RECFACT_SUCCESS && info == 2);
    assert(singular[0] == 2 && swaps[0] == 2 && kept[0] == 3 && kept[1] == 7);
    assert(RCOND('1', 2, singular, 2, swaps, 6, &rcond) == RECFACT_SUCCESS && rcond == 0);
    assert(INVERSE(2, singular, 2, swaps, 1, &info) == RECFACT_SUCCESS && info == 2 && singular[0] == 2);
    /* Nothing to do. */
    assert(GESV(0, INT64_MAX, NULL, 0, NULL, NULL, 0, 1, &info) == RECFACT_SUCCESS && info == 0);
    assert(INVERSE(0, NULL, 0, NULL, 1, &info) == RECFACT_SUCCESS && info == 0);
    assert(NORM('1', 0, INT64_MAX, NULL, 0, &one) == RECFACT_SUCCESS && one == 0);
    assert(RCOND('1', 0, NULL, 0, NULL, 0, &rcond) == RECFACT_SUCCESS && rcond == 1);
    assert(REFINE('N', 0, INT64_MAX, NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, 5, 0, NULL, 1) == RECFACT_SUCCESS);
    assert(REFINE('N', 0, 2, NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, 5, 0, accuracy, 1) == RECFACT_SUCCESS);
    assert(accuracy[1].backward == 0 && accuracy[1].forward == 0 && accuracy[1].steps == 0);
    assert(RCOND('1', 1, (T[]){2}, 1, (int64_t[]){1}, NAN, &rcond) == RECFACT_SUCCESS && isnan(rcond));
}

static void NAME(refusals_of_answers)(void) {
    T a[4] = {1, 3, 2, 4}, b[2] = {5, 6}, x[2] = {7, 8};
    const T lu[4] = {3, 1, 4, 2};
    int64_t ipiv[2] = {77, 77}, info = 77;
    const int64_t good[2] = {2, 2}, bad[2] = {1, 3};
    recfact_accuracy accuracy = {9, 9, 9};
    double number = 77, *odd_number;
    char *off = (char *)a + 1, *odd_off = (char *)&accuracy + 4;
    T *odd;
    memcpy(&odd, &off, sizeof odd), memcpy(&odd_number, &odd_off, sizeof odd_number);
    struct {
        recfact_status got, expected;
    } const calls[] = {
        {GESV(2, 1, a, 2, ipiv, b, 2, 1, NULL), RECFACT_NULL_POINTER},
        {GESV(2, 1, NULL, 2, ipiv, b, 2, 1, &info), RECFACT_NULL_POINTER},
        {GESV(2, 1, a, 2, NULL, b, 2, 1, &info), RECFACT_NULL_POINTER},
        {GESV(2, 1, a, 2, ipiv, NULL, 2, 1, &info), RECFACT_NULL_POINTER},
        {GESV(-2, 1, a, 2, ipiv, b, 2, 1, &info), RECFACT_NEGATIVE_SIZE},
        {GESV(2, -1, a, 2, ipiv, b, 2, 1, &info), RECFACT_NEGATIVE_SIZE},
        {GESV(2, 1, a, 2, ipiv, b, 2, -1, &info), RECFACT_NEGATIVE_SIZE},
        {GESV(2, 1, a, 1, ipiv, b, 2, 1, &info), RECFACT_LEADING_DIMENSION},
        {GESV(2, 1, a, 2, ipiv, b, 1, 1, &info), RECFACT_LEADING_DIMENSION},
        {GESV(2, INT64_MAX, a, 2, ipiv, b, 2, 1, &info), RECFACT_OVERFLOW},
        {GESV(2, 1, odd, 2, ipiv, b, 2, 1, &info), RECFACT_MISALIGNED},
        {GESV(2, 1, a, 2, ipiv, odd, 2, 1, &info), RECFACT_MISALIGNED},
        {NORM('1', 2, 2, a, 2, NULL), RECFACT_NULL_POINTER},
        {NORM('1', 2, 2, a, 2, odd_number), RECFACT_MISALIGNED},
        {NORM('2', 2, 2, a, 2, &number), RECFACT_FLAG},
        {NORM('I', 2, 2, NULL, 2, &number), RECFACT_NULL_POINTER},
        {NORM('I', -2, 2, a, 2, &number), RECFACT_NEGATIVE_SIZE},
        {NORM('I', 2, 2, a, 1, &number), RECFACT_LEADING_DIMENSION},
        {NORM('I', 2, INT64_MAX, a, 2, &number), RECFACT_OVERFLOW},
        {RCOND('1', 2, lu, 2, good, 7, NULL), RECFACT_NULL_POINTER},
        {RCOND('1', 2, NULL, 2, good, 7, &number), RECFACT_NULL_POINTER},
        {RCOND('1', 2, lu, 2, NULL, 7, &number), RECFACT_NULL_POINTER},
        {RCOND('X', 2, lu, 2, good, 7, &number), RECFACT_FLAG},
        {RCOND('1', -2, lu, 2, good, 7, &number), RECFACT_NEGATIVE_SIZE},
        {RCOND('1', 2, lu, 2, good, -7, &number), RECFACT_NEGATIVE_SIZE},
        {RCOND('1', 2, lu, 1, good, 7, &number), RECFACT_LEADING_DIMENSION},
        {RCOND('1', INT64_MAX, lu, INT64_MAX, good, 7, &number), RECFACT_OVERFLOW},
        {RCOND('1', 2, lu, 2, bad, 7, &number), RECFACT_PIVOT},
        {RCOND('1', 2, odd, 2, good, 7, &number), RECFACT_MISALIGNED},
        {INVERSE(2, a, 2, good, 1, NULL), RECFACT_NULL_POINTER},
        {INVERSE(2, NULL, 2, good, 1, &info), RECFACT_NULL_POINTER},
        {INVERSE(2, a, 2, NULL, 1, &info), RECFACT_NULL_POINTER},
        {INVERSE(-2, a, 2, good, 1, &info), RECFACT_NEGATIVE_SIZE},
        {INVERSE(2, a, 2, good, -1, &info), RECFACT_NEGATIVE_SIZE},
        {INVERSE(2, a, 1, good, 1, &info), RECFACT_LEADING_DIMENSION},
        {INVERSE(2, a, 2, bad, 1, &info), RECFACT_PIVOT},
        {INVERSE(2, odd, 2, good, 1, &info), RECFACT_MISALIGNED},
        {REFINE('X', 2, 1, a, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_FLAG},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, b, 2, x, 2, 5, 2, &accuracy, 1), RECFACT_FLAG},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, b, 2, x, 2, -5, 0, &accuracy, 1), RECFACT_NEGATIVE_SIZE},
        {REFINE('N', -2, 1, a, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_NEGATIVE_SIZE},
        {REFINE('N', 2, -1, a, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_NEGATIVE_SIZE},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, -1), RECFACT_NEGATIVE_SIZE},
        {REFINE('N', 2, 1, a, 1, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_LEADING_DIMENSION},
        {REFINE('N', 2, 1, a, 2, lu, 1, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_LEADING_DIMENSION},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, b, 1, x, 2, 5, 0, &accuracy, 1), RECFACT_LEADING_DIMENSION},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, b, 2, x, 1, 5, 0, &accuracy, 1), RECFACT_LEADING_DIMENSION},
        {REFINE('N', 2, INT64_MAX, a, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_OVERFLOW},
        {REFINE('N', 2, 1, NULL, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_NULL_POINTER},
        {REFINE('N', 2, 1, a, 2, NULL, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_NULL_POINTER},
        {REFINE('N', 2, 1, a, 2, lu, 2, NULL, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_NULL_POINTER},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, NULL, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_NULL_POINTER},
        {REFINE('N', 2, 1, a, 2, lu, 2, good, b, 2, NULL, 2, 5, 0, &accuracy, 1), RECFACT_NULL_POINTER},
        {REFINE('N', 2, 1, a, 2, lu, 2, bad, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_PIVOT},
        {REFINE('N', 2, 1, odd, 2, lu, 2, good, b, 2, x, 2, 5, 0, &accuracy, 1), RECFACT_MISALIGNED},
    };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        if (calls[c].got != calls[c].expected)
            printf(QUOTED(SUFFIX) " answer %zu: %s\n", c, recfact_strerror(calls[c].got));
        assert(calls[c].got == calls[c].expected);
    }
    assert(a[0] == 1 && a[1] == 3 && a[2] == 2 && a[3] == 4 && b[0] == 5 && b[1] == 6 && x[0] == 7 && x[1] == 8);
    assert(ipiv[0] == 77 && ipiv[1] == 77 && info == 77 && number == 77 && accuracy.steps == 9 && accuracy.backward == 9);
}

#undef LDA
#undef LDB
#undef PASTE
#undef EXPAND
#undef NAME
#undef QUOTE
#undef QUOTED
#undef FACTOR
#undef SOLVE
#undef GESV
#undef NORM
#undef RCOND
#undef REFINE
#undef INVERSE
