"""By the Chinese remainder theorem: two of the three residues are tried, the third is found in a sorted list."""

from bisect import bisect_left

m = list(map(int, input().split()))
x = list(map(int, input().split()))
y = list(map(int, input().split()))
product = m[0] * m[1] * m[2]
parts = []
for i in range(3):
    others = product // m[i]
    unit = others * pow(others, -1, m[i]) % product
    residues = {(x[i] + d) % m[i] for d in range(-y[i], y[i] + 1)}
    parts.append(sorted(residue * unit % product for residue in residues))
a, b, c = parts
best = product
for first in a:
    for second in b:
        s = (first + second) % product
        # The smallest sum: without a wrap by the smallest of c, else by the first that wraps.
        low = s + c[0]
        if low < product and low < best:
            best = low
        wraps = bisect_left(c, product - s)
        if wraps < len(c):
            best = min(best, s + c[wraps] - product)
print(best)
