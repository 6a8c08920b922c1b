// XERBLA that throws a C++ exception, as Octave's does.
#undef NDEBUG
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" {
void dgetrf_(const int32_t *m, const int32_t *n, double *a, const int32_t *lda, int32_t *ipiv, int32_t *info);
void sgetrs_(const char *trans, const int32_t *n, const int32_t *nrhs, const float *a, const int32_t *lda,
             const int32_t *ipiv, float *b, const int32_t *ldb, int32_t *info, size_t trans_length);
void dgesv_64_(const int64_t *n, const int64_t *nrhs, double *a, const int64_t *lda, int64_t *ipiv, double *b,
               const int64_t *ldb, int64_t *info);
void dgetrs_batch_strided_(const char *trans, const int32_t *n, const int32_t *nrhs, const double *a, const int32_t *lda,
                           const int32_t *stride_a, const int32_t *ipiv, const int32_t *stride_ipiv, double *b,
                           const int32_t *ldb, const int32_t *stride_b, const int32_t *batch_size, int32_t *info,
                           size_t trans_length);
}

static const int32_t zero = 0, one = 1;
static int32_t ipiv = 1, info = 9;

struct Illegal {
    char name[24];
    int64_t argument;
};

// The name is read to its end, as some do that do not look at its length.
static void say(const char *name, int64_t argument, size_t length) {
    assert(length < sizeof Illegal::name && strlen(name) == length);
    Illegal illegal;
    strcpy(illegal.name, name);
    illegal.argument = argument;
    throw illegal;
}
extern "C" void xerbla_(const char *name, const int32_t *argument, size_t length) { say(name, *argument, length); }
extern "C" void xerbla_64_(const char *name, const int64_t *argument, size_t length) { say(name, *argument, length); }

static int ended = 0;

// Something of the caller's to clean up.
struct Guard {
    ~Guard() { ended += 1; }
};

template <typename Call> static void throws(Call call, const char *name, int64_t argument) {
    int before = ended;
    bool caught = false;
    try {
        Guard guard;
        call();
    } catch (const Illegal &illegal) {
        caught = strcmp(illegal.name, name) == 0 && illegal.argument == argument;
    }
    assert(caught && ended == before + 1);
}

int main() {
    double a = 2, b = 6;
    float a1 = 2, b1 = 6;
    int64_t one64 = 1, zero64 = 0, ipiv64 = 1, info64 = 9;
    for (int round = 0; round < 1000; round++) {
        throws([&] { dgetrf_(&one, &one, &a, &zero, &ipiv, &info); }, "DGETRF", 4);
        assert(info == -4);
        throws([&] { sgetrs_("N", &one, &one, &a1, &one, &ipiv, &b1, &zero, &info, 1); }, "SGETRS", 8);
        assert(info == -8);
        throws([&] { dgesv_64_(&one64, &one64, &a, &one64, &ipiv64, &b, &zero64, &info64); }, "DGESV ", 7);
        assert(info64 == -7);
        throws(
            [&] {
                dgetrs_batch_strided_("N", &one, &one, &a, &one, &one, &ipiv, &one, &b, &zero, &one, &one, &info, 1);
            },
            "DGETRS_BATCH_STRIDED", 10);
        assert(info == -10);
        assert(a == 2 && b == 6 && b1 == 6);
    }
    dgesv_64_(&one64, &one64, &a, &one64, &ipiv64, &b, &one64, &info64);
    sgetrs_("N", &one, &one, &a1, &one, &ipiv, &b1, &one, &info, 1);
    assert(info64 == 0 && b == 3 && info == 0 && b1 == 3);
    return 0;
}
