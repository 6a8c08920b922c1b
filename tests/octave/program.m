% Reads n, nrhs and the matrices A and B from the file "in", and writes to "out" what Octave makes of them, first in double
% precision, then in single: the factors of A in one matrix, the rows of P A, det(A), A \ B, A' \ B, inv(A), rcond(A) and the
% condition number in the 1-norm.
in = fopen("in", "r", "ieee-le");
n = fread(in, 1, "int64");
nrhs = fread(in, 1, "int64");
a = fread(in, [n, n], "double");
b = fread(in, [n, nrhs], "double");
fclose(in);
out = fopen("out", "w", "ieee-le");
for precision = {"double", "single"}
  s = cast(a, precision{1});
  t = cast(b, precision{1});
  [l, u, p] = lu(s, "vector");
  for result = {lu(s), cast(p, precision{1}), det(s), s \ t, s' \ t, inv(s), rcond(s), cond(s, 1)}
    fwrite(out, result{1}, precision{1});
  end
end
fclose(out);
