/* Not a byte of memory from the first call on: the same bits as with all the memory there is. T is the precision; FACTOR and
 * SOLVE are its functions, and with WITH_LAPACK also GETRF, GETRS and GESV. */
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

enum { NRHS = 40 };

#ifdef WITH_LAPACK
void GETRF(const int32_t *m, const int32_t *n, T *a, const int32_t *lda, int32_t *ipiv, int32_t *info);
void GETRS(const char *trans, const int32_t *n, const int32_t *nrhs, const T *a, const int32_t *lda, const int32_t *ipiv,
           T *b, const int32_t *ldb, int32_t *info, size_t trans_length);
void GESV(const int32_t *n, const int32_t *nrhs, T *a, const int32_t *lda, int32_t *ipiv, T *b, const int32_t *ldb,
          int32_t *info);
#endif

static T a[N * N], lu[N * N], b[N * NRHS];

/* Everything that is computed. */
static struct results {
    T lu[N * N], x[N * NRHS], x_transposed[N * NRHS];
    int64_t ipiv[N];
#ifdef WITH_LAPACK
    T getrf[N * N], getrs[N * NRHS], getrs_transposed[N * NRHS], gesv[N * NRHS];
    int32_t swaps[N], gesv_swaps[N];
#endif
} without, with;

static void compute(struct results *to) {
    int64_t info = 77;
    memcpy(to->lu, a, sizeof a), memcpy(to->x, b, sizeof b), memcpy(to->x_transposed, b, sizeof b);
    assert(FACTOR(N, N, to->lu, N, to->ipiv, RECFACT_PARTIAL_PIVOTING, 0, &info) == RECFACT_SUCCESS && info == 0);
    assert(SOLVE('N', N, NRHS, to->lu, N, to->ipiv, to->x, N, 0) == RECFACT_SUCCESS);
    assert(SOLVE('T', N, NRHS, to->lu, N, to->ipiv, to->x_transposed, N, 2) == RECFACT_SUCCESS);
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
    assert(malloc(8) == NULL);

    setrlimit(RLIMIT_DATA, &limit);
    while (hoard) {
        void **block = hoard;
        hoard = *block;
        free(block);
    }
    compute(&with);
    assert(memcmp(without.lu, with.lu, sizeof a) == 0 && memcmp(without.ipiv, with.ipiv, sizeof with.ipiv) == 0);
    assert(memcmp(without.x, with.x, sizeof b) == 0);
    assert(memcmp(without.x_transposed, with.x_transposed, sizeof b) == 0);
#ifdef WITH_LAPACK
    assert(memcmp(without.swaps, with.swaps, sizeof with.swaps) == 0);
    assert(memcmp(without.gesv_swaps, with.gesv_swaps, sizeof with.gesv_swaps) == 0);
    assert(memcmp(without.getrs_transposed, with.getrs_transposed, sizeof b) == 0);
#endif
    return 0;
}
