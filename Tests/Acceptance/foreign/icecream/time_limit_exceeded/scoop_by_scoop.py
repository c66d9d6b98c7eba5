n, k, a, b = map(int, input().split())
tastes = list(map(int, input().split()))
extra = [list(map(int, input().split())) for _ in range(k)]
best = tastes[:]
ratio = 0
for scoops in range(1, n + 1):
    ratio = max(ratio, max(best) / (a * scoops + b))
    best = [max(best[below] + extra[top][below] for below in range(k)) + tastes[top] for top in range(k)]
print(ratio)
