// Dinkelbach: with the best ratio so far as a price, look for a cone that is worth more than it costs; the walks of at
// most n scoops come from max-plus powers of the matrix.
#include <algorithm>
#include <cstdio>
#include <vector>

struct Walk {
    long long taste, scoops;
    double worth;
};

static double price;

static Walk joined(const Walk &first, const Walk &second) {
    return {first.taste + second.taste, first.scoops + second.scoops, first.worth + second.worth};
}

int main() {
    long long n;
    int k, a, b;
    if (scanf("%lld %d %d %d", &n, &k, &a, &b) != 4) return 1;
    std::vector<long long> taste(k);
    for (auto &t : taste) if (scanf("%lld", &t) != 1) return 1;
    std::vector<std::vector<long long>> on_top(k, std::vector<long long>(k));
    for (auto &row : on_top) for (auto &u : row) if (scanf("%lld", &u) != 1) return 1;
    double ratio = 0;
    for (int round = 0; round < 100; round++) {
        price = ratio * a;
        std::vector<std::vector<Walk>> power(k, std::vector<Walk>(k));
        std::vector<Walk> best(k);
        for (int from = 0; from < k; from++) {
            best[from] = {taste[from], 1, taste[from] - price};
            for (int to = 0; to < k; to++) {
                long long t = taste[to] + on_top[to][from];
                power[from][to] = {t, 1, t - price};
                if (from == to && power[from][to].worth < 0) power[from][to] = {0, 0, 0};
            }
        }
        for (long long left = n - 1; left > 0; left /= 2) {
            if (left % 2) {
                auto next = best;
                for (int from = 0; from < k; from++) {
                    for (int to = 0; to < k; to++) {
                        if (best[from].worth + power[from][to].worth > next[to].worth) next[to] = joined(best[from], power[from][to]);
                    }
                }
                best = next;
            }
            if (left == 1) break;
            auto squared = power;
            for (int from = 0; from < k; from++) {
                for (int over = 0; over < k; over++) {
                    const Walk first = power[from][over];
                    for (int to = 0; to < k; to++) {
                        if (first.worth + power[over][to].worth > squared[from][to].worth) squared[from][to] = joined(first, power[over][to]);
                    }
                }
            }
            power = squared;
        }
        const Walk &top = *std::max_element(best.begin(), best.end(), [](auto &x, auto &y) { return x.worth < y.worth; });
        double next = (double)top.taste / (double)(a * top.scoops + b);
        if (next <= ratio + 1e-12) break;
        ratio = next;
    }
    printf("%.12g\n", ratio);
}
