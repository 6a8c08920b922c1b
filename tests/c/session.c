/* Answers requests of the wire protocol from stdin as the executable does, by calls of the library. */
#include <stdio.h>
#include <stdlib.h>

#include <recfact.h>

static void *memory(size_t bytes) {
    void *start = malloc(bytes ? bytes : 1);
    if (!start) abort();
    return start;
}

static void read_all(void *to, size_t bytes) {
    if (fread(to, 1, bytes, stdin) != bytes) abort();
}

int main(void) {
    static int64_t (*const f64[])(double *, int64_t, int64_t, int64_t *) = {
        recursive_lu_f64, recursive_lu_f64_threaded, recursive_lu_f64_nopiv, recursive_lu_f64_threaded_nopiv};
    static int64_t (*const f32[])(float *, int64_t, int64_t, int64_t *) = {
        recursive_lu_f32, recursive_lu_f32_threaded, recursive_lu_f32_nopiv, recursive_lu_f32_threaded_nopiv};
    for (int command; (command = getchar()) != EOF && command != 0xff;) {
        int64_t m, n;
        read_all(&m, sizeof m);
        read_all(&n, sizeof n);
        size_t k = (size_t)(m < n ? m : n), bytes = (size_t)m * (size_t)n * (command & 1 ? 4 : 8);
        void *a = memory(bytes);
        int64_t *ipiv = memory(8 * k);
        read_all(a, bytes);
        int64_t info = command & 1 ? f32[command >> 1](a, m, n, ipiv) : f64[command >> 1](a, m, n, ipiv);
        fwrite(&info, 8, 1, stdout);
        fwrite(a, 1, bytes, stdout);
        fwrite(ipiv, 8, k, stdout);
        free(a);
        free(ipiv);
    }
    return 0;
}
