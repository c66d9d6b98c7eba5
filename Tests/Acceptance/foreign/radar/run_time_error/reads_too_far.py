rows = [list(map(int, input().split())) for _ in range(4)]
print(rows[3][0])
