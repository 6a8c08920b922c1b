/* Each argument that LAPACK calls illegal, the first of several, and calls with nothing to do. Prints info, after what
 * XERBLA has printed. */

#define CALL(name, ...) (info = 99, R(name)(__VA_ARGS__), printf(#name " %d\n", (int)info))

static void error_exits(void) {
    const I minus = -1, zero = 0, one = 1, two = 2;
    I m[] = {-1, 0, 1, 2};
    const T negative = -1, not_a_number = (T)NAN, huge = (T)INFINITY;
    T anorm = 1, rcond = 9, ferr[2], berr[2], small[4] = {3, 1, 4, 2};
    char equed = 'N', scaled = 'B', unknown = '?';
    T good[2] = {1, 1}, bad[2] = {1, 0};
    ipiv[0] = ipiv[1] = 2;
#define GETRF(name) \
    CALL(name, &minus, &minus, small, &zero, ipiv, &info), CALL(name, &two, &minus, small, &zero, ipiv, &info); \
    CALL(name, &two, &two, small, &one, ipiv, &info), CALL(name, &zero, &zero, small, &zero, ipiv, &info); \
    CALL(name, &zero, &two, small, &one, ipiv, &info), CALL(name, &two, &zero, small, &two, ipiv, &info)
    GETRF(getrf), GETRF(getf2), GETRF(getrf2);
    CALL(gesv, &minus, &minus, small, &zero, ipiv, b, &zero, &info);
    CALL(gesv, &two, &minus, small, &zero, ipiv, b, &zero, &info);
    CALL(gesv, &two, &one, small, &one, ipiv, b, &zero, &info);
    CALL(gesv, &two, &one, small, &two, ipiv, b, &one, &info);
    for (int wrong = 1; wrong <= 8; wrong++)
        CALL(getrs, wrong == 1 ? "X" : "N", wrong <= 2 ? &minus : &two, wrong <= 3 ? &minus : &one, small,
             wrong <= 5 ? &one : &two, ipiv, b, wrong <= 8 ? &one : &two, &info, 1);
    for (int wrong = 1; wrong <= 7; wrong++)
        CALL(getri, wrong <= 1 ? &minus : &two, small, wrong <= 3 ? &one : &two, ipiv, work, wrong <= 6 ? &one : &two,
             &info);
    CALL(getri, &zero, small, &one, ipiv, work, &zero, &info), CALL(getri, &zero, small, &one, ipiv, work, &one, &info);
    CALL(getri, &two, small, &one, ipiv, work, &minus, &info), CALL(getri, &two, small, &two, ipiv, work, &minus, &info);
    small[0] = 3, small[1] = 1, small[2] = 4, small[3] = 2;
    for (int wrong = 1; wrong <= 6; wrong++)
        CALL(gecon, wrong == 1 ? "X" : "1", wrong <= 2 ? &minus : &two, small, wrong <= 4 ? &one : &two,
             wrong <= 5 ? &negative : &anorm, &rcond, work, iwork, &info, 1);
    const T *const norms[] = {&negative, &anorm, &not_a_number, &huge, &small[0]};
    for (int k = 0; k < 5; k++)
        for (int n = 1; n < 4; n++) {
            rcond = 9;
            CALL(gecon, &"1OoIi"[k], &m[n], small, &two, norms[k], &rcond, work, iwork, &info, 1);
            printf("rcond %.6g\n", (double)rcond);
        }
    for (int wrong = 1; wrong <= 13; wrong++)
        CALL(gerfs, wrong == 1 ? "X" : "N", wrong <= 2 ? &minus : &two, wrong <= 3 ? &minus : &one, small,
             wrong <= 5 ? &one : &two, small, wrong <= 7 ? &one : &two, ipiv, b, wrong <= 10 ? &one : &two, x,
             wrong <= 12 ? &one : &two, ferr, berr, work, iwork, &info, 1);
    ferr[0] = berr[0] = 9;
    CALL(gerfs, "N", &zero, &one, small, &one, small, &one, ipiv, b, &one, x, &one, ferr, berr, work, iwork, &info, 1);
    printf("%g %g\n", (double)ferr[0], (double)berr[0]);
    CALL(gerfs, "T", &two, &zero, small, &two, small, &two, ipiv, b, &two, x, &two, ferr, berr, work, iwork, &info, 1);
    for (int wrong = 1; wrong <= 16; wrong++) {
        char *how = wrong <= 10 ? &unknown : &scaled;
        CALL(gesvx, wrong == 1 ? "X" : "F", wrong <= 2 ? "X" : "N", wrong <= 3 ? &minus : &two, wrong <= 4 ? &minus : &one,
             small, wrong <= 6 ? &one : &two, small, wrong <= 8 ? &one : &two, ipiv, how, wrong <= 11 ? bad : good,
             wrong <= 12 ? bad : good, b, wrong <= 14 ? &one : &two, x, &one, &rcond, ferr, berr, work, iwork, &info, 1,
             1, 1);
    }
    /* A matrix that is not to be taken for a scaled one: EQUED is not looked at. */
    equed = '?';
    CALL(gesvx, "N", "N", &zero, &one, small, &one, small, &one, ipiv, &equed, r, c, b, &one, x, &one, &rcond, ferr, berr,
         work, iwork, &info, 1, 1, 1);
    printf("%c %g %g\n", equed, (double)rcond, (double)work[0]);
    CALL(geequ, &minus, &minus, small, &zero, r, c, &rcond, &anorm, ferr, &info);
    CALL(geequ, &two, &minus, small, &zero, r, c, &rcond, &anorm, ferr, &info);
    CALL(geequ, &two, &two, small, &one, r, c, &rcond, &anorm, ferr, &info);
    CALL(geequ, &zero, &two, small, &one, r, c, &rcond, &anorm, ferr, &info);
    printf("%g %g %g\n", (double)rcond, (double)anorm, (double)ferr[0]);
    if (sizeof(T) != 8) return;
    for (int wrong = 1; wrong <= 9; wrong += wrong == 2 ? 2 : 1) {
        I iter = 99;
        info = 99;
        DSGESV(wrong == 1 ? &minus : &two, wrong <= 2 ? &minus : &one, (double *)small, wrong <= 4 ? &one : &two, ipiv,
               (double *)b, wrong <= 7 ? &one : &two, (double *)x, &one, (double *)work, NULL, &iter, &info);
        printf("dsgesv %d %d\n", (int)info, (int)iter);
    }
}

#ifdef OURS
#define REFUSED(number, name, ...) \
    (info = 9, illegal = 0, R(name)(__VA_ARGS__), assert(info == -(number) && illegal == (number)))

/* What LAPACK would read or write all the same. */
static void refusals(void) {
    const I zero = 0, one = 1, two = 2, three = 3, outside[2] = {1, 3}, above[2] = {0, 2}, right[2] = {2, 2};
    T small[4] = {3, 1, 4, 2}, factored[4] = {3, (T)1 / 3, 4, (T)2 / 3}, scales[2] = {1, 1};
    T rcond = 9, anorm = 6, ferr = 9, berr = 9;
    char equed = 'N', rows = 'R', *off = (char *)small + 1;
    T *odd;
    memcpy(&odd, &off, sizeof odd);
    ipiv[0] = ipiv[1] = 2;
    REFUSED(2, getri, &two, NULL, &two, right, work, &two, &info);
    REFUSED(4, getri, &two, small, &two, NULL, work, &two, &info);
    REFUSED(2, getri, &two, odd, &two, right, work, &two, &info);
    REFUSED(4, getri, &two, small, &two, outside, work, &two, &info);
    REFUSED(4, getri, &two, small, &two, above, NULL, &two, &info);
    REFUSED(3, gecon, "1", &two, NULL, &two, &anorm, &rcond, work, iwork, &info, 1);
    REFUSED(6, gecon, "1", &two, small, &two, &anorm, NULL, work, iwork, &info, 1);
#define GERFS(number, a, af, swaps, b, x, ferr, berr) \
    REFUSED(number, gerfs, "N", &two, &one, a, &two, af, &two, swaps, b, &two, x, &two, ferr, berr, NULL, NULL, &info, 1)
    GERFS(4, NULL, factored, right, b, x, &ferr, &berr), GERFS(6, small, NULL, right, b, x, &ferr, &berr);
    GERFS(8, small, factored, NULL, b, x, &ferr, &berr), GERFS(8, small, factored, outside, b, x, &ferr, &berr);
    GERFS(9, small, factored, right, NULL, x, &ferr, &berr), GERFS(11, small, factored, right, b, NULL, &ferr, &berr);
    GERFS(13, small, factored, right, b, x, NULL, &berr), GERFS(14, small, factored, right, b, x, &ferr, NULL);
#define GESVX(number, fact, a, af, swaps, equed, r, c, b, x, rcond, ferr, berr) \
    REFUSED(number, gesvx, fact, "N", &two, &one, a, &two, af, &two, swaps, equed, r, c, b, &two, x, &two, rcond, ferr, berr, \
            work, iwork, &info, 1, 1, 1)
    I swaps[2] = {1, 3};
    GESVX(5, "N", NULL, factored, ipiv, &equed, r, c, b, x, &rcond, &ferr, &berr);
    GESVX(7, "N", small, NULL, ipiv, &equed, r, c, b, x, &rcond, &ferr, &berr);
    GESVX(9, "N", small, factored, NULL, &equed, r, c, b, x, &rcond, &ferr, &berr);
    GESVX(9, "F", small, factored, swaps, &equed, r, c, b, x, &rcond, &ferr, &berr);
    GESVX(11, "E", small, factored, ipiv, &equed, NULL, c, b, x, &rcond, &ferr, &berr);
    GESVX(12, "E", small, factored, ipiv, &equed, r, NULL, b, x, &rcond, &ferr, &berr);
    GESVX(11, "F", small, factored, ipiv, &rows, NULL, scales, b, x, &rcond, &ferr, &berr);
    GESVX(13, "N", small, factored, ipiv, &equed, r, c, NULL, x, &rcond, &ferr, &berr);
    GESVX(15, "N", small, factored, ipiv, &equed, r, c, b, NULL, &rcond, &ferr, &berr);
    GESVX(17, "N", small, factored, ipiv, &equed, r, c, b, x, NULL, &ferr, &berr);
    GESVX(18, "N", small, factored, ipiv, &equed, r, c, b, x, &rcond, NULL, &berr);
    GESVX(19, "N", small, factored, ipiv, &equed, r, c, b, x, &rcond, &ferr, NULL);
    REFUSED(3, geequ, &two, &two, NULL, &two, r, c, &rcond, &anorm, &ferr, &info);
    REFUSED(5, geequ, &two, &two, small, &two, NULL, c, &rcond, &anorm, &ferr, &info);
    REFUSED(6, geequ, &two, &two, small, &two, r, NULL, &rcond, &anorm, &ferr, &info);
    R(laswp)(&two, small, &two, &one, &two, outside, &one), R(laswp)(&two, small, &two, &one, &two, above, &one);
    R(laswp)(&two, small, &two, &one, &three, right, &one), R(laswp)(&two, small, &two, &zero, &one, right, &one);
    R(laswp)(&two, NULL, &two, &one, &two, right, &one), R(laswp)(&two, small, &two, &one, &two, NULL, &one);
    assert(small[0] == 3 && small[1] == 1 && small[2] == 4 && small[3] == 2);
    /* The leading dimension of one column may be anything. */
    R(laswp)(&one, small, &one, &one, &two, right, &one);
    assert(small[0] == 1 && small[1] == 3);
    I iter = 9;
    DSGESV(&one, &one, NULL, &one, ipiv, (double *)b, &one, (double *)x, &one, NULL, NULL, &iter, &info);
    assert(info == -3);
    DSGESV(&one, &one, (double *)a, &one, NULL, (double *)b, &one, (double *)x, &one, NULL, NULL, &iter, &info);
    assert(info == -5 && iter == 0);
    DSGESV(&one, &one, (double *)a, &one, ipiv, NULL, &one, (double *)x, &one, NULL, NULL, &iter, &info);
    assert(info == -6);
    DSGESV(&one, &one, (double *)a, &one, ipiv, (double *)b, &one, NULL, &one, NULL, NULL, &iter, &info);
    assert(info == -8);
}
#endif
