/* LAPACK's names: results, the checks of arguments in LAPACK's order, and the calls of XERBLA. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_XERBLA
/* What it was last told. */
static char routine[24];
static int64_t argument;

void xerbla_(const char *name, const int32_t *info, size_t length) {
    assert(length < sizeof routine && strlen(name) == length);
    memcpy(routine, name, length + 1);
    argument = *info;
}

void xerbla_64_(const char *name, const int64_t *info, size_t length) {
    assert(length < sizeof routine && strlen(name) == length);
    memcpy(routine, name, length + 1);
    argument = *info;
}
#endif

/* An illegal argument: its number is in info, and XERBLA has heard of it where there is one. */
static void illegal(const char *name, int64_t number, int64_t info) {
    if (info != -number) printf("%s: info %d, argument %d\n", name, (int)info, (int)number);
    assert(info == -number);
#ifdef WITH_XERBLA
    assert(strcmp(routine, name) == 0 && argument == number);
    memset(routine, 0, sizeof routine), argument = 0;
#else
    (void)name;
#endif
}

#define T double
#define I int32_t
#define GETRF dgetrf_
#define GETRF_BATCH dgetrf_batch_strided
#define GETRF_BATCH_ dgetrf_batch_strided_
#define GETRS_BATCH dgetrs_batch_strided
#define GETRS_BATCH_ dgetrs_batch_strided_
#define GETRS dgetrs_
#define GESV dgesv_
#define LETTER "D"
#define CHECK check_double_32
#define CHECK_BATCH check_batch_double_32
#include "lapack.h"

#define T float
#define I int32_t
#define GETRF sgetrf_
#define GETRF_BATCH sgetrf_batch_strided
#define GETRF_BATCH_ sgetrf_batch_strided_
#define GETRS_BATCH sgetrs_batch_strided
#define GETRS_BATCH_ sgetrs_batch_strided_
#define GETRS sgetrs_
#define GESV sgesv_
#define LETTER "S"
#define CHECK check_float_32
#define CHECK_BATCH check_batch_float_32
#include "lapack.h"

#define T double
#define I int64_t
#define GETRF dgetrf_64_
#define GETRF_BATCH dgetrf_batch_strided_64
#define GETRF_BATCH_ dgetrf_batch_strided_64_
#define GETRS_BATCH dgetrs_batch_strided_64
#define GETRS_BATCH_ dgetrs_batch_strided_64_
#define GETRS dgetrs_64_
#define GESV dgesv_64_
#define LETTER "D"
#define CHECK check_double_64
#define CHECK_BATCH check_batch_double_64
#include "lapack.h"

#define T float
#define I int64_t
#define GETRF sgetrf_64_
#define GETRF_BATCH sgetrf_batch_strided_64
#define GETRF_BATCH_ sgetrf_batch_strided_64_
#define GETRS_BATCH sgetrs_batch_strided_64
#define GETRS_BATCH_ sgetrs_batch_strided_64_
#define GETRS sgetrs_64_
#define GESV sgesv_64_
#define LETTER "S"
#define CHECK check_float_64
#define CHECK_BATCH check_batch_float_64
#include "lapack.h"

int main(void) {
    check_double_32(), check_float_32(), check_double_64(), check_float_64();
    check_batch_double_32(), check_batch_float_32(), check_batch_double_64(), check_batch_float_64();
    return 0;
}
