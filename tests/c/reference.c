/* LAPACK's routines on random arguments, of this library or of another LAPACK: prints what both must agree on. A line that
 * begins with "~" ends in a number, which may differ by a factor of 10; other lines may not differ. What LAPACK's own tests
 * demand of results is checked here.
 *
 * T, LETTER, I and END: see lapack_names.h. XERBLA is the name of the handler. With OURS, what only this library promises is
 * checked, too; what that prints is not compared. */
#undef NDEBUG
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lapack_names.h"

#define EPSILON (sizeof(T) == 8 ? DBL_EPSILON / 2 : FLT_EPSILON / 2)

/* The largest order, the rows of every array, and right-hand sides. LAPACK's tests demand ratios below 30. */
enum { N = 60, LD = N + 3, NRHS = 3, RATIO = 30 };

/* The last illegal argument. */
static I illegal;

void XERBLA(const char *name, const I *info, size_t length) {
    printf("XERBLA %.*s %d\n", (int)length, name, (int)*info);
    illegal = *info;
}

static uint64_t state = 1;

/* A multiple of 1/64 in [-1, 1): sums of products with small integers are exact, in single precision, too. */
static double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(state >> 57) - 64) / 64;
}

static T a[LD * N], lu[LD * N], b[LD * NRHS], x[LD * NRHS], solution[LD * NRHS], work[64 * LD], r[N], c[N];
static I ipiv[N], iwork[N], info;
static const I ld = LD, lwork = 64 * LD;

static void fill(int n) {
    for (int j = 0; j < N; j++)
        for (int i = 0; i < LD; i++) a[i + j * LD] = i < n && j < n ? (T)uniform() : (T)-777;
    memcpy(lu, a, sizeof a);
}

/* B <- A X or A^T X, exactly, for an X of small integers. */
static void right_hand_sides(int n, int is_transposed) {
    for (int j = 0; j < NRHS; j++)
        for (int i = 0; i < LD; i++)
            solution[i + j * LD] = i < n ? (T)(floor(4 * fabs(uniform())) + 1) * (i % 3 ? 1 : -1) : (T)-777;
    for (int j = 0; j < NRHS; j++) {
        for (int i = 0; i < LD; i++) b[i + j * LD] = -777;
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += (double)(is_transposed ? a[k + i * LD] : a[i + k * LD]) * solution[k + j * LD];
            b[i + j * LD] = (T)sum;
            assert(b[i + j * LD] == sum);
        }
    }
}

/* The largest sum of magnitudes in a column of an n x n matrix, or in a row. */
static double norm(int n, const T *matrix, int is_row) {
    double largest = 0;
    for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += fabs((double)(is_row ? matrix[j + i * LD] : matrix[i + j * LD]));
        largest = fmax(largest, sum);
    }
    return largest;
}

/* The largest error of an element of X, divided by the largest element. */
static double error(int n, int j) {
    double largest = 0, size = 0;
    for (int i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)x[i + j * LD] - solution[i + j * LD]));
        size = fmax(size, fabs((double)x[i + j * LD]));
    }
    return largest / size;
}

/* The error of solution j is below the bound that it was given, and its backward error is that of a rounding. In single
 * precision a bound may be infinite, that is unknown, if the matrix is not well-conditioned. */
static void check_errors(int n, int j, T ferr, T berr) {
    if (!(error(n, j) <= ferr && berr <= (n + 1) * EPSILON && (isfinite(ferr) || sizeof(T) == 4))) {
        printf("n = %d: error %g of %g, backward %g\n", n, error(n, j), (double)ferr, (double)berr);
        abort();
    }
}

static void say_swaps(const char *name, int n) {
    printf("%s %d:", name, (int)info);
    for (int i = 0; i < n; i++) printf(" %d", (int)ipiv[i]);
    printf("\n");
}

static void say_all(const char *name, const T *numbers, int count) {
    printf("%s:", name);
    for (int at = 0; at < count; at++) printf(" %.17g", (double)numbers[at]);
    printf("\n");
}

static void factors(int n) {
    const I m = n;
    void (*const routines[])(const I *, const I *, T *, const I *, I *, I *) = {R(getrf), R(getf2), R(getrf2)};
    for (int routine = 0; routine < 3; routine++) {
        memcpy(lu, a, sizeof a);
        routines[routine](&m, &m, lu, &ld, ipiv, &info);
        say_swaps("factors", n);
#ifdef OURS
        static T first[LD * N];
        if (routine == 0) memcpy(first, lu, sizeof lu);
        assert(memcmp(first, lu, sizeof lu) == 0);
#endif
        for (int j = 0; j < n; j++)
            for (int i = n; i < LD; i++) assert(lu[i + j * LD] == -777);
    }
}

static void inverse(int n) {
    const I m = n, query = -1;
    static T inverted[LD * N];
    memcpy(inverted, lu, sizeof lu);
    R(getri)(&m, inverted, &ld, ipiv, work, &query, &info);
    assert(info == 0 && work[0] >= n && memcmp(inverted, lu, sizeof lu) == 0);
    R(getri)(&m, inverted, &ld, ipiv, work, &lwork, &info);
    printf("inverse %d\n", (int)info);
    double largest = 0;
    for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            double residual = i == j ? -1 : 0;
            for (int k = 0; k < n; k++) residual += (double)a[i + k * LD] * inverted[k + j * LD];
            sum += fabs(residual);
        }
        largest = fmax(largest, sum);
        for (int i = n; i < LD; i++) assert(inverted[i + j * LD] == -777);
    }
    assert(largest <= RATIO * n * EPSILON * norm(n, a, 0) * norm(n, inverted, 0));
    for (int is_row = 0; is_row < 2; is_row++) {
        T anorm = (T)norm(n, a, is_row), rcond = -1;
        double exact = 1 / (double)anorm / norm(n, inverted, is_row);
        R(gecon)(is_row ? "I" : "1", &m, lu, &ld, &anorm, &rcond, work, iwork, &info, 1);
        printf("condition %d\n~ rcond %.9g\n", (int)info, (double)rcond);
        assert(rcond >= exact * 0.99 && rcond <= exact * 10);
    }
}

static void refined(int n) {
    const I m = n, nrhs = NRHS;
    for (int t = 0; t < 3; t++) {
        const char *trans = "N\0t\0C" + 2 * t;
        right_hand_sides(n, t > 0);
        memcpy(x, b, sizeof b);
        R(getrs)(trans, &m, &nrhs, lu, &ld, ipiv, x, &ld, &info, 1), assert(info == 0);
        T ferr[NRHS], berr[NRHS];
        R(gerfs)(trans, &m, &nrhs, a, &ld, lu, &ld, ipiv, b, &ld, x, &ld, ferr, berr, work, iwork, &info, 1);
        printf("refined %d\n", (int)info);
        for (int j = 0; j < NRHS; j++) {
            check_errors(n, j, ferr[j], berr[j]);
            for (int i = n; i < LD; i++) assert(x[i + j * LD] == -777);
        }
    }
}

/* A system whose rows and columns have been multiplied by powers of 2: all that GESVX has to say of it. */
static void expert(int n, int rows, int columns) {
    const I m = n, nrhs = NRHS;
    char equed = '?';
    static T given[LD * NRHS];
    T rcond = -1, ferr[NRHS], berr[NRHS];
    for (int f = 0; f < 4; f++) {
        const char *fact = &"N\0E\0F\0e"[2 * f], *trans = f % 2 ? "T" : "N";
        const int is_scaled = f == 1 || f == 3;
        fill(n);
        right_hand_sides(n, f % 2);
        /* The scales of the solution, and of the right-hand side. */
        for (int i = 0; i < n && is_scaled; i++) {
            T row = (T)ldexp(1, rows ? i % 11 * 2 : 0), column = (T)ldexp(1, columns ? i % 7 * -3 : 0);
            for (int j = 0; j < n; j++) a[i + j * LD] *= row, a[j + i * LD] *= column;
            for (int j = 0; j < NRHS; j++) b[i + j * LD] *= column, solution[i + j * LD] /= row;
        }
        if (f == 2) memcpy(lu, a, sizeof a), R(getrf)(&m, &m, lu, &ld, ipiv, &info), equed = 'N';
        memcpy(given, b, sizeof b);
        R(gesvx)(fact, trans, &m, &nrhs, a, &ld, lu, &ld, ipiv, &equed, r, c, b, &ld, x, &ld, &rcond, ferr, berr, work,
                 iwork, &info, 1, 1, 1);
        printf("expert %s%s %c\n~ rcond %.9g\n~ growth %.9g\n", fact, trans, equed, (double)rcond, (double)work[0]);
        say_swaps("expert", n);
        if (is_scaled) say_all("rows", r, n), say_all("columns", c, n);
        if (!is_scaled) assert(memcmp(given, b, sizeof b) == 0);
        for (int j = 0; j < NRHS; j++)
            if (info == 0) check_errors(n, j, ferr[j], berr[j]);
        if (equed == 'N') continue;
        /* Once more, with the factors and the scales that it left. A and B are scaled now. */
        for (int i = 0; i < n; i++)
            for (int j = 0; j < NRHS; j++) b[i + j * LD] = given[i + j * LD];
        R(gesvx)("F", trans, &m, &nrhs, a, &ld, lu, &ld, ipiv, &equed, r, c, b, &ld, x, &ld, &rcond, ferr, berr, work, iwork,
                 &info, 1, 1, 1);
        printf("expert F%s %c %d\n~ rcond %.9g\n~ growth %.9g\n", trans, equed, (int)info, (double)rcond, (double)work[0]);
        for (int j = 0; j < NRHS; j++) check_errors(n, j, ferr[j], berr[j]);
    }
}

/* Matrices that are singular, exactly or nearly. */
static void singular(int n) {
    const I m = n, nrhs = NRHS;
    char equed = '?';
    T rcond = -1, ferr[NRHS], berr[NRHS];
    for (int kind = 0; kind < 4; kind++) {
        fill(n);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                if (kind == 0 && j == n / 2) a[i + j * LD] = 0;
                if (kind == 1 && i == n / 2) a[i + j * LD] = 0;
                if (kind == 2) a[i + j * LD] = (T)1 / (i + j + 1);
                if (kind == 3) a[i + j * LD] = 0;
            }
        for (int at = 0; at < LD * NRHS; at++) b[at] = 1;
        memcpy(lu, a, sizeof a);
        R(gesvx)("E", "N", &m, &nrhs, a, &ld, lu, &ld, ipiv, &equed, r, c, b, &ld, x, &ld, &rcond, ferr, berr, work, iwork,
                 &info, 1, 1, 1);
        printf("singular %d %c\n", (int)info, equed);
        /* Of the Hilbert matrix nobody knows more than that it is small. */
        if (kind != 2) printf("~ rcond %.9g\n~ growth %.9g\n", (double)rcond, (double)work[0]);
        if (kind == 2) continue;
        R(getri)(&m, lu, &ld, ipiv, work, &lwork, &info);
        printf("inverse %d\n", (int)info);
        T anorm = 1;
        R(gecon)("O", &m, lu, &ld, &anorm, &rcond, work, iwork, &info, 1);
        printf("condition %d %.9g\n", (int)info, (double)rcond);
    }
}

static void equilibrated(int m, int n) {
    static T scaled[LD * N];
    for (int kind = 0; kind < 8; kind++) {
        fill(N);
        for (int j = 0; j < N; j++)
            for (int i = 0; i < N; i++) {
                a[i + j * LD] += a[i + j * LD] == 0;
                a[i + j * LD] *= (T)ldexp(1, (kind & 1 ? i % 5 * 4 : 0) + (kind & 2 ? j % 3 * 5 : 0));
                if (kind == 4) a[i + j * LD] = (T)ldexp(a[i + j * LD], sizeof(T) == 8 ? -1000 : -120);
                if ((kind == 5 && i == m / 2) || (kind == 6 && j == n / 2)) a[i + j * LD] = 0;
                if (kind == 7) a[i + j * LD] = (T)ldexp(a[i + j * LD], sizeof(T) == 8 ? 1000 : 120);
            }
        const I rows = m, columns = n;
        T rowcnd = -1, colcnd = -1, amax = -1;
        char equed = '?';
        memcpy(scaled, a, sizeof a);
        R(geequ)(&rows, &columns, a, &ld, r, c, &rowcnd, &colcnd, &amax, &info);
        printf("equilibrated %d %.17g\n", (int)info, (double)amax);
        if (info != 0) continue;
        printf("ratios %.17g %.17g\n", (double)rowcnd, (double)colcnd);
        say_all("rows", r, m), say_all("columns", c, n);
        R(laqge)(&rows, &columns, scaled, &ld, r, c, &rowcnd, &colcnd, &amax, &equed, 1);
        printf("scaled %c\n", equed);
        say_all("matrix", scaled, LD * n);
    }
}

static void swapped(int n) {
    I swaps[3 * N];
    for (int k1 = 1; k1 <= 4; k1 += 3)
        for (int incx = -3; incx <= 3; incx++) {
            fill(N);
            for (int i = 0; i < 3 * N; i++) swaps[i] = 1 + (i * 7 + n) % N;
            const I columns = n, first = k1, last = 12, step = incx;
            R(laswp)(&columns, a, &ld, &first, &last, swaps, &step);
            printf("swapped %d %d\n", k1, incx);
            say_all("matrix", a, LD * n);
        }
}

static void mixed(int n) {
    if (sizeof(T) != 8) return;
    const I m = n, nrhs = NRHS;
    for (int kind = 0; kind < 4; kind++) {
        I iter = 99;
        fill(n);
        right_hand_sides(n, 0);
        for (int j = 0; j < n; j++)
            for (int i = 0; i < n; i++) {
                if (kind == 1) a[i + j * LD] *= (T)ldexp(1, 300);
                if (kind == 2 && i == n / 2) a[i + j * LD] = 0;
                if (kind == 3) a[i + j * LD] *= (T)ldexp(1, -300);
            }
        memcpy(lu, a, sizeof a);
        static float swork[N * (N + NRHS)];
        DSGESV(&m, &nrhs, (double *)lu, &ld, ipiv, (double *)b, &ld, (double *)x, &ld, (double *)work, swork, &iter, &info);
        printf("mixed %d %d\n", (int)info, iter >= 0);
        if (kind == 0) say_swaps("mixed", n);
        if (kind == 0) assert(iter >= 0 && memcmp(lu, a, sizeof a) == 0);
        for (int j = 0; j < NRHS && kind == 0; j++) {
            double residual = 0, size = 0;
            for (int i = 0; i < n; i++) {
                double sum = 0;
                for (int k = 0; k < n; k++) sum += (double)a[i + k * LD] * x[k + j * LD];
                residual = fmax(residual, fabs(sum - b[i + j * LD])), size = fmax(size, fabs((double)x[i + j * LD]));
            }
            assert(residual <= 2 * sqrt(n) * EPSILON * norm(n, a, 1) * size);
        }
    }
}

#include "error_exits.h"

int main(void) {
#ifdef FEW
    static const int orders[] = {1, 2, 5, 33};
    const int seeds = 1;
#else
    static const int orders[] = {1, 2, 3, 5, 16, 31, 33, 47, N};
    const int seeds = 3;
#endif
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
        for (int seed = 1; seed <= seeds; seed++) {
            const int n = orders[o];
            state = (uint64_t)seed;
            do fill(n);
            while (n < 4 && a[0] * a[n == 1 ? 0 : LD + 1] == 0);
            factors(n), inverse(n), refined(n);
            expert(n, 0, 0), expert(n, 1, 0), expert(n, 0, 1), expert(n, 1, 1);
            singular(n), equilibrated(n, n), equilibrated(n, n / 2 + 1), swapped(n), mixed(n);
        }
    error_exits();
#ifdef OURS
    printf("OURS\n");
    refusals();
#endif
    return 0;
}
