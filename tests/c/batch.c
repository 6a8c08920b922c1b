/* The functions for batches give what those for one matrix give, to the bit, for every shape, layout and count; they refuse
 * what is wrong. With FEW, for valgrind, only some shapes and counts. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <recfact.h>

#ifdef FEW
enum { STEP = 4 };
#else
enum { STEP = 1 };
#endif

/* A repeatable number in [-1, 1). */
static double entry(int k, int i, int j) {
    return sin(12.9898 * i + 78.233 * j + 37.719 * k + 1.0);
}

#define T double
#define SUFFIX f64
#include "batch.h"
#undef T
#undef SUFFIX

#define T float
#define SUFFIX f32
#include "batch.h"

/* A thread that calls while others do. */
static void *call(void *number) {
    static const int counts[] = {9, 300};
    int which = *(const int *)number;
    for (int round = 0; round < (STEP == 1 ? 4 : 1); round++) {
        check_shape_f64(4 + which, 4 + which, counts, STEP == 1 ? 2 : 1, 300, 2);
        check_shape_f32(16, 15 + which, counts, STEP == 1 ? 2 : 1, 300, 0);
    }
    return NULL;
}

/* The example of the header. */
static void example(void) {
    static double a[1000][16], b[1000][4];
    static int64_t ipiv[1000][4], info[1000];
    for (int k = 0; k < 1000; k++)
        for (int i = 0; i < 4; i++) {
            b[k][i] = 0;
            for (int j = 0; j < 4; j++) a[k][i + 4 * j] = i == j ? 4 + k % 7 : 1, b[k][i] += a[k][i + 4 * j] * j;
        }
    recfact_status status = recfact_gesv_batch_f64(1000, 4, 1, a[0], 4, 16, ipiv[0], b[0], 4, 4, 0, NULL, 0, info);
    assert(status == RECFACT_SUCCESS);
    for (int k = 0; k < 1000; k++)
        for (int i = 0; i < 4; i++) assert(info[k] == 0 && fabs(b[k][i] - i) < 1e-13);
}

int main(void) {
    example();
    check_refusals_f64(), check_refusals_f32();
    check_shapes_f64(), check_shapes_f32();
    pthread_t threads[4];
    int numbers[4] = {0, 1, 2, 3};
    for (int t = 0; t < 4; t++) assert(pthread_create(&threads[t], NULL, call, &numbers[t]) == 0);
    for (int t = 0; t < 4; t++) assert(pthread_join(threads[t], NULL) == 0);
    recfact_release();
    return 0;
}
