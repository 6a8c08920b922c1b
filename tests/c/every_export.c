/* Calls every function that recfact.h declares, except those for batches (batch.c), with arguments that are right and with
 * all that are wrong. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <recfact.h>

enum { N = 150, NRHS = 3 };

/* A repeatable matrix of numbers in [-1, 1). */
static double entry(int i, int j) {
    return sin(12.9898 * i + 78.233 * j + 1.0);
}

/* A well-conditioned one. */
static double dominant(int i, int j) {
    return entry(i * i + 3 * i * j, j * j) + (i == (j + 7) % N ? N / 4 : 0);
}

#define T double
#define SUFFIX f64
#define EPSILON 2.3e-16
#include "precision.h"
#include "answers.h"
#undef T
#undef SUFFIX
#undef EPSILON

#define T float
#define SUFFIX f32
#define EPSILON 1.2e-7
#include "precision.h"
#include "answers.h"

/* Factors in single precision are enough for a good matrix, and not for one beyond their range. */
static void mixed_precision(void) {
    enum { LDA = N + 1, LDB = N + 2 };
    double *a = malloc(sizeof(double) * LDA * N), *kept = malloc(sizeof(double) * LDA * N);
    double *b = malloc(sizeof(double) * LDB * NRHS), *x = malloc(sizeof(double) * LDB * NRHS);
    int64_t ipiv[N], info = 77, steps = 77;
    assert(a && kept && b && x);
    for (int at = 0; at < LDA * N; at++) a[at] = kept[at] = dominant(at % LDA, at / LDA);
    for (int at = 0; at < LDB * NRHS; at++) b[at] = at % 11 - 5.0, x[at] = -777;
    assert(recfact_mixed_f64(N, NRHS, a, LDA, ipiv, b, LDB, x, LDB, 0, &info, &steps) == RECFACT_SUCCESS);
    assert(info == 0 && steps >= 1 && steps <= 5 && memcmp(a, kept, sizeof(double) * LDA * N) == 0);
    for (int j = 0; j < NRHS; j++) {
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int k = 0; k < N; k++) sum += a[i + k * LDA] * x[k + j * LDB];
            assert(fabs(sum - b[i + j * LDB]) <= N * N * 2.3e-16);
        }
        assert(x[N + j * LDB] == -777);
    }
    free(a), free(kept), free(b), free(x);

    double large[4] = {1e100, 3e100, 2e100, 4e100}, right[2] = {3e100, 7e100}, solution[2] = {9, 9};
    assert(recfact_mixed_f64(2, 1, large, 2, ipiv, right, 2, solution, 2, 1, &info, &steps) == RECFACT_SUCCESS);
    assert(info == 0 && steps == -1 && large[0] == 3e100 && ipiv[0] == 2 && fabs(solution[0] - 1) < 1e-14);
    double singular[4] = {1, 2, 2, 4};
    assert(recfact_mixed_f64(2, 1, singular, 2, ipiv, right, 2, solution, 2, 1, &info, &steps) == RECFACT_SUCCESS);
    assert(info == 2 && steps == -1);
    assert(recfact_mixed_f64(0, 1, NULL, 0, NULL, NULL, 0, NULL, 0, 1, &info, &steps) == RECFACT_SUCCESS && info == 0);

    info = steps = 77, ipiv[0] = 77, large[0] = 1, solution[0] = 9;
    struct {
        recfact_status got, expected;
    } const calls[] = {
        {recfact_mixed_f64(2, 1, large, 2, ipiv, right, 2, solution, 2, 1, NULL, &steps), RECFACT_NULL_POINTER},
        {recfact_mixed_f64(2, 1, large, 2, ipiv, right, 2, solution, 2, 1, &info, NULL), RECFACT_NULL_POINTER},
        {recfact_mixed_f64(2, 1, NULL, 2, ipiv, right, 2, solution, 2, 1, &info, &steps), RECFACT_NULL_POINTER},
        {recfact_mixed_f64(2, 1, large, 2, NULL, right, 2, solution, 2, 1, &info, &steps), RECFACT_NULL_POINTER},
        {recfact_mixed_f64(2, 1, large, 2, ipiv, NULL, 2, solution, 2, 1, &info, &steps), RECFACT_NULL_POINTER},
        {recfact_mixed_f64(2, 1, large, 2, ipiv, right, 2, NULL, 2, 1, &info, &steps), RECFACT_NULL_POINTER},
        {recfact_mixed_f64(-2, 1, large, 2, ipiv, right, 2, solution, 2, 1, &info, &steps), RECFACT_NEGATIVE_SIZE},
        {recfact_mixed_f64(2, -1, large, 2, ipiv, right, 2, solution, 2, 1, &info, &steps), RECFACT_NEGATIVE_SIZE},
        {recfact_mixed_f64(2, 1, large, 2, ipiv, right, 2, solution, 2, -1, &info, &steps), RECFACT_NEGATIVE_SIZE},
        {recfact_mixed_f64(2, 1, large, 1, ipiv, right, 2, solution, 2, 1, &info, &steps), RECFACT_LEADING_DIMENSION},
        {recfact_mixed_f64(2, 1, large, 2, ipiv, right, 1, solution, 2, 1, &info, &steps), RECFACT_LEADING_DIMENSION},
        {recfact_mixed_f64(2, 1, large, 2, ipiv, right, 2, solution, 1, 1, &info, &steps), RECFACT_LEADING_DIMENSION},
        {recfact_mixed_f64(2, INT64_MAX, large, 2, ipiv, right, 2, solution, 2, 1, &info, &steps), RECFACT_OVERFLOW},
    };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        if (calls[c].got != calls[c].expected) printf("mixed %zu: %s\n", c, recfact_strerror(calls[c].got));
        assert(calls[c].got == calls[c].expected);
    }
    assert(info == 77 && steps == 77 && ipiv[0] == 77 && large[0] == 1 && solution[0] == 9);
}

static void words(void) {
    for (int status = RECFACT_SUCCESS; status <= RECFACT_STRIDE; status++) {
        assert(strlen(recfact_strerror(status)) > 5);
        for (int other = 0; other < status; other++) assert(strcmp(recfact_strerror(status), recfact_strerror(other)));
    }
    assert(strcmp(recfact_strerror(-1), recfact_strerror(RECFACT_STRIDE + 1)) == 0);
    assert(strcmp(recfact_version(), VERSION) == 0);
    assert(recfact_isa() != NULL);
    printf("recfact %s, %s\n", recfact_version(), recfact_isa());
}

int main(void) {
    short_forms_f64(), short_forms_f32();
    factor_and_solve_f64(), factor_and_solve_f32();
    refusals_f64(), refusals_f32();
    out_of_place_f64(), out_of_place_f32();
    refusals_out_of_place_f64(), refusals_out_of_place_f32();
    answers_f64(), answers_f32();
    answers_of_singular_and_empty_f64(), answers_of_singular_and_empty_f32();
    refusals_of_answers_f64(), refusals_of_answers_f32();
    mixed_precision();
    recfact_release();
    recfact_release();
    factor_and_solve_f64();
    words();
    return 0;
}
