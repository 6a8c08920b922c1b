/* RECFACT_ISA names no instruction set of this CPU: every call says so and writes nothing; LAPACK's names have no way to say
 * it, and compute all the same. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <stddef.h>

#include <recfact.h>

#ifdef WITH_LAPACK
void dgetrf_(const int32_t *m, const int32_t *n, double *a, const int32_t *lda, int32_t *ipiv, int32_t *info);
void dgetrs_(const char *trans, const int32_t *n, const int32_t *nrhs, const double *a, const int32_t *lda,
             const int32_t *ipiv, double *b, const int32_t *ldb, int32_t *info, size_t trans_length);
void dgesv_(const int32_t *n, const int32_t *nrhs, double *a, const int32_t *lda, int32_t *ipiv, double *b,
            const int32_t *ldb, int32_t *info);
void dgetrf_batch_strided(const int32_t *m, const int32_t *n, double *a, const int32_t *lda, const int32_t *stride_a,
                          int32_t *ipiv, const int32_t *stride_ipiv, const int32_t *batch_size, int32_t *info);

static void lapack(void) {
    const int32_t one = 1, two = 2;
    int32_t ipiv[2] = {9, 9}, info = 9;
    double a[4] = {1, 3, 2, 4}, b[2] = {3, 7}, c[4] = {1, 3, 2, 4}, x[2] = {3, 7};
    dgetrf_(&two, &two, a, &two, ipiv, &info);
    assert(info == 0 && ipiv[0] == 2 && a[0] == 3 && a[2] == 4);
    dgetrs_("N", &two, &one, a, &two, ipiv, b, &two, &info, 1);
    assert(info == 0 && fabs(b[0] - 1) < 1e-14 && fabs(b[1] - 1) < 1e-14);
    dgesv_(&two, &one, c, &two, ipiv, x, &two, &info);
    assert(info == 0 && x[0] == b[0] && x[1] == b[1]);
    double batch[4] = {1, 3, 2, 4};
    dgetrf_batch_strided(&two, &two, batch, &two, &two, ipiv, &two, &one, &info);
    assert(info == 0 && ipiv[0] == 2 && batch[0] == 3 && batch[2] == 4);
}
#endif

int main(void) {
    double a[4] = {1, 3, 2, 4}, b[2] = {5, 6};
    float s[4] = {1, 3, 2, 4}, t[2] = {5, 6};
    int64_t ipiv[2] = {77, 77}, info = 77;
    const int64_t rows[2] = {1, 2};
    int32_t piv[2] = {77, 77};
    recfact_determinant det = {77, 77};
    assert(recfact_isa() == NULL);
    for (int turn = 0; turn < 2; turn++) {
        assert(recfact_factor_f64(2, 2, a, 2, ipiv, 1, 0, &info) == RECFACT_INSTRUCTION_SET);
        assert(recfact_factor_f32(2, 2, s, 2, ipiv, 0, 1, &info) == RECFACT_INSTRUCTION_SET);
        assert(recfact_solve_f64('N', 2, 1, a, 2, rows, b, 2, 1) == RECFACT_INSTRUCTION_SET);
        assert(recfact_solve_f32('T', 2, 1, s, 2, rows, t, 2, 0) == RECFACT_INSTRUCTION_SET);
        assert(recfact_factor_batch_f64(1, 2, 2, a, 2, 4, ipiv, 0, 1, &info) == RECFACT_INSTRUCTION_SET);
        assert(recfact_factor_batch_f32(0, 2, 2, NULL, 2, 4, NULL, 0, 1, NULL) == RECFACT_INSTRUCTION_SET);
        assert(recfact_lu_batch_f32(1, 1, 1, s, 2, 4, 0, t, 1, 1, piv, 1, &info) == RECFACT_INSTRUCTION_SET);
        assert(recfact_solve_batch_f64('N', 1, 2, 1, a, 2, 4, rows, b, 2, 2, 0, 1) == RECFACT_INSTRUCTION_SET);
        assert(recfact_gesv_batch_f64(1, 2, 1, a, 2, 4, ipiv, b, 2, 2, RECFACT_BATCH_CHECK_FINITE, NULL, 1, &info) ==
               RECFACT_INSTRUCTION_SET);
        assert(recfact_inverse_batch_f32(1, 1, s, 2, 4, 0, t, 1, 1, NULL, 1, &info) == RECFACT_INSTRUCTION_SET);
        assert(recfact_det_batch_f64(1, 2, a, 2, 4, 0, &det, 1) == RECFACT_INSTRUCTION_SET);
        assert(recursive_lu_f64(a, 2, 2, ipiv) == INT64_MIN + RECFACT_INSTRUCTION_SET);
        assert(recursive_lu_f32_threaded_nopiv(s, 2, 2, ipiv) == INT64_MIN + RECFACT_INSTRUCTION_SET);
    }
    for (int at = 0; at < 4; at++) assert(a[at] == s[at]);
    assert(a[0] == 1 && a[1] == 3 && a[2] == 2 && a[3] == 4 && b[0] == 5 && b[1] == 6 && t[0] == 5 && t[1] == 6);
    assert(ipiv[0] == 77 && ipiv[1] == 77 && info == 77 && piv[0] == 77 && det.mantissa == 77);
#ifdef WITH_LAPACK
    lapack();
    lapack();
#endif
    return 0;
}
