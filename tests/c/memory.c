/* Not a byte of memory from the first call on: the same bits as with all the memory there is. T is the precision; FACTOR and
 * SOLVE are its functions, and with WITH_LAPACK also GETRF, GETRS and GESV. The names for batches end in SUFFIX, or begin
 * with LETTER. */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <recfact.h>

#define PASTE(name, rest) name##rest
#define EXPAND(name, rest) PASTE(name, rest)
#define NAME(name) EXPAND(name, SUFFIX)
#define LAPACK_NAME(name) EXPAND(LETTER, name)

enum { NRHS = 40, COUNT = 50, ORDER = 6, SIZE = ORDER * ORDER };

#ifdef WITH_LAPACK
void GETRF(const int32_t *m, const int32_t *n, T *a, const int32_t *lda, int32_t *ipiv, int32_t *info);
void GETRS(const char *trans, const int32_t *n, const int32_t *nrhs, const T *a, const int32_t *lda, const int32_t *ipiv,
           T *b, const int32_t *ldb, int32_t *info, size_t trans_length);
void GESV(const int32_t *n, const int32_t *nrhs, T *a, const int32_t *lda, int32_t *ipiv, T *b, const int32_t *ldb,
          int32_t *info);
void LAPACK_NAME(gecon_)(const char *norm, const int32_t *n, const T *a, const int32_t *lda, const T *anorm, T *rcond, T *work,
                         int32_t *iwork, int32_t *info, size_t norm_length);
void LAPACK_NAME(getrf_batch_strided)(const int32_t *m, const int32_t *n, T *a, const int32_t *lda,
                                      const int32_t *stride_a, int32_t *ipiv, const int32_t *stride_ipiv,
                                      const int32_t *batch_size, int32_t *info);
void LAPACK_NAME(getrs_batch_strided)(const char *trans, const int32_t *n, const int32_t *nrhs, const T *a,
                                      const int32_t *lda, const int32_t *stride_a, const int32_t *ipiv,
                                      const int32_t *stride_ipiv, T *b, const int32_t *ldb, const int32_t *stride_b,
                                      const int32_t *batch_size, int32_t *info, size_t trans_length);
#endif

static T a[N * N], lu[N * N], b[N * NRHS];
static int64_t identity[N];

/* Everything that is computed. */
static struct results {
    T lu[N * N], x[N * NRHS], x_transposed[N * NRHS];
    int64_t ipiv[N];
    /* Of a batch, which are parts of A and B. */
    T batch_lu[COUNT * SIZE], batch_x[COUNT * ORDER];
    int64_t batch_ipiv[COUNT * ORDER], batch_info[COUNT];
#ifdef WITH_LAPACK
    T getrf[N * N], getrs[N * NRHS], getrs_transposed[N * NRHS], gesv[N * NRHS];
    int32_t swaps[N], gesv_swaps[N];
#endif
} without, with;

/* Systems of a batch by columns, which need no memory. */
static void compute_batch(struct results *to) {
    memcpy(to->batch_lu, a, sizeof to->batch_lu), memcpy(to->batch_x, b, sizeof to->batch_x);
    assert(NAME(recfact_factor_batch_)(COUNT, ORDER, ORDER, to->batch_lu, ORDER, SIZE, to->batch_ipiv, 0, 2,
                                       to->batch_info) == RECFACT_SUCCESS);
    assert(NAME(recfact_solve_batch_)('N', COUNT, ORDER, 1, to->batch_lu, ORDER, SIZE, to->batch_ipiv, to->batch_x, ORDER,
                                      ORDER, 0, 2) == RECFACT_SUCCESS);
#ifdef WITH_LAPACK
    const int32_t order = ORDER, size = SIZE, count = COUNT, one = 1;
    static T batch[COUNT * SIZE], x[COUNT * ORDER];
    static int32_t ipiv[COUNT * ORDER], info[COUNT];
    memcpy(batch, a, sizeof batch), memcpy(x, b, sizeof x);
    LAPACK_NAME(getrf_batch_strided)(&order, &order, batch, &order, &size, ipiv, &order, &count, info);
    for (int k = 0; k < COUNT; k++) assert(info[k] == 0), info[k] = 9;
    LAPACK_NAME(getrs_batch_strided)("N", &order, &one, batch, &order, &size, ipiv, &order, x, &order, &order, &count, info,
                                     1);
    for (int k = 0; k < COUNT; k++) assert(info[k] == 0);
    for (int at = 0; at < COUNT * ORDER; at++) assert(ipiv[at] == to->batch_ipiv[at]);
    assert(memcmp(batch, to->batch_lu, sizeof batch) == 0 && memcmp(x, to->batch_x, sizeof x) == 0);
#endif
}

/* What needs memory for some columns gets it, or says that there is none and writes nothing. */
static recfact_status norms_or_refused(void) {
    double rcond = 9;
    recfact_accuracy accuracy = {9, 9, 9};
    recfact_status status = NAME(recfact_rcond_)('1', N, a, N, identity, 1, &rcond);
    assert(NAME(recfact_refine_)('N', N, 1, a, N, a, N, identity, b, N, lu, N, 0, 0, &accuracy, 1) == status);
    assert(status == RECFACT_SUCCESS || (rcond == 9 && accuracy.steps == 9));
#ifdef WITH_LAPACK
    const int32_t n = N;
    int32_t info = 77;
    T one = 1, estimate = 9;
    LAPACK_NAME(gecon_)("1", &n, a, &n, &one, &estimate, NULL, NULL, &info, 1);
    assert(status == RECFACT_SUCCESS ? info == 0 : info == -1010 && estimate == 9);
#endif
    return status;
}

/* What needs memory for one matrix gets it, or says that there is none and writes nothing. */
static recfact_status kept_or_refused(void) {
    static T x[COUNT * ORDER], inverse[COUNT * SIZE], lu[COUNT * SIZE];
    static int64_t info[COUNT];
    static int32_t piv[COUNT * ORDER];
    static recfact_determinant det[COUNT];
    memcpy(x, b, sizeof x), memset(info, 9, sizeof info), memset(det, 9, sizeof det);
    memset(inverse, 9, sizeof inverse), memset(lu, 9, sizeof lu), memset(piv, 9, sizeof piv);
    recfact_status statuses[] = {
        NAME(recfact_gesv_batch_)(COUNT, ORDER, 1, a, ORDER, SIZE, NULL, x, ORDER, ORDER, RECFACT_BATCH_KEEP_A, NULL, 2,
                                  info),
        NAME(recfact_inverse_batch_)(COUNT, ORDER, a, ORDER, SIZE, 0, inverse, ORDER, SIZE, NULL, 1, info),
        NAME(recfact_det_batch_)(COUNT, ORDER, a, ORDER, SIZE, 0, det, 1),
        NAME(recfact_lu_batch_)(COUNT, ORDER, ORDER, a, ORDER, SIZE, 0, lu, ORDER, SIZE, piv, 1, info),
    };
    for (int at = 1; at < 4; at++) assert(statuses[at] == statuses[0]);
    assert(norms_or_refused() == statuses[0]);
    if (statuses[0] == RECFACT_OUT_OF_MEMORY) {
        assert(memcmp(x, b, sizeof x) == 0);
        const unsigned char *const written[] = {(void *)inverse, (void *)lu, (void *)info, (void *)piv, (void *)det};
        const size_t sizes[] = {sizeof inverse, sizeof lu, sizeof info, sizeof piv, sizeof det};
        for (int w = 0; w < 5; w++)
            for (size_t at = 0; at < sizes[w]; at++) assert(written[w][at] == 9);
    }
    return statuses[0];
}

static void compute(struct results *to) {
    int64_t info = 77;
    memcpy(to->lu, a, sizeof a), memcpy(to->x, b, sizeof b), memcpy(to->x_transposed, b, sizeof b);
    assert(FACTOR(N, N, to->lu, N, to->ipiv, RECFACT_PARTIAL_PIVOTING, 0, &info) == RECFACT_SUCCESS && info == 0);
    assert(SOLVE('N', N, NRHS, to->lu, N, to->ipiv, to->x, N, 0) == RECFACT_SUCCESS);
    assert(SOLVE('T', N, NRHS, to->lu, N, to->ipiv, to->x_transposed, N, 2) == RECFACT_SUCCESS);
    compute_batch(to);
#ifdef WITH_LAPACK
    const int32_t n = N, nrhs = NRHS;
    int32_t number = 77;
    memcpy(to->getrf, a, sizeof a), memcpy(to->getrs, b, sizeof b), memcpy(to->getrs_transposed, b, sizeof b);
    GETRF(&n, &n, to->getrf, &n, to->swaps, &number), assert(number == 0);
    GETRS("N", &n, &nrhs, to->getrf, &n, to->swaps, to->getrs, &n, &number, 1), assert(number == 0);
    GETRS("T", &n, &nrhs, to->getrf, &n, to->swaps, to->getrs_transposed, &n, &number, 1), assert(number == 0);
    memcpy(lu, a, sizeof a), memcpy(to->gesv, b, sizeof b);
    GESV(&n, &nrhs, lu, &n, to->gesv_swaps, to->gesv, &n, &number), assert(number == 0);
    assert(memcmp(to->getrf, to->lu, sizeof a) == 0 && memcmp(lu, to->lu, sizeof a) == 0);
    assert(memcmp(to->getrs, to->x, sizeof b) == 0 && memcmp(to->gesv, to->x, sizeof b) == 0);
#endif
}

/* A field of /proc/self/status in bytes, read without a buffer from malloc. */
static rlim_t status(const char *field) {
    static char text[1 << 14];
    int file = open("/proc/self/status", O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    assert(file >= 0 && length > 0);
    close(file);
    text[length] = 0;
    const char *line = strstr(text, field);
    assert(line);
    return (rlim_t)atol(line + strlen(field)) * 1024;
}

/* Blocks of memory, each with the address of the one before. */
static void **hoard;

static void take_all_memory(void) {
    for (size_t bytes = 1 << 16; bytes >= 8; bytes /= 2)
        for (void **block; (block = malloc(bytes)); hoard = block) *block = hoard;
}

int main(void) {
    for (int at = 0; at < N * N; at++) a[at] = (T)sin(12.9898 * at + 1.0);
    for (int i = 0; i < N; i++) identity[i] = i + 1;
    for (int at = 0; at < N * NRHS; at++) b[at] = (T)(at % 11) - 5;
    memset(&without, 1, sizeof without), memset(&with, 2, sizeof with), memset(lu, 3, sizeof lu);
    /* Reads the environment. */
    assert(recfact_isa() != NULL);

    struct rlimit limit, small;
    getrlimit(RLIMIT_DATA, &limit);
    small = limit;
    small.rlim_cur = status("VmData:") + 4096;
    assert(setrlimit(RLIMIT_DATA, &small) == 0);
    take_all_memory();
    compute(&without);
    assert(kept_or_refused() == RECFACT_OUT_OF_MEMORY);
    assert(malloc(8) == NULL);

    setrlimit(RLIMIT_DATA, &limit);
    while (hoard) {
        void **block = hoard;
        hoard = *block;
        free(block);
    }
    compute(&with);
    assert(kept_or_refused() == RECFACT_SUCCESS);
    assert(memcmp(without.lu, with.lu, sizeof a) == 0 && memcmp(without.ipiv, with.ipiv, sizeof with.ipiv) == 0);
    assert(memcmp(without.x, with.x, sizeof b) == 0);
    assert(memcmp(without.batch_lu, with.batch_lu, sizeof with.batch_lu) == 0);
    assert(memcmp(without.batch_x, with.batch_x, sizeof with.batch_x) == 0);
    assert(memcmp(without.batch_ipiv, with.batch_ipiv, sizeof with.batch_ipiv) == 0);
    assert(memcmp(without.x_transposed, with.x_transposed, sizeof b) == 0);
#ifdef WITH_LAPACK
    assert(memcmp(without.swaps, with.swaps, sizeof with.swaps) == 0);
    assert(memcmp(without.gesv_swaps, with.gesv_swaps, sizeof with.gesv_swaps) == 0);
    assert(memcmp(without.getrs_transposed, with.getrs_transposed, sizeof b) == 0);
#endif
    return 0;
}
