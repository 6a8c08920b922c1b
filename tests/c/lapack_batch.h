/* The calls for batches of one precision T and one kind of integer I, without and with an underscore at the end, against
 * those for one matrix. */
#define GETRF_ARGUMENTS \
    (const I *m, const I *n, T *a, const I *lda, const I *stride_a, I *ipiv, const I *stride_ipiv, const I *batch_size, \
     I *info)
#define GETRS_ARGUMENTS \
    (const char *trans, const I *n, const I *nrhs, const T *a, const I *lda, const I *stride_a, const I *ipiv, \
     const I *stride_ipiv, T *b, const I *ldb, const I *stride_b, const I *batch_size, I *info, size_t trans_length)
void GETRF_BATCH GETRF_ARGUMENTS;
void GETRF_BATCH_ GETRF_ARGUMENTS;
void GETRS_BATCH GETRS_ARGUMENTS;
void GETRS_BATCH_ GETRS_ARGUMENTS;

static void CHECK_BATCH(void) {
    void(*const getrf[]) GETRF_ARGUMENTS = {GETRF_BATCH, GETRF_BATCH_};
    void(*const getrs[]) GETRS_ARGUMENTS = {GETRS_BATCH, GETRS_BATCH_};
    const I zero = 0, one = 1, two = 2, three = 3, four = 4, minus = -1;

    /* 30000 matrices of order 4 are more than are converted at a time; those of order 40 go one by one. */
    static const int shapes[][3] = {{1, 1, 5}, {3, 3, 17}, {5, 3, 9}, {3, 5, 9}, {16, 16, 100}, {40, 40, 3}, {4, 4, 30000}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const I m = shapes[s][0], n = shapes[s][1], batch_size = shapes[s][2], lda = m + 1, stride_a = lda * n + 1;
        const I k = m < n ? m : n, stride_ipiv = k + (I)(s % 2), nrhs = (I)s % 3, ldb = n + 2, stride_b = ldb * 2 + 1;
        const size_t size = (size_t)batch_size * stride_a, swaps = (size_t)batch_size * stride_ipiv;
        const size_t right = (size_t)batch_size * stride_b;
        T *a = malloc(sizeof(T) * size), *lu = malloc(sizeof(T) * size);
        T *b = malloc(sizeof(T) * right), *x = malloc(sizeof(T) * right);
        I *ipiv = malloc(sizeof(I) * swaps), *expected_ipiv = malloc(sizeof(I) * swaps);
        I *info = malloc(sizeof(I) * batch_size), number = 9;
        assert(a && lu && b && x && ipiv && expected_ipiv && info);
        for (size_t at = 0; at < size; at++) a[at] = lu[at] = (T)floor(3 * sin(12.9898 * (double)at));
        for (size_t at = 0; at < right; at++) b[at] = x[at] = (T)(at % 11) - 5;
        for (size_t at = 0; at < swaps; at++) ipiv[at] = expected_ipiv[at] = 9;
        getrf[s % 2](&m, &n, a, &lda, &stride_a, ipiv, &stride_ipiv, &batch_size, info);
        for (I at = 0; at < batch_size; at++) {
            GETRF(&m, &n, lu + at * stride_a, &lda, expected_ipiv + at * stride_ipiv, &number);
            assert(info[at] == number);
        }
        assert(memcmp(a, lu, sizeof(T) * size) == 0 && memcmp(ipiv, expected_ipiv, sizeof(I) * swaps) == 0);
        for (int t = 0; t < 3 && m == n; t++) {
            memset(info, 9, sizeof(I) * batch_size);
            getrs[t % 2](&"nTc"[t], &n, &nrhs, a, &lda, &stride_a, ipiv, &stride_ipiv, b, &ldb, &stride_b, &batch_size,
                         info, 1);
            for (I at = 0; at < batch_size; at++) {
                GETRS(&"nTc"[t], &n, &nrhs, lu + at * stride_a, &lda, ipiv + at * stride_ipiv, x + at * stride_b, &ldb,
                      &number, 1);
                assert(info[at] == 0 && number == 0);
            }
            /* A singular matrix gives NaN, whose sign is not specified. */
            for (size_t at = 0; at < right; at++) assert(b[at] == x[at] || (b[at] != b[at] && x[at] != x[at]));
        }
        free(a), free(lu), free(b), free(x), free(ipiv), free(expected_ipiv), free(info);
    }

    /* Nothing to do. */
    I info[2] = {9, 9}, ipiv[4] = {1, 2, 1, 2};
    T a[8] = {1, 3, 2, 4, 1, 3, 2, 4}, b[4] = {1, 2, 3, 4};
    getrf[0](&two, &two, NULL, &two, &four, NULL, &two, &zero, NULL);
    getrf[1](&zero, &two, NULL, &one, &zero, NULL, &zero, &two, info), assert(info[0] == 0 && info[1] == 0);
    getrs[0]("N", &two, &two, NULL, &two, &four, NULL, &two, NULL, &two, &four, &zero, NULL, 1);
    info[0] = info[1] = 9;
    getrs[1]("N", &two, &zero, NULL, &two, &four, NULL, &two, NULL, &two, &two, &two, info, 1);
    assert(info[0] == 0 && info[1] == 0);

    /* The first argument that is wrong is named, for each matrix. */
#define REFUSED(name, number) (illegal(LETTER name, number, info[0]), assert(info[1] == info[0]), info[0] = info[1] = 9)
#define GETRF_CALL(m, n, a, lda, stride_a, ipiv, stride_ipiv, number) \
    getrf[number % 2](m, n, a, lda, stride_a, ipiv, stride_ipiv, &two, info), REFUSED("GETRF_BATCH_STRIDED", number)
    GETRF_CALL(&minus, &minus, a, &zero, &zero, ipiv, &zero, 1);
    GETRF_CALL(&two, &minus, a, &zero, &zero, ipiv, &zero, 2);
    GETRF_CALL(&two, &two, NULL, &two, &four, ipiv, &two, 3);
    GETRF_CALL(&two, &two, a, &one, &zero, ipiv, &zero, 4);
    GETRF_CALL(&two, &two, a, &two, &three, ipiv, &zero, 5);
    GETRF_CALL(&two, &two, a, &two, &minus, ipiv, &zero, 5);
    GETRF_CALL(&two, &two, a, &two, &four, NULL, &two, 6);
    GETRF_CALL(&two, &two, a, &two, &four, ipiv, &one, 7);
    getrf[0](&two, &two, a, &two, &four, ipiv, &two, &minus, info), illegal(LETTER "GETRF_BATCH_STRIDED", 8, -8);
    assert(info[0] == 9);
#define GETRS_CALL(trans, n, nrhs, a, lda, stride_a, ipiv, stride_ipiv, b, ldb, stride_b, number) \
    getrs[number % 2](trans, n, nrhs, a, lda, stride_a, ipiv, stride_ipiv, b, ldb, stride_b, &two, info, 1), \
        REFUSED("GETRS_BATCH_STRIDED", number)
    const I above[4] = {1, 2, 1, 3}, below[4] = {1, 2, 0, 2};
    GETRS_CALL("X", &minus, &minus, a, &zero, &zero, ipiv, &zero, b, &zero, &zero, 1);
    GETRS_CALL("N", &minus, &minus, a, &zero, &zero, ipiv, &zero, b, &zero, &zero, 2);
    GETRS_CALL("N", &two, &minus, a, &zero, &zero, ipiv, &zero, b, &zero, &zero, 3);
    GETRS_CALL("N", &two, &one, NULL, &two, &four, ipiv, &two, b, &two, &two, 4);
    GETRS_CALL("N", &two, &one, a, &one, &zero, ipiv, &zero, b, &zero, &zero, 5);
    GETRS_CALL("N", &two, &one, a, &two, &three, ipiv, &zero, b, &zero, &zero, 6);
    GETRS_CALL("N", &two, &one, a, &two, &four, NULL, &two, b, &two, &two, 7);
    GETRS_CALL("N", &two, &one, a, &two, &four, above, &two, b, &two, &two, 7);
    GETRS_CALL("T", &two, &one, a, &two, &four, below, &two, b, &two, &two, 7);
    GETRS_CALL("N", &two, &one, a, &two, &four, ipiv, &one, b, &zero, &zero, 8);
    GETRS_CALL("N", &two, &one, a, &two, &four, ipiv, &two, NULL, &two, &two, 9);
    GETRS_CALL("N", &two, &one, a, &two, &four, ipiv, &two, b, &one, &zero, 10);
    GETRS_CALL("N", &two, &one, a, &two, &four, ipiv, &two, b, &two, &one, 11);
    getrs[1]("N", &two, &one, a, &two, &four, ipiv, &two, b, &two, &two, &minus, info, 1);
    illegal(LETTER "GETRS_BATCH_STRIDED", 12, -12);
    assert(info[0] == 9);
    for (int at = 0; at < 4; at++) assert(b[at] == at + 1 && a[at] == a[at + 4] && ipiv[at] == at % 2 + 1);
    assert(a[0] == 1 && a[1] == 3 && a[2] == 2 && a[3] == 4);
}

#undef REFUSED
#undef GETRF_CALL
#undef GETRS_CALL
#undef GETRF_ARGUMENTS
#undef GETRS_ARGUMENTS
