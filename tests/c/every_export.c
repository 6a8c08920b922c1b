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

#define T double
#define SUFFIX f64
#define EPSILON 2.3e-16
#include "precision.h"
#undef T
#undef SUFFIX
#undef EPSILON

#define T float
#define SUFFIX f32
#define EPSILON 1.2e-7
#include "precision.h"

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
    recfact_release();
    recfact_release();
    factor_and_solve_f64();
    words();
    return 0;
}
