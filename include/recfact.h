/*
 * recfact: dense LU factorization with partial pivoting, P A = L U, in place.
 *
 * Matrices are column-major: element (i, j), counted from 0, of a matrix with leading dimension lda stands at
 * a[i + j*lda]. With k = min(m, n), a factorization leaves U (k x n) on and above the diagonal of A and L (m x k) below
 * it; the ones on L's diagonal are not stored. Row swaps and info are those of LAPACK, with 64-bit integers:
 *
 *   ipiv[0..k)  for i = 1, 2, .., k (in this order) row i was swapped with row ipiv[i-1], counted from 1; ipiv[i-1] >= i.
 *               Without pivoting it is 1, 2, .., k.
 *               A pivot is the element of the largest magnitude that is left in its column, of equal ones the first; NaN is
 *               never larger.
 *   info        0; or i > 0 where U(i,i) is exactly zero (the first such i): the factorization is complete, but U is
 *               singular. Without pivoting it is -i instead.
 *
 * The result depends on nothing but A: not on the CPU, the number of threads or the leading dimension, to the bit.
 *
 * Memory. Every array is the caller's, before and after; the library keeps no pointer to it. No array may overlap
 * another of the same call. Each thread that calls keeps scratch memory for its next call (at most 8 MiB, or 4% of its
 * largest matrix) until it ends or calls recfact_release; where the system refuses it a call is slower, and where there is
 * not even 1 MiB the process ends. Strings that are returned are constants: do not free them.
 *
 * Threads. Every function may be called from any number of threads at once. A call that may use more than one thread
 * has helper threads that belong to the thread which calls: they block all signals, sleep between its calls, and end
 * with it. After fork the child may call everything; it starts helpers of its own. dlclose leaves the library loaded.
 *
 * Environment. RECFACT_ISA=portable|avx2|avx512 forces the kernels of an instruction set; RECFACT_NUM_THREADS is how
 * many threads a call uses that leaves it to the library (default: one for each processor). Each is read once;
 * a RECFACT_NUM_THREADS that is no number above zero is passed over.
 *
 * Failure. A function that returns a status has written nothing unless it returns RECFACT_SUCCESS. Errors are never
 * C++ exceptions, signals or messages. (A defect of the library itself ends the process with a message on stderr.)
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
    RECFACT_NULL_POINTER = 1,      /* an array that has elements, or info, is NULL */
    RECFACT_NEGATIVE_SIZE = 2,     /* m, n, nrhs or threads is negative */
    RECFACT_LEADING_DIMENSION = 3, /* lda or ldb is less than the number of rows */
    RECFACT_OVERFLOW = 4,          /* an array of this size does not fit the address space */
    RECFACT_FLAG = 5,              /* pivoting or trans is none of its values */
    RECFACT_PIVOT = 6,             /* ipiv names a row that the matrix has not */
    RECFACT_INSTRUCTION_SET = 7,   /* RECFACT_ISA names none that this CPU has */
    RECFACT_MISALIGNED = 8         /* an array is not aligned to its elements */
} recfact_status;

/* Where pivots come from. */
enum {
    RECFACT_NO_PIVOTING = 0,     /* the diagonal */
    RECFACT_PARTIAL_PIVOTING = 1 /* the element of the largest magnitude in the column; of equal ones the first */
};

/*
 * P A = L U in place: A is m x n with lda >= m, ipiv has min(m, n) elements. pivoting is one of the two above; threads
 * is how many threads may be used, no more than there are processors, or 0 to leave it to the library. *info is written.
 * Empty matrices are legal; their arrays may be NULL.
 */
recfact_status recfact_factor_f64(int64_t m, int64_t n, double *a, int64_t lda, int64_t *ipiv, int pivoting,
                                  int64_t threads, int64_t *info);
recfact_status recfact_factor_f32(int64_t m, int64_t n, float *a, int64_t lda, int64_t *ipiv, int pivoting,
                                  int64_t threads, int64_t *info);

/*
 * A X = B (trans 'N') or A^T X = B (trans 'T' or 'C') from the factors of an n x n matrix: lu with lda >= n and ipiv as a
 * factorization left them; B is n x nrhs with ldb >= n and becomes X. Where U has a zero on its diagonal, X has
 * infinities and NaN: look at the factorization's info first.
 */
recfact_status recfact_solve_f64(char trans, int64_t n, int64_t nrhs, const double *lu, int64_t lda, const int64_t *ipiv,
                                 double *b, int64_t ldb, int64_t threads);
recfact_status recfact_solve_f32(char trans, int64_t n, int64_t nrhs, const float *lu, int64_t lda, const int64_t *ipiv,
                                 float *b, int64_t ldb, int64_t threads);

/*
 * The short form: P A = L U of an m x n matrix with lda = m; returns info, or INT64_MIN + status where that is not
 * RECFACT_SUCCESS. "threaded" leaves the number of threads to the library, the others use one; "nopiv" does not pivot.
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

/* Ends the calling thread's helper threads and frees its scratch memory; its next call begins anew. */
void recfact_release(void);

/* A status in words, for any number. */
const char *recfact_strerror(int status);

/* The version of the library, such as "0.1.0". */
const char *recfact_version(void);

/* The instruction set in use: "portable", "avx2" or "avx512"; NULL where RECFACT_ISA names none that this CPU has. */
const char *recfact_isa(void);

/*
 * With the cargo feature lapack the library has LAPACK's own names as well, for programs that call LAPACK (LAPACK's
 * documents say how): dgetrf_, sgetrf_, dgetrs_, sgetrs_, dgesv_, sgesv_ with 32-bit integers; dgetrf_64_, sgetrf_64_,
 * dgetrs_64_, sgetrs_64_, dgesv_64_, sgesv_64_ with 64-bit ones. They leave the number of threads to the library. An
 * illegal argument gives info < 0, and XERBLA is called where the whole process sees one (not that of a LAPACK which was
 * loaded for a plug-in alone, RTLD_LOCAL); on x86-64 it may throw a C++ exception. Illegal is also an array that is not
 * aligned to its elements. A RECFACT_ISA that names no instruction set of this CPU ends the process with a message.
 */

#ifdef __cplusplus
}
#endif

#endif /* RECFACT_H */
