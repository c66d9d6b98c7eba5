m = list(map(int, input().split()))
x = list(map(int, input().split()))
y = list(map(int, input().split()))
for z in range(1_000_000):
    # Forgets that 0 and m - 1 are neighbours.
    if all(abs(z % m[i] - x[i]) <= y[i] for i in range(3)):
        break
print(z)
