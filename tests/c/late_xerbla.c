/* A program without XERBLA, which loads a plug-in that has one; and, with PLUGIN, the plug-in. */
#undef NDEBUG
#include <assert.h>
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef PLUGIN
void xerbla_(const char *name, const int32_t *info, size_t length) {
    printf("%.*s %d\n", (int)length, name, (int)*info);
}
#else
void dgetrf_(const int32_t *m, const int32_t *n, double *a, const int32_t *lda, int32_t *ipiv, int32_t *info);

int main(int argc, char **argv) {
    const int32_t two = 2, one = 1;
    int32_t ipiv[2], info = 9;
    double a[4] = {1, 2, 3, 4};
    dgetrf_(&two, &two, a, &one, ipiv, &info);
    assert(info == -4);
    if (argc > 1) {
        assert(dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL));
        dgetrf_(&two, &two, a, &one, ipiv, &info);
        assert(info == -4 && a[0] == 1);
    }
    return 0;
}
#endif
