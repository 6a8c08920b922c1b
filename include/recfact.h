/*
 * recfact: dense LU factorization with partial pivoting, P A = L U, in place.
 *
 * Matrices are column-major: element (i, j), counted from 0, of a matrix with leading dimension lda is a[i + j*lda].
 * With k = min(m, n), a factorization leaves U (k x n) on and above the diagonal of A and L (m x k) below it; the ones
 * on L's diagonal are not stored. Row swaps and info are those of LAPACK, with 64-bit integers:
 *
 *   ipiv[0..k)  for i = 1, 2, .., k (in this order) row i was swapped with row ipiv[i-1], counted from 1;
 *               ipiv[i-1] >= i. Without pivoting it is 1, 2, .., k.
 *               The pivot of a column is the element of the largest magnitude on or below the diagonal; of equal
 *               magnitudes the first. A NaN is never larger than another element.
 *   info        0; or i > 0 if U(i,i) is exactly zero (the first such i): the factorization is complete, but U is
 *               singular. Without pivoting it is -i instead.
 *
 * The result depends on nothing but A: not on the CPU, the number of threads or the leading dimension, to the bit.
 *
 * info says that a pivot is exactly zero. It does not say that A is far from singular. Of the 833 singular 2 x 2
 * matrices with entries -5 to 5, 96 have info 0 here, and 16 with OpenBLAS: a product is subtracted with one rounding
 * here, and with two there, which cancel more often; U(2,2) is then of the size of a rounding error instead of zero. To
 * learn whether a solution can be trusted, look at the reciprocal condition number (recfact_rcond) or at a bound of the
 * error (recfact_refine).
 *
 * Memory. Every array belongs to the caller, before and after the call; the library keeps no pointer to it. No array
 * may overlap another of the same call. Each thread that calls keeps scratch memory for its next call (at most 8 MiB,
 * or 4% of its largest matrix) until it ends or calls recfact_release. No call ends the process for want of memory, and
 * none but recfact_lu, recfact_rcond, recfact_refine, recfact_inverse (above n = 8192) and those for batches fails for
 * it: if the system refuses scratch memory, the call is slower.
 *
 * Threads. Every function may be called from any number of threads at once. A call that may use more than one thread
 * has helper threads. They belong to the calling thread: they block all signals, sleep between its calls, and end with
 * it. After fork the child may call everything; it starts helpers of its own. dlclose leaves the library loaded.
 *
 * Environment. Each variable is read once, and an empty value counts as unset.
 *
 *   RECFACT_ISA          portable, avx2 or avx512: uses the kernels of this instruction set instead of the best one of
 *                        the CPU. With any other value, or one that this CPU lacks, every factorization and solve
 *                        returns RECFACT_INSTRUCTION_SET. LAPACK's names have no status for it: they write one line to
 *                        stderr and use the best instruction set.
 *   RECFACT_NUM_THREADS  the number of threads of a call that leaves it to the library (default: one for each
 *                        processor). A value that is not a number above zero counts as unset.
 *
 * Failure. A function that returns a status other than RECFACT_SUCCESS has written nothing. Errors are never C++
 * exceptions, signals or messages. (A defect of the library itself ends the process with a message on stderr.)
 */
#ifndef RECFACT_H
#define RECFACT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call returns. recfact_strerror says each in words. */
typedef enum recfact_status {
    RECFACT_SUCCESS = 0,
    RECFACT_NULL_POINTER = 1,      /* an array that has elements, info or another result is NULL */
    RECFACT_NEGATIVE_SIZE = 2,     /* count, m, n, nrhs, max_steps, anorm or threads is negative */
    RECFACT_LEADING_DIMENSION = 3, /* one is less than the number of rows (row-major: of columns) */
    RECFACT_OVERFLOW = 4,          /* an array does not fit the address space, or a row the integers of piv */
    RECFACT_FLAG = 5,              /* pivoting, trans, norm or flags is not one of its values */
    RECFACT_PIVOT = 6,             /* ipiv names a row outside the matrix */
    RECFACT_INSTRUCTION_SET = 7,   /* RECFACT_ISA is not an instruction set of this CPU */
    RECFACT_MISALIGNED = 8,        /* an array is not aligned to its elements */
    RECFACT_NOT_FINITE = 9,        /* A, lu or B has a NaN or an infinity, and the flags ask for a check */
    RECFACT_OUT_OF_MEMORY = 10,    /* the system refuses memory for row swaps, columns or a matrix */
    RECFACT_STRIDE = 11            /* the matrices of a batch would overlap */
} recfact_status;

/* Where pivots come from. */
enum {
    RECFACT_NO_PIVOTING = 0,     /* the diagonal */
    RECFACT_PARTIAL_PIVOTING = 1 /* the element of the largest magnitude in the column; of equal ones the first */
};

/*
 * P A = L U in place: A is m x n with lda >= m, ipiv has min(m, n) elements. pivoting is one of the two above. threads
 * is an upper bound (the library never uses more threads than there are processors), or 0 to leave it to the library.
 * *info is written. Empty matrices are legal; their arrays may be NULL.
 */
recfact_status recfact_factor_f64(int64_t m, int64_t n, double *a, int64_t lda, int64_t *ipiv, int pivoting,
                                  int64_t threads, int64_t *info);
recfact_status recfact_factor_f32(int64_t m, int64_t n, float *a, int64_t lda, int64_t *ipiv, int pivoting,
                                  int64_t threads, int64_t *info);

/* What recfact_lu does besides P A = L U with partial pivoting: a sum of these. */
enum {
    RECFACT_LU_NO_PIVOTING = 0x4,    /* the pivots are taken from the diagonal */
    RECFACT_LU_ROW_MAJOR = 0x100,    /* A is row-major: element (i, j) is a[i*lda + j], and lda >= n */
    RECFACT_LU_CHECK_FINITE = 0x200  /* an A with a NaN or an infinity is refused: RECFACT_NOT_FINITE */
};

/*
 * P A = L U at another place, with 32-bit row swaps counted from 0: A is m x n and stays as it is; lu, m x n with
 * ldlu >= m and column-major, becomes its factors; piv has min(m, n) elements, and row i was swapped with row piv[i],
 * both counted from 0. m must be less than 2^31. The rest is as in recfact_factor.
 */
recfact_status recfact_lu_f64(int64_t m, int64_t n, const double *a, int64_t lda, int flags, double *lu, int64_t ldlu,
                              int32_t *piv, int64_t threads, int64_t *info);
recfact_status recfact_lu_f32(int64_t m, int64_t n, const float *a, int64_t lda, int flags, float *lu, int64_t ldlu,
                              int32_t *piv, int64_t threads, int64_t *info);

/*
 * A X = B (trans 'N') or A^T X = B (trans 'T' or 'C') from the factors of an n x n matrix: lu with lda >= n and ipiv as
 * a factorization left them; B is n x nrhs with ldb >= n and becomes X. If U has a zero on its diagonal, X has
 * infinities and NaN: check the factorization's info first.
 */
recfact_status recfact_solve_f64(char trans, int64_t n, int64_t nrhs, const double *lu, int64_t lda, const int64_t *ipiv,
                                 double *b, int64_t ldb, int64_t threads);
recfact_status recfact_solve_f32(char trans, int64_t n, int64_t nrhs, const float *lu, int64_t lda, const int64_t *ipiv,
                                 float *b, int64_t ldb, int64_t threads);

/*
 * A X = B from the n x n matrix itself (LAPACK: DGESV): A and ipiv become the factors, as recfact_factor with partial
 * pivoting leaves them, and B, n x nrhs, becomes X. If *info is not 0, B stays as it is.
 */
recfact_status recfact_gesv_f64(int64_t n, int64_t nrhs, double *a, int64_t lda, int64_t *ipiv, double *b, int64_t ldb,
                                int64_t threads, int64_t *info);
recfact_status recfact_gesv_f32(int64_t n, int64_t nrhs, float *a, int64_t lda, int64_t *ipiv, float *b, int64_t ldb,
                                int64_t threads, int64_t *info);

/*
 * The same in double precision, with factors in single precision and refinement, which takes half the time if n is large
 * (LAPACK: DSGESV): B stays as it is, and X, n x nrhs with ldx >= n, becomes the solution. *steps is the number of steps
 * of refinement, and A stays as it is; or *steps is -1 if that was not good enough, since A is ill-conditioned or has
 * numbers beyond the range of single precision: then A has been factored in double precision, in place. ipiv holds the
 * row swaps of the factors that were used, and *info is theirs; if it is not 0, X holds anything. Either way the residual
 * of each column is at most sqrt(n) 2^-53 |A| |x| in the infinity norm, or what factors in double precision leave.
 */
recfact_status recfact_mixed_f64(int64_t n, int64_t nrhs, double *a, int64_t lda, int64_t *ipiv, const double *b,
                                 int64_t ldb, double *x, int64_t ldx, int64_t threads, int64_t *info, int64_t *steps);

/*
 * |A| of an m x n matrix (LAPACK: DLANGE): the largest sum of magnitudes in a column (norm '1' or 'O') or in a row ('I').
 * It is 0 if A is empty, NaN if A has a NaN. In single precision the sums are of single precision.
 */
recfact_status recfact_norm_f64(char norm, int64_t m, int64_t n, const double *a, int64_t lda, double *result);
recfact_status recfact_norm_f32(char norm, int64_t m, int64_t n, const float *a, int64_t lda, double *result);

/*
 * The reciprocal condition number 1 / (|A| |A^-1|) from the factors of an n x n matrix, lu and ipiv, and from anorm, |A|
 * in the same norm before it was factored (LAPACK: DGECON). The relative error of a solution is about the precision
 * (1.1e-16; 6.0e-8 in single precision) divided by *rcond.
 *
 * Up to n = 32 it is computed from all of A^-1; above, it is an estimate, which is seldom more than three times too large.
 * It is 1 if n is 0; 0 if A is singular, or so nearly singular that A^-1 overflows, or if anorm is 0 or infinite; NaN if
 * anorm is NaN. It uses one thread.
 */
recfact_status recfact_rcond_f64(char norm, int64_t n, const double *lu, int64_t lda, const int64_t *ipiv, double anorm,
                                 double *rcond);
recfact_status recfact_rcond_f32(char norm, int64_t n, const float *lu, int64_t lda, const int64_t *ipiv, double anorm,
                                 double *rcond);

/*
 * A^-1 in place of the factors of an n x n matrix, lu and ipiv (LAPACK: DGETRI). *info is 0, or i > 0 if U(i,i) is exactly
 * zero (the first such i): then A has no inverse, and lu stays as it is. The bits are those of the X with A X = I that
 * recfact_solve gives. To solve a system takes a third of the operations of an inverse, and gives better solutions.
 */
recfact_status recfact_inverse_f64(int64_t n, double *lu, int64_t lda, const int64_t *ipiv, int64_t threads,
                                   int64_t *info);
recfact_status recfact_inverse_f32(int64_t n, float *lu, int64_t lda, const int64_t *ipiv, int64_t threads,
                                   int64_t *info);

/* How good a solution x of A x = b is. */
typedef struct recfact_accuracy {
    double backward; /* the smallest relative change of the elements of A and b that makes x exact (LAPACK: BERR) */
    double forward;  /* a bound of the largest error of an element of x, divided by the largest magnitude in x (LAPACK:
                        FERR); infinite if nothing is known, and if no bound was asked for */
    int64_t steps;   /* steps of refinement that changed x */
} recfact_accuracy;

/* What recfact_refine does besides: this, or 0. */
enum {
    RECFACT_REFINE_BOUNDS = 0x1 /* bounds the errors, which takes as long as ten solutions with one right-hand side */
};

/*
 * Makes solutions X of A X = B (trans 'N') or A^T X = B (trans 'T' or 'C') better, in place (LAPACK: DGERFS): A is the
 * n x n matrix, lu and ipiv are its factors, B and X are n x nrhs. X may be any first guess. Residuals are computed in
 * twice the precision, so that X is about as good as one that was computed in twice the precision and then rounded,
 * unless A is so ill-conditioned that its factors say nothing about it. A column takes up to max_steps steps, and none
 * that makes no progress; 30 is plenty, and 0 leaves X as it is. accuracy has an element for each column, or is NULL, which
 * saves a third of the time.
 *
 * A bound is computed, not proved: from n = 33 on a part of it is an estimate. It is infinite if it would be above 0.1, or
 * if a correction with the factors does not make the residual at most half as large.
 */
recfact_status recfact_refine_f64(char trans, int64_t n, int64_t nrhs, const double *a, int64_t lda, const double *lu,
                                  int64_t ldlu, const int64_t *ipiv, const double *b, int64_t ldb, double *x, int64_t ldx,
                                  int64_t max_steps, int flags, recfact_accuracy *accuracy, int64_t threads);
recfact_status recfact_refine_f32(char trans, int64_t n, int64_t nrhs, const float *a, int64_t lda, const float *lu,
                                  int64_t ldlu, const int64_t *ipiv, const float *b, int64_t ldb, float *x, int64_t ldx,
                                  int64_t max_steps, int flags, recfact_accuracy *accuracy, int64_t threads);

/*
 * Batches: count matrices of one shape in one call. Each result has the bits that the functions above give for the
 * matrix alone. If the matrices have up to 16 rows, a batch takes far less time than a call for each.
 *
 * Arrays. Matrix k, counted from 0, begins at a + k*stride. Element (i, j) of it is at i + j*lda from there, or at
 * i*lda + j if the flags say that it is row-major; then lda is at least the number of columns. stride must be at least
 * the number of elements from the first of a matrix to its last, both included: (n - 1)*lda + m, or (m - 1)*lda + n
 * (for one matrix or none it may be any number that is not negative). What lies between matrices, and between their
 * columns or rows, is neither read nor written. ipiv and piv have min(m, n) elements for each matrix, one matrix after
 * the other, without padding; info, rcond and det have one. An array without elements may be NULL.
 *
 * Singular matrices. A matrix that is singular does not stop the others: look at each element of info. The status says
 * nothing about it.
 *
 * Threads. threads is an upper bound for the threads that share the batch, or 0 to leave it to the library.
 *
 * Memory. Each thread needs scratch memory for one matrix. If the system refuses it, the call returns
 * RECFACT_OUT_OF_MEMORY and has written nothing; recfact_factor_batch and recfact_solve_batch with column-major
 * matrices alone need none.
 *
 * Example. The solutions of 1000 systems of order 4, one right-hand side each, all arrays without padding:
 *
 *     double a[1000][16], b[1000][4];   // A by columns
 *     int64_t ipiv[1000][4], info[1000];
 *     ..
 *     recfact_status status = recfact_gesv_batch_f64(1000, 4, 1, a[0], 4, 16, ipiv[0], b[0], 4, 4, 0, NULL, 0, info);
 *     if (status != RECFACT_SUCCESS) ..
 *     // b[k] is the solution of system k if info[k] is 0; a[k] and ipiv[k] are the factors.
 */

/* Flags: a sum of these, or 0. Each function names those that it takes; with another one it returns RECFACT_FLAG. */
enum {
    RECFACT_BATCH_NO_PIVOTING = 0x4,    /* the pivots are taken from the diagonal; info is negative for a zero */
    RECFACT_BATCH_ROW_MAJOR = 0x100,    /* A is row-major, and so are factors that take its place; or lu is */
    RECFACT_BATCH_CHECK_FINITE = 0x200, /* a batch A or B with a NaN or an infinity is refused: RECFACT_NOT_FINITE */
    RECFACT_BATCH_B_ROW_MAJOR = 0x800,  /* B, or the inverse, is row-major */
    RECFACT_BATCH_TRANSPOSED = 0x1000,  /* the system is A^T X = B instead of A X = B */
    RECFACT_BATCH_KEEP_A = 0x2000       /* A stays as it is; ipiv is not used and may be NULL; takes less time */
};

/* P A = L U in place. Flags: NO_PIVOTING, ROW_MAJOR. */
recfact_status recfact_factor_batch_f64(int64_t count, int64_t m, int64_t n, double *a, int64_t lda, int64_t stride,
                                        int64_t *ipiv, int flags, int64_t threads, int64_t *info);
recfact_status recfact_factor_batch_f32(int64_t count, int64_t m, int64_t n, float *a, int64_t lda, int64_t stride,
                                        int64_t *ipiv, int flags, int64_t threads, int64_t *info);

/*
 * P A = L U at another place, as recfact_lu: A stays as it is, lu (always column-major) becomes the factors, and piv
 * has the row swaps, counted from 0. Flags: NO_PIVOTING, ROW_MAJOR, CHECK_FINITE.
 */
recfact_status recfact_lu_batch_f64(int64_t count, int64_t m, int64_t n, const double *a, int64_t lda, int64_t stride,
                                    int flags, double *lu, int64_t ldlu, int64_t stride_lu, int32_t *piv,
                                    int64_t threads, int64_t *info);
recfact_status recfact_lu_batch_f32(int64_t count, int64_t m, int64_t n, const float *a, int64_t lda, int64_t stride,
                                    int flags, float *lu, int64_t ldlu, int64_t stride_lu, int32_t *piv,
                                    int64_t threads, int64_t *info);

/*
 * A X = B (trans 'N') or A^T X = B (trans 'T' or 'C') from the factors of n x n matrices, lu and ipiv, as
 * recfact_factor_batch left them; each B is n x nrhs and becomes X. Flags: ROW_MAJOR, B_ROW_MAJOR, CHECK_FINITE (of lu
 * and B).
 */
recfact_status recfact_solve_batch_f64(char trans, int64_t count, int64_t n, int64_t nrhs, const double *lu,
                                       int64_t lda, int64_t stride, const int64_t *ipiv, double *b, int64_t ldb,
                                       int64_t stride_b, int flags, int64_t threads);
recfact_status recfact_solve_batch_f32(char trans, int64_t count, int64_t n, int64_t nrhs, const float *lu,
                                       int64_t lda, int64_t stride, const int64_t *ipiv, float *b, int64_t ldb,
                                       int64_t stride_b, int flags, int64_t threads);

/*
 * A X = B, or A^T X = B, from the n x n matrices themselves (LAPACK: DGESV): A and ipiv become the factors, unless the
 * flags say that A stays, and B, n x nrhs, becomes X. Where info is not 0, B stays as it is. All flags.
 *
 * rcond is NULL, or receives the reciprocal condition number of each matrix in the 1-norm, 1 / (|A| |A^-1|). The
 * relative error of X is about the precision (1.1e-16; 6.0e-8 in f32) divided by that number. Up to n = 32 it is exact,
 * or a lower bound where that is at least twice DBL_EPSILON (FLT_EPSILON) and takes less time; above, it is an estimate
 * (LAPACK: DGECON). It is 0 or NaN if A is singular, or has a NaN or an infinity; 1 if n is 0.
 */
recfact_status recfact_gesv_batch_f64(int64_t count, int64_t n, int64_t nrhs, double *a, int64_t lda, int64_t stride,
                                      int64_t *ipiv, double *b, int64_t ldb, int64_t stride_b, int flags, double *rcond,
                                      int64_t threads, int64_t *info);
recfact_status recfact_gesv_batch_f32(int64_t count, int64_t n, int64_t nrhs, float *a, int64_t lda, int64_t stride,
                                      int64_t *ipiv, float *b, int64_t ldb, int64_t stride_b, int flags, float *rcond,
                                      int64_t threads, int64_t *info);

/*
 * The inverses of n x n matrices, at another place: the X with A X = I. A stays as it is; where info is not 0, the
 * inverse is not written. rcond as above. Flags: NO_PIVOTING, ROW_MAJOR, B_ROW_MAJOR, CHECK_FINITE.
 */
recfact_status recfact_inverse_batch_f64(int64_t count, int64_t n, const double *a, int64_t lda, int64_t stride,
                                         int flags, double *inverse, int64_t ld_inverse, int64_t stride_inverse,
                                         double *rcond, int64_t threads, int64_t *info);
recfact_status recfact_inverse_batch_f32(int64_t count, int64_t n, const float *a, int64_t lda, int64_t stride,
                                         int flags, float *inverse, int64_t ld_inverse, int64_t stride_inverse,
                                         float *rcond, int64_t threads, int64_t *info);

/*
 * A determinant: mantissa * 2^exponent, which is ldexp(mantissa, (int)exponent) if it fits a double. The magnitude of
 * the mantissa is at least 0.5 and less than 1; or the determinant is the mantissa, which is 0, infinite or NaN, and
 * the exponent is 0.
 */
typedef struct recfact_determinant {
    double mantissa;
    int64_t exponent;
} recfact_determinant;

/*
 * The determinants of n x n matrices, which stay as they are. That of a singular matrix is 0 (NaN, if another
 * pivot is infinite or NaN), that of an empty one 1. Flags: NO_PIVOTING, ROW_MAJOR, CHECK_FINITE.
 */
recfact_status recfact_det_batch_f64(int64_t count, int64_t n, const double *a, int64_t lda, int64_t stride, int flags,
                                     recfact_determinant *det, int64_t threads);
recfact_status recfact_det_batch_f32(int64_t count, int64_t n, const float *a, int64_t lda, int64_t stride, int flags,
                                     recfact_determinant *det, int64_t threads);

/*
 * The short form: P A = L U of an m x n matrix with lda = m. It returns info, or INT64_MIN + status if the status is
 * not RECFACT_SUCCESS. "threaded" leaves the number of threads to the library, the others use one; "nopiv" does not
 * pivot.
 *
 * Each is exported under a second name that ends in an exclamation mark, "recursive_lu_f64!" and so on, for dlsym,
 * ctypes and Julia's ccall.
 */
int64_t recursive_lu_f64(double *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f32(float *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f64_threaded(double *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f32_threaded(float *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f64_nopiv(double *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f32_nopiv(float *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f64_threaded_nopiv(double *a, int64_t m, int64_t n, int64_t *ipiv);
int64_t recursive_lu_f32_threaded_nopiv(float *a, int64_t m, int64_t n, int64_t *ipiv);

/* Ends the calling thread's helper threads and frees its scratch memory. Its next call gets new ones. */
void recfact_release(void);

/* A status in words, for any number. The string is a constant: do not free it. The same is true of the next two. */
const char *recfact_strerror(int status);

/* The version of the library, such as "0.1.0". */
const char *recfact_version(void);

/* The instruction set in use: "portable", "avx2" or "avx512"; NULL if RECFACT_ISA is not one of this CPU. */
const char *recfact_isa(void);

/*
 * With the cargo feature lapack the library has LAPACK's own names as well, for programs that call LAPACK (LAPACK's
 * documents say how). They leave the number of threads to the library. With 32-bit integers: dgetrf_, sgetrf_, dgetf2_,
 * sgetf2_, dgetrf2_, sgetrf2_ (the same factors under three names), dgetrs_, sgetrs_, dgesv_, sgesv_, dgetri_, sgetri_,
 * dgecon_, sgecon_, dgerfs_, sgerfs_, dgesvx_, sgesvx_, dgeequ_, sgeequ_, dlaqge_, slaqge_, dlaswp_, slaswp_, dsgesv_;
 * with 64-bit ones: dgetrf_64_, sgetrf_64_, dgetf2_64_, sgetf2_64_, dgetrf2_64_, sgetrf2_64_, dgetrs_64_, sgetrs_64_,
 * dgesv_64_, sgesv_64_, dgetri_64_, sgetri_64_, dgecon_64_, sgecon_64_, dgerfs_64_, sgerfs_64_, dgesvx_64_, sgesvx_64_,
 * dgeequ_64_, sgeequ_64_, dlaqge_64_, slaqge_64_, dlaswp_64_, slaswp_64_, dsgesv_64_. What differs from LAPACK:
 *
 *   WORK, IWORK, SWORK  are not used, except for WORK(1), where LAPACK says that it is a result; but LWORK is checked.
 *   DGERFS, DGESVX      compute residuals in twice the precision, so that X and BERR are better than LAPACK's. FERR is
 *                       LAPACK's: a bound for A and B that are known up to rounding, not the sharp one of recfact_refine.
 *   DSGESV              has ITER = -1 whenever A has been factored in double precision.
 *   DLASWP              does nothing if a row is above the first or, with more than one column, below row LDA.
 *
 * It also has the names that oneMKL gives to LAPACK's routines for batches (its documents say how):
 * dgetrf_batch_strided_, sgetrf_batch_strided_, dgetrs_batch_strided_, sgetrs_batch_strided_ with 32-bit integers;
 * dgetrf_batch_strided_64_, sgetrf_batch_strided_64_, dgetrs_batch_strided_64_, sgetrs_batch_strided_64_ with 64-bit
 * ones; and each of these eight without the last underscore. Matrices must not overlap, nor may the row swaps of two.
 *
 * An illegal argument gives info < 0 (in each element, if it is an array); an array that is not aligned to its
 * elements, and an ipiv with a row outside the matrix from which a solution is to be computed, are illegal, too. Then
 * XERBLA is called, once: the one of the program, in whatever way it is linked, or else one that the whole process can see
 * (the one of a LAPACK that was loaded for a plug-in alone, RTLD_LOCAL, is not visible); on x86-64 it may throw a C++
 * exception. If there is none, LAPACK's message is written to stderr, and the call returns.
 *
 * If the system refuses memory, DGECON, DGERFS, DGESVX and DGETRI give info = -1010 (LAPACKE's
 * LAPACK_WORK_MEMORY_ERROR), without XERBLA. None of the others fails for it.
 */

#ifdef __cplusplus
}
#endif

#endif /* RECFACT_H */
