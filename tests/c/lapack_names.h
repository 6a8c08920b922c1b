/* LAPACK's routines for one precision and one kind of integers: T is the type, LETTER its letter, I the integer, and END
 * the end of the names, "_" or "_64_". */
#include <stddef.h>
#include <stdint.h>

#define PASTE(letter, name, end) letter##name##end
#define EXPAND(letter, name, end) PASTE(letter, name, end)
#define R(name) EXPAND(LETTER, name, END)
#define QUOTE(text) #text
#define QUOTED(text) QUOTE(text)

void R(getrf)(const I *m, const I *n, T *a, const I *lda, I *ipiv, I *info);
void R(getf2)(const I *m, const I *n, T *a, const I *lda, I *ipiv, I *info);
void R(getrf2)(const I *m, const I *n, T *a, const I *lda, I *ipiv, I *info);
void R(getrs)(const char *trans, const I *n, const I *nrhs, const T *a, const I *lda, const I *ipiv, T *b, const I *ldb,
              I *info, size_t trans_length);
void R(gesv)(const I *n, const I *nrhs, T *a, const I *lda, I *ipiv, T *b, const I *ldb, I *info);
void R(getri)(const I *n, T *a, const I *lda, const I *ipiv, T *work, const I *lwork, I *info);
void R(gecon)(const char *norm, const I *n, const T *a, const I *lda, const T *anorm, T *rcond, T *work, I *iwork, I *info,
              size_t norm_length);
void R(gerfs)(const char *trans, const I *n, const I *nrhs, const T *a, const I *lda, const T *af, const I *ldaf,
              const I *ipiv, const T *b, const I *ldb, T *x, const I *ldx, T *ferr, T *berr, T *work, I *iwork, I *info,
              size_t trans_length);
void R(gesvx)(const char *fact, const char *trans, const I *n, const I *nrhs, T *a, const I *lda, T *af, const I *ldaf,
              I *ipiv, char *equed, T *r, T *c, T *b, const I *ldb, T *x, const I *ldx, T *rcond, T *ferr, T *berr,
              T *work, I *iwork, I *info, size_t fact_length, size_t trans_length, size_t equed_length);
void R(geequ)(const I *m, const I *n, const T *a, const I *lda, T *r, T *c, T *rowcnd, T *colcnd, T *amax, I *info);
void R(laqge)(const I *m, const I *n, T *a, const I *lda, const T *r, const T *c, const T *rowcnd, const T *colcnd,
              const T *amax, char *equed, size_t equed_length);
void R(laswp)(const I *n, T *a, const I *lda, const I *k1, const I *k2, const I *ipiv, const I *incx);
#define DSGESV EXPAND(d, sgesv, END)
void DSGESV(const I *n, const I *nrhs, double *a, const I *lda, I *ipiv, const double *b, const I *ldb, double *x,
            const I *ldx, double *work, float *swork, I *iter, I *info);
