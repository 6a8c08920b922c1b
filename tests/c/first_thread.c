/* The first thread has helpers and ends by pthread_exit. */
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdint.h>

#include <recfact.h>

enum { N = 300 };

static double a[N * N];
static int64_t ipiv[N];

int main(void) {
    for (int i = 0; i < N; i++) a[i + i * N] = 1;
    assert(recursive_lu_f64_threaded(a, N, N, ipiv) == 0);
    pthread_exit(NULL);
}
