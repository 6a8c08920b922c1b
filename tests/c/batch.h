/* The functions for batches of one precision: T is its type, SUFFIX the end of its names. Expected results come from the
 * functions for one matrix. */
#define PASTE(name, suffix) name##_##suffix
#define EXPAND(name, suffix) PASTE(name, suffix)
#define NAME(name) EXPAND(name, SUFFIX)
#define FACTOR NAME(recfact_factor)
#define SOLVE NAME(recfact_solve)
#define FACTOR_BATCH NAME(recfact_factor_batch)
#define LU_BATCH NAME(recfact_lu_batch)
#define SOLVE_BATCH NAME(recfact_solve_batch)
#define GESV_BATCH NAME(recfact_gesv_batch)
#define INVERSE_BATCH NAME(recfact_inverse_batch)
#define DET_BATCH NAME(recfact_det_batch)
#define Batch NAME(Batch)
#define Alone NAME(Alone)

/* Matrices of one shape, in an array with no element too many. */
typedef struct {
    int count, m, n, ld, stride, rows;
    size_t size;
    T *a;
} Batch;

/* padding 0 is none; 1 is some after each column or row, and none after a matrix; 2 is some everywhere. */
static Batch NAME(make)(int count, int m, int n, int rows, int padding) {
    int length = rows ? n : m, lines = rows ? m : n, ld = length + (padding ? 3 : 0);
    int span = length && lines ? ld * (lines - 1) + length : 0;
    int stride = span + (padding == 2 ? 5 : 0);
    Batch batch = {count, m, n, ld, stride, rows, count && span ? (size_t)(count - 1) * stride + span : 0, NULL};
    batch.a = malloc(sizeof(T) * batch.size);
    assert(batch.a || batch.size == 0);
    for (size_t at = 0; at < batch.size; at++) batch.a[at] = -777;
    return batch;
}

static T *NAME(element)(const Batch *batch, int k, int i, int j) {
    return batch->a + (size_t)k * batch->stride + (batch->rows ? i * batch->ld + j : i + j * batch->ld);
}

static int NAME(same)(T a, T b) {
#ifdef FEW
    /* Valgrind computes c - a*b (vfnmadd) as -(a*b - c), which is -0 where it should be 0. */
    if (a == 0 && b == 0) return 1;
#endif
    return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
}

/* Stores column-major matrices without padding, m*n elements each. */
static void NAME(store)(const Batch *to, const T *from) {
    for (int k = 0; k < to->count; k++)
        for (int j = 0; j < to->n; j++)
            for (int i = 0; i < to->m; i++)
                *NAME(element)(to, k, i, j) = from[(size_t)k * to->m * to->n + i + j * to->m];
}

/* Whether the whole array, with the padding, is what it is after store(); then frees it. */
static int NAME(holds)(Batch *batch, const T *expected) {
    Batch other = *batch;
    other.a = malloc(sizeof(T) * batch->size);
    assert(other.a || batch->size == 0);
    for (size_t at = 0; at < batch->size; at++) other.a[at] = -777;
    NAME(store)(&other, expected);
    int all = 1;
    for (size_t at = 0; at < batch->size; at++) all &= NAME(same)(batch->a[at], other.a[at]);
    free(other.a), free(batch->a);
    batch->a = NULL;
    return all;
}

/* Element (i, j) of matrix k, of all kinds: random ones, ties, zero pivots, equal rows, NaN, infinities. */
static T NAME(value)(int k, int i, int j) {
    switch (k % 8) {
    case 1: return (T)(entry(k, i, j) < 0 ? -1 : 1);
    case 2: return j == k % 5 ? 0 : (T)entry(k, i, j);
    case 3: return i == 1 && j == k % 3 ? (T)NAN : (T)entry(k, i, j);
    case 4: return (T)floor(4 * entry(k, i, j));
    case 5: return i == k % 4 && j == 2 ? (T)INFINITY : (T)entry(k, i, j);
    case 6: return (T)entry(k, i / 2, j);
    default: return (T)entry(k, i, j);
    }
}

/* What the functions for one matrix give for the matrices of a batch: column-major, without padding. */
typedef struct {
    int m, n, k, nrhs;
    T *a, *lu, *b, *x[2];
    int64_t *ipiv, *info;
} Alone;

static void *NAME(zeros)(size_t elements, size_t size) {
    void *start = calloc(elements + 1, size);
    assert(start);
    return start;
}

static Alone NAME(alone)(int count, int m, int n, int nrhs, int pivoting) {
    int k = m < n ? m : n;
    size_t size = (size_t)m * n, right = (size_t)n * nrhs;
    Alone one = {m, n, k, nrhs, NULL, NULL, NULL, {NULL, NULL}, NULL, NULL};
    one.a = NAME(zeros)(count * size, sizeof(T)), one.lu = NAME(zeros)(count * size, sizeof(T));
    one.b = NAME(zeros)(count * right, sizeof(T));
    one.ipiv = NAME(zeros)((size_t)count * k, 8), one.info = NAME(zeros)(count, 8);
    for (int at = 0; at < count; at++)
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) one.a[at * size + i + j * m] = NAME(value)(at, i, j);
    memcpy(one.lu, one.a, sizeof(T) * count * size);
    for (int at = 0; at < count; at++)
        assert(FACTOR(m, n, one.lu + at * size, m, one.ipiv + (size_t)at * k, pivoting, 1, one.info + at) == 0);
    for (size_t at = 0; at < count * right; at++) one.b[at] = (T)(at % 11) - 5;
    for (int t = 0; t < 2; t++) {
        one.x[t] = NAME(zeros)(count * right, sizeof(T));
        memcpy(one.x[t], one.b, sizeof(T) * count * right);
        for (int at = 0; at < count && m == n; at++)
            assert(SOLVE("NT"[t], n, nrhs, one.lu + at * size, n, one.ipiv + (size_t)at * k, one.x[t] + at * right, n,
                         1) == RECFACT_SUCCESS);
    }
    return one;
}

static void NAME(drop)(Alone *one) {
    free(one->a), free(one->lu), free(one->b), free(one->x[0]), free(one->x[1]), free(one->ipiv), free(one->info);
}

/* Factors in place and at another place. */
static void NAME(check_factors)(const Alone *one, int count, int pivoting, int rows, int padding, int threads) {
    const int m = one->m, n = one->n, k = one->k;
    const int flags = (pivoting ? 0 : RECFACT_BATCH_NO_PIVOTING) | (rows ? RECFACT_BATCH_ROW_MAJOR : 0);
    int64_t *ipiv = malloc(8 * (size_t)count * k), *info = malloc(8 * (size_t)count);
    int32_t *piv = malloc(4 * (size_t)count * k);

    Batch a = NAME(make)(count, m, n, rows, padding);
    NAME(store)(&a, one->a);
    assert(FACTOR_BATCH(count, m, n, a.a, a.ld, a.stride, ipiv, flags, threads, info) == RECFACT_SUCCESS);
    assert(NAME(holds)(&a, one->lu));
    for (int at = 0; at < count * k; at++) assert(ipiv[at] == one->ipiv[at]);
    for (int at = 0; at < count; at++) assert(info[at] == one->info[at]), info[at] = 77;

    Batch lu = NAME(make)(count, m, n, 0, 2 - padding);
    a = NAME(make)(count, m, n, rows, padding);
    NAME(store)(&a, one->a);
    assert(LU_BATCH(count, m, n, a.a, a.ld, a.stride, flags, lu.a, lu.ld, lu.stride, piv, threads, info) == 0);
    assert(NAME(holds)(&lu, one->lu) && NAME(holds)(&a, one->a));
    for (int at = 0; at < count * k; at++) assert(piv[at] == one->ipiv[at] - 1);
    for (int at = 0; at < count; at++) assert(info[at] == one->info[at]);
    free(ipiv), free(info), free(piv);
}

/* X of each right-hand side, from the factors and from the matrices. */
static void NAME(check_solutions)(const Alone *one, int count, int pivoting, int rows, int b_rows, int padding,
                                  int threads) {
    const int n = one->n, nrhs = one->nrhs;
    const int order = (rows ? RECFACT_BATCH_ROW_MAJOR : 0) | (b_rows ? RECFACT_BATCH_B_ROW_MAJOR : 0);
    const size_t right = (size_t)n * nrhs;
    for (int t = 0; t < 3; t++) {
        Batch lu = NAME(make)(count, n, n, rows, padding), b = NAME(make)(count, n, nrhs, b_rows, padding);
        NAME(store)(&lu, one->lu), NAME(store)(&b, one->b);
        assert(SOLVE_BATCH("NTc"[t], count, n, nrhs, lu.a, lu.ld, lu.stride, one->ipiv, b.a, b.ld, b.stride, order,
                           threads) == RECFACT_SUCCESS);
        assert(NAME(holds)(&b, one->x[t > 0]) && NAME(holds)(&lu, one->lu));
    }
    T *expected = malloc(sizeof(T) * count * right), *rcond = malloc(sizeof(T) * count);
    T *other = malloc(sizeof(T) * count);
    int64_t *ipiv = malloc(8 * (size_t)count * n), *info = malloc(8 * (size_t)count);
    for (int call = 0; call < 4; call++) {
        const int transposed = call & 1, kept = call & 2;
        for (int k = 0; k < count; k++)
            memcpy(expected + k * right, (one->info[k] ? one->b : one->x[transposed]) + k * right, sizeof(T) * right);
        Batch a = NAME(make)(count, n, n, rows, padding), b = NAME(make)(count, n, nrhs, b_rows, 2 - padding);
        NAME(store)(&a, one->a), NAME(store)(&b, one->b);
        for (int at = 0; at < count; at++) info[at] = 77, rcond[at] = 77;
        const int flags = order | (pivoting ? 0 : RECFACT_BATCH_NO_PIVOTING) |
                          (transposed ? RECFACT_BATCH_TRANSPOSED : 0) | (kept ? RECFACT_BATCH_KEEP_A : 0);
        assert(GESV_BATCH(count, n, nrhs, a.a, a.ld, a.stride, kept ? NULL : ipiv, b.a, b.ld, b.stride, flags,
                          transposed ? rcond : NULL, threads, info) == RECFACT_SUCCESS);
        assert(NAME(holds)(&b, expected) && NAME(holds)(&a, kept ? one->a : one->lu));
        for (int at = 0; at < count; at++) assert(info[at] == one->info[at]);
        for (int at = 0; at < count * n && !kept; at++) assert(ipiv[at] == one->ipiv[at]);
        /* The bound does not depend on what else is asked for. */
        for (int at = 0; at < count && transposed; at++) assert(kept == 0 || NAME(same)(rcond[at], other[at]));
        if (transposed) memcpy(other, rcond, sizeof(T) * count);
    }
    free(expected), free(rcond), free(other), free(ipiv), free(info);
}

/* The 1-norm, or NaN if an element is one. */
static double NAME(norm1)(const T *a, int n) {
    double largest = 0;
    for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += fabs((double)a[i + j * n]);
        if (sum > largest || isnan(sum)) largest = sum;
        if (isnan(largest)) return largest;
    }
    return largest;
}

/* Inverses, bounds of condition numbers, and determinants. */
static void NAME(check_inverses)(const Alone *one, int count, int pivoting, int rows, int inverse_rows, int padding,
                                 int threads) {
    const int n = one->n;
    const size_t size = (size_t)n * n;
    const int flags = (rows ? RECFACT_BATCH_ROW_MAJOR : 0) | (pivoting ? 0 : RECFACT_BATCH_NO_PIVOTING);
    T *expected = malloc(sizeof(T) * count * size), *rcond = malloc(sizeof(T) * count);
    int64_t *info = malloc(8 * (size_t)count);
    recfact_determinant *det = malloc(sizeof *det * count);
    for (int k = 0; k < count; k++) {
        T *x = expected + k * size;
        for (size_t at = 0; at < size; at++) x[at] = one->info[k] ? -777 : at % (n + 1) == 0;
        if (one->info[k] == 0)
            assert(SOLVE('N', n, n, one->lu + k * size, n, one->ipiv + (size_t)k * n, x, n, 1) == 0);
    }
    Batch a = NAME(make)(count, n, n, rows, padding), inverse = NAME(make)(count, n, n, inverse_rows, 2 - padding);
    NAME(store)(&a, one->a);
    assert(INVERSE_BATCH(count, n, a.a, a.ld, a.stride, flags | (inverse_rows ? RECFACT_BATCH_B_ROW_MAJOR : 0),
                         inverse.a, inverse.ld, inverse.stride, rcond, threads, info) == RECFACT_SUCCESS);
    assert(NAME(holds)(&inverse, expected));
    for (int k = 0; k < count; k++) {
        assert(info[k] == one->info[k]);
        double norm = NAME(norm1)(one->a + k * size, n);
        if (n == 0) {
            assert(rcond[k] == 1);
        } else if (info[k] != 0 || !(norm < INFINITY)) {
            assert(rcond[k] == 0 || rcond[k] != rcond[k]);
        } else {
            /* The inverse has errors, too; they do not matter if the number is far above the precision. */
            double reciprocal = 1 / norm / NAME(norm1)(expected + k * size, n);
            int is_far = reciprocal > (sizeof(T) == 8 ? 1e-13 : 1e-4);
            assert(rcond[k] >= 0 && (!is_far || rcond[k] <= reciprocal * 1.01));
        }
    }
    assert(DET_BATCH(count, n, a.a, a.ld, a.stride, flags, det, threads) == RECFACT_SUCCESS);
    assert(NAME(holds)(&a, one->a));
    for (int k = 0; k < count; k++) {
        int exponent = 0, part;
        double mantissa = frexp(1, &exponent);
        int has_zero = 0;
        for (int i = 0; i < n; i++) {
            has_zero |= one->lu[k * size + i * (n + 1)] == 0;
            mantissa *= frexp((double)one->lu[k * size + i * (n + 1)], &part), exponent += part;
            mantissa = frexp(mantissa, &part), exponent += part;
            if (one->ipiv[(size_t)k * n + i] != i + 1) mantissa = -mantissa;
        }
        /* One zero makes the product zero, also beside a NaN. */
        if (has_zero) mantissa = 0;
        if (mantissa == 0 || !isfinite(mantissa)) exponent = 0;
        assert(det[k].mantissa == mantissa || (isnan(mantissa) && isnan(det[k].mantissa)));
        assert(det[k].exponent == exponent);
        assert(one->info[k] == 0 || det[k].mantissa == 0);
    }
    free(expected), free(rcond), free(info), free(det);
}

static void NAME(check_shape)(int m, int n, const int *counts, int number, int largest, int threads) {
    for (int pivoting = 0; pivoting < 2; pivoting++) {
        int nrhs = (m + 3 * n) % 5 * (m % 3);
        Alone one = NAME(alone)(largest, m, n, nrhs, pivoting);
        for (int c = 0; c < number; c++)
            for (int rows = 0; rows < 2; rows++) {
                int padding = (c + rows) % 3;
                NAME(check_factors)(&one, counts[c], pivoting, rows, padding, threads);
                if (m != n) continue;
                NAME(check_solutions)(&one, counts[c], pivoting, rows, (c + n) % 2, padding, threads);
                NAME(check_inverses)(&one, counts[c], pivoting, rows, (c + n + 1) % 2, padding, threads);
            }
        NAME(drop)(&one);
    }
}

static void NAME(check_shapes)(void) {
    static const int counts[] = {0, 1, 3, 7, 8, 9, 17};
    for (int m = 0; m <= 20; m += STEP)
        for (int n = 0; n <= 20; n += STEP) NAME(check_shape)(m, n, counts, 7, 17, 1);
#ifndef FEW
    static const int many[] = {1000}, shapes[][2] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {8, 8}, {7, 13}, {12, 5}, {16, 16},
                                                     {17, 17}, {20, 6}};
    for (int threads = 0; threads < 3; threads++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            NAME(check_shape)(shapes[s][0], shapes[s][1], many, 1, 1000, threads);
    /* Fewer matrices than threads, and large ones. */
    NAME(check_shape)(150, 150, counts + 1, 1, 1, 0);
    NAME(check_shape)(130, 90, counts + 2, 1, 3, 2);
#endif
}

#include "batch_refusals.h"

#undef PASTE
#undef EXPAND
#undef NAME
#undef FACTOR
#undef SOLVE
#undef FACTOR_BATCH
#undef LU_BATCH
#undef SOLVE_BATCH
#undef GESV_BATCH
#undef INVERSE_BATCH
#undef DET_BATCH
#undef Batch
#undef Alone
