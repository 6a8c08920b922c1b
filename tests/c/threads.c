/* The library loaded by hand, 1000 times; called by many threads at once, by a child after fork, and at exit. */
#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <recfact.h>

enum { N = 200 };

static const char *path;
static double expected[N * N];
static int64_t (*factor_by_mark)(double *, int64_t, int64_t, int64_t *);

static void fill(double *a) {
    for (int at = 0; at < N * N; at++) a[at] = sin(12.9898 * at + 1.0);
}

/* Factors by the name that C cannot spell, on several threads, and compares. */
static void check(void) {
    static _Thread_local double a[N * N];
    int64_t ipiv[N];
    fill(a);
    assert(factor_by_mark(a, N, N, ipiv) == 0);
    assert(memcmp(a, expected, sizeof a) == 0);
}

static void *check_often(void *unused) {
    for (int i = 0; i < 50; i++) check();
    return unused;
}

static int entries(const char *folder) {
    DIR *dir = opendir(folder);
    assert(dir);
    int count = 0;
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* Resident memory in pages. */
static long resident(void) {
    long size, pages;
    FILE *file = fopen("/proc/self/statm", "r");
    assert(file && fscanf(file, "%ld %ld", &size, &pages) == 2);
    fclose(file);
    return pages;
}

static void load(void) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fprintf(stderr, "%s\n", dlerror());
    assert(library);
    void *symbol = dlsym(library, "recursive_lu_f64_threaded!");
    assert(symbol);
    memcpy(&factor_by_mark, &symbol, sizeof symbol);
    check();
    assert(dlclose(library) == 0);
}

/* In a thread that comes and goes. */
static void *load_once(void *unused) {
    load();
    return unused;
}

int main(int argc, char **argv) {
    assert(argc == 2);
    path = argv[1];

    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fprintf(stderr, "%s\n", dlerror());
    assert(library);
    int64_t (*single)(double *, int64_t, int64_t, int64_t *);
    void *symbol = dlsym(library, "recursive_lu_f64!");
    assert(symbol);
    memcpy(&single, &symbol, sizeof symbol);
    int64_t ipiv[N];
    fill(expected);
    assert(single(expected, N, N, ipiv) == 0);
    assert(dlclose(library) == 0);

    for (int i = 0; i < 20; i++) load();
    long pages = resident();
    int files = entries("/proc/self/fd"), tasks = entries("/proc/self/task");
    for (int i = 0; i < 1000; i++) {
        load();
        pthread_t thread;
        if (i % 10 == 0) assert(pthread_create(&thread, NULL, load_once, NULL) == 0 && pthread_join(thread, NULL) == 0);
    }
    assert(entries("/proc/self/fd") == files && entries("/proc/self/task") == tasks);
    /* 4 MiB: less than one stack, or one matrix, of each hundredth round. */
    if (resident() > pages + 1024) printf("resident pages: %ld, then %ld\n", pages, resident());
    assert(resident() <= pages + 1024);

    pthread_t threads[8];
    for (int t = 0; t < 8; t++) assert(pthread_create(&threads[t], NULL, check_often, NULL) == 0);
    for (int t = 0; t < 8; t++) assert(pthread_join(threads[t], NULL) == 0);

    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        /* A wait for a thread that is not there would never end. */
        alarm(60);
        check_often(NULL);
        exit(0);
    }
    int status;
    assert(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    /* After the destructors of this thread's memory. */
    assert(atexit(check) == 0);
    return 0;
}
