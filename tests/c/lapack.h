/* The calls of one precision T and one kind of integer I, under the names GETRF, GETRS and GESV; undefines them all. */
void GETRF(const I *m, const I *n, T *a, const I *lda, I *ipiv, I *info);
void GETRS(const char *trans, const I *n, const I *nrhs, const T *a, const I *lda, const I *ipiv, T *b, const I *ldb,
           I *info, size_t trans_length);
void GESV(const I *n, const I *nrhs, T *a, const I *lda, I *ipiv, T *b, const I *ldb, I *info);

static void CHECK(void) {
    const I zero = 0, one = 1, two = 2, three = 3, minus = -1;
    I ipiv[2] = {9, 9}, info = 9;

    /* The columns (1, 3), (2, 4), with padding: U = (3, 4; 0, 2/3). */
    T a[6] = {1, 3, -7, 2, 4, -7};
    GETRF(&two, &two, a, &three, ipiv, &info);
    assert(info == 0 && ipiv[0] == 2 && ipiv[1] == 2);
    assert(a[0] == 3 && fabs(a[1] - (T)1 / 3) < 1e-6 && a[2] == -7 && a[3] == 4 && fabs(a[4] - (T)2 / 3) < 1e-6);
    const char letters[] = "NnTtCc";
    for (int t = 0; t < 6; t++) {
        /* A (1, 1) = (3, 7) and A^T (1, 1) = (4, 6). */
        T b[4] = {t < 2 ? 3 : 4, t < 2 ? 7 : 6, t < 2 ? 6 : 8, t < 2 ? 14 : 12};
        GETRS(&letters[t], &two, &two, a, &three, ipiv, b, &two, &info, 1);
        assert(info == 0 && fabs(b[0] - 1) < 1e-5 && fabs(b[1] - 1) < 1e-5 && fabs(b[2] - 2) < 1e-5);
    }
    T c[4] = {1, 3, 2, 4}, x[2] = {3, 7};
    GESV(&two, &one, c, &two, ipiv, x, &two, &info);
    assert(info == 0 && ipiv[0] == 2 && fabs(x[0] - 1) < 1e-5 && fabs(x[1] - 1) < 1e-5);
    T singular[4] = {1, 2, 2, 4}, kept[2] = {3, 7};
    GESV(&two, &one, singular, &two, ipiv, kept, &two, &info);
    assert(info == 2 && kept[0] == 3 && kept[1] == 7);

    /* Nothing to do. */
    GETRF(&zero, &two, NULL, &one, NULL, &info), assert(info == 0);
    GETRF(&two, &zero, NULL, &two, NULL, &info), assert(info == 0);
    GETRS("N", &zero, &one, NULL, &one, NULL, NULL, &one, &info, 1), assert(info == 0);
    GETRS("N", &two, &zero, a, &three, ipiv, NULL, &two, &info, 1), assert(info == 0);
    GESV(&zero, &one, NULL, &one, NULL, NULL, &one, &info), assert(info == 0);

    /* The first argument that is wrong is the one that is named. */
    GETRF(&minus, &minus, a, &zero, ipiv, &info), illegal(LETTER "GETRF", 1, info);
    GETRF(&two, &minus, a, &zero, ipiv, &info), illegal(LETTER "GETRF", 2, info);
    GETRF(&two, &two, a, &one, ipiv, &info), illegal(LETTER "GETRF", 4, info);
    GETRF(&zero, &zero, a, &zero, ipiv, &info), illegal(LETTER "GETRF", 4, info);
    GETRS("X", &minus, &minus, a, &zero, ipiv, x, &zero, &info, 1), illegal(LETTER "GETRS", 1, info);
    GETRS("N", &minus, &minus, a, &zero, ipiv, x, &zero, &info, 1), illegal(LETTER "GETRS", 2, info);
    GETRS("N", &two, &minus, a, &zero, ipiv, x, &zero, &info, 1), illegal(LETTER "GETRS", 3, info);
    GETRS("N", &two, &one, a, &one, ipiv, x, &zero, &info, 1), illegal(LETTER "GETRS", 5, info);
    GETRS("N", &two, &one, a, &two, ipiv, x, &one, &info, 1), illegal(LETTER "GETRS", 8, info);
    GESV(&minus, &minus, a, &zero, ipiv, x, &zero, &info), illegal(LETTER "GESV ", 1, info);
    GESV(&two, &minus, a, &zero, ipiv, x, &zero, &info), illegal(LETTER "GESV ", 2, info);
    GESV(&two, &one, a, &one, ipiv, x, &zero, &info), illegal(LETTER "GESV ", 4, info);
    GESV(&two, &one, a, &two, ipiv, x, &one, &info), illegal(LETTER "GESV ", 7, info);

    /* What LAPACK would read or write all the same. */
    const I outside[2] = {1, 3};
    GETRS("N", &two, &one, a, &two, outside, x, &two, &info, 1), illegal(LETTER "GETRS", 6, info);
    GETRF(&two, &two, NULL, &two, ipiv, &info), illegal(LETTER "GETRF", 3, info);
    GETRF(&two, &two, a, &two, NULL, &info), illegal(LETTER "GETRF", 5, info);
}

#include "lapack_batch.h"

#undef T
#undef I
#undef GETRF
#undef GETRS
#undef GESV
#undef LETTER
#undef CHECK
#undef CHECK_BATCH
#undef GETRF_BATCH
#undef GETRF_BATCH_
#undef GETRS_BATCH
#undef GETRS_BATCH_
