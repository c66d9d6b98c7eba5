n, k, a, b = map(int, input().split())
tastes = list(map(int, input().split()))
extra = [list(map(int, input().split())) for _ in range(k)]
best = max(tastes)
for flavour, taste in enumerate(tastes):
    # The same flavour all the way up.
    pile = taste * n + extra[flavour][flavour] * (n - 1)
    best = max(best, pile / (a * n + b) * (a + b))
print(max(0, best) / (a + b))
